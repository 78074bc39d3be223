"""Move a fixed or internet line to another address."""

from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import EntryKind, Policy
from shiming.registrations.model.holding import ActKind, HoldingChanged
from shiming.registrations.use_cases.handing_over import record_act
from shiming.registrations.use_cases.holding import (
    find_act_receipt,
    find_order_for_line,
    judge_entry,
    list_acts,
)
from shiming.transfers.errors.moves import MoveRefusal
from shiming.transfers.events.transfers import LINE_MOVED
from shiming.transfers.model.moves import LineMoved, MoveFacts
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.permissions.transfers import MayTransfer
from shiming.transfers.rules.moves import decide_move
from shiming.transfers.use_cases.deciding import (
    acts_for_holder,
    get_held,
    is_port_pending,
    prove,
    until_settled,
    witness_of,
)
from shiming.transfers.use_cases.tools import TransferTools
from shiming.vocabulary.permissions import asks
from shiming.vocabulary.refusals import Refusal

_ENTRY = EntryKind.MOVE


@asks(MayTransfer)
def move_line(
    tools: TransferTools,
    connection: Connection,
    line_id: str,
    session_id: str,
    *,
    policy: Policy,
    now: datetime,
) -> LineMoved | TransferRefused:
    """Move the line to the address of the session's order, or say every reason why not. Twice is once."""
    held = get_held(connection, line_id)
    for act in list_acts(connection, held.line):
        if act.kind == ActKind.MOVE.value and act.session_id == session_id:
            receipt = find_act_receipt(tools.registrations, connection, held.line, act.number) or {}
            return LineMoved(line_id, act.number, held.place or "", receipt)

    def look() -> LineMoved | TransferRefused | HoldingChanged:
        return _look(tools, connection, line_id, session_id, policy=policy, now=now)

    return until_settled(connection, look)


def _look(
    tools: TransferTools,
    connection: Connection,
    line_id: str,
    session_id: str,
    *,
    policy: Policy,
    now: datetime,
) -> LineMoved | TransferRefused | HoldingChanged:
    held, rules, entry = get_held(connection, line_id), tools.registration(policy), policy.entries[_ENTRY]
    proof = prove(tools, connection, session_id, operator=held.line.operator, policy=policy, now=now)
    witness = witness_of(session_id, proof)
    order = find_order_for_line(connection, held.line, session_id, _ENTRY)
    lacking: tuple[Refusal, ...] = ()
    if witness is not None and order is not None:
        lacking = judge_entry(connection, held, order, witness, policy=rules, now=now)
    place = None if order is None else order.install_address
    facts = MoveFacts(
        held=held,
        holder=proof,
        order=order,
        entry=lacking,
        same_place=place is not None and place == held.place,
        handler_of_holder=acts_for_holder(tools, connection, held, proof, now),
        port_pending=is_port_pending(connection, line_id, now),
    )
    decision = decide_move(facts, policy)
    if isinstance(decision, TransferRefused):
        return decision
    if witness is None or place is None:  # a pack that asks for no address
        return TransferRefused((Refusal(MoveRefusal.NEW_ADDRESS_MISSING, entry.allowed.citation),))
    receipt = record_act(
        tools.registrations,
        connection,
        held,
        ActKind.MOVE,
        witness=witness,
        policy=rules,
        rules=(("move", entry.allowed.citation),),
        now=now,
    )
    if isinstance(receipt, HoldingChanged):
        return receipt
    act = receipt["act"]["number"]
    emit(connection, Event(LINE_MOVED, line_id, held.line.operator, now, {"act": act, "place": place}))
    return LineMoved(line_id, act, place, receipt)
