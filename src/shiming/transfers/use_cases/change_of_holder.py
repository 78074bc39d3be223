"""Hand a line over from one proven person to another."""

from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import EntryKind, Policy, ProductClass
from shiming.registrations.model.holding import Capacity, HeldLine, HoldingChanged
from shiming.registrations.use_cases.handing_over import change_holder
from shiming.registrations.use_cases.holding import (
    find_act_receipt,
    find_order_for_line,
    judge_capacity,
    judge_entry,
    list_acts,
)
from shiming.transfers.events.transfers import HOLDER_CHANGED
from shiming.transfers.model.account_standing import AccountStanding
from shiming.transfers.model.change_of_holder import (
    ChangeHolder,
    HolderChanged,
    HolderChangeFacts,
)
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.permissions.transfers import MayTransfer
from shiming.transfers.rules.change_of_holder import decide_change_of_holder
from shiming.transfers.store.cases import is_barred
from shiming.transfers.use_cases.deciding import get_held, is_port_pending, prove, until_settled, witness_of
from shiming.transfers.use_cases.tools import TransferTools
from shiming.vocabulary.permissions import asks
from shiming.vocabulary.refusals import Refusal

_ENTRY = EntryKind.CHANGE_OF_HOLDER


@asks(MayTransfer)
def transfer_line(
    tools: TransferTools,
    connection: Connection,
    command: ChangeHolder,
    *,
    standing: AccountStanding,
    policy: Policy,
    now: datetime,
) -> HolderChanged | TransferRefused:
    """Make the receiver the holder, or say every reason why not. The same two sessions again are one act.

    `standing`: what billing said just before (`deciding.ask_standing`).
    """
    held = get_held(connection, command.line_id)
    former = _former(tools, connection, held, command)
    if former is not None:
        return former

    def look() -> HolderChanged | TransferRefused | HoldingChanged:
        return _look(tools, connection, command, standing=standing, policy=policy, now=now)

    return until_settled(connection, look)


def _look(
    tools: TransferTools,
    connection: Connection,
    command: ChangeHolder,
    *,
    standing: AccountStanding,
    policy: Policy,
    now: datetime,
) -> HolderChanged | TransferRefused | HoldingChanged:
    held, rules = get_held(connection, command.line_id), tools.registration(policy)
    operator = held.line.operator
    giver = prove(tools, connection, command.giver_session, operator=operator, policy=policy, now=now)
    receiver = prove(tools, connection, command.receiver_session, operator=operator, policy=policy, now=now)
    given, taken = witness_of(command.giver_session, giver), witness_of(command.receiver_session, receiver)
    order = find_order_for_line(connection, held.line, command.receiver_session, _ENTRY)
    capacity = Capacity((), None)
    lacking: tuple[Refusal, ...] = ()
    if taken is not None:
        subject = taken.usable.subject
        capacity = judge_capacity(connection, held.line, subject, order, policy=rules, now=now)
        if order is not None:
            lacking = judge_entry(connection, held, order, taken, policy=rules, now=now)
    facts = HolderChangeFacts(
        held=held,
        giver=giver,
        receiver=receiver,
        order=order,
        standing=standing,
        entry=lacking,
        capacity=capacity.refusals,
        form_evidence=command.form_evidence,
        barred=is_barred(connection, held.line.subject, *([taken.usable.subject] if taken else [])),
        port_pending=is_port_pending(connection, command.line_id, now),
    )
    decision = decide_change_of_holder(facts, policy, now=now)
    if isinstance(decision, TransferRefused):
        return decision
    if given is None or taken is None:  # pragma: no cover - the rules refuse without two proofs
        raise LookupError
    receipt = change_holder(
        tools.registrations,
        connection,
        held,
        giver=given,
        receiver=taken,
        capacity=capacity,
        policy=rules,
        rules=_rules(policy, held, capacity),
        now=now,
    )
    if isinstance(receipt, HoldingChanged):
        return receipt
    act = receipt["act"]["number"]
    told = {"act": act, "standing": standing.source.value, "standing_reference": standing.reference}
    emit(connection, Event(HOLDER_CHANGED, command.line_id, operator, now, told))
    return HolderChanged(command.line_id, act, receipt)


def _former(
    tools: TransferTools, connection: Connection, held: HeldLine, command: ChangeHolder
) -> HolderChanged | None:
    """Return the act that these sessions made before."""
    for act in list_acts(connection, held.line):
        if act.kind == _ENTRY.value and act.session_id == command.receiver_session:
            receipt = find_act_receipt(tools.registrations, connection, held.line, act.number)
            if receipt is not None and receipt.get("released_by") == command.giver_session:
                return HolderChanged(command.line_id, act.number, receipt, repeated=True)
    return None


def _rules(policy: Policy, held: HeldLine, capacity: Capacity) -> tuple[tuple[str, str], ...]:
    transfers, cap = policy.transfers, capacity.cap
    counted = [("line_cap", cap.policy.lines_per_holder_max.citation)] if cap else []
    return (
        ("change_of_holder", policy.entries[_ENTRY].allowed.citation),
        ("holders", policy.products[ProductClass(held.line.product_class)].holders.citation),
        ("arrears_settled", transfers.arrears_settled.citation),
        ("cooling_days", transfers.cooling_days.citation),
        *counted,
    )
