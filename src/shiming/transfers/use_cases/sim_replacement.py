"""Give a line a new SIM, after its holder was proven anew; SMS stays barred for some hours."""

from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.jurisdictions.model import EntryKind, Policy, StopActor, StopReason
from shiming.registrations.model.holding import ActKind, HeldLine, HoldingChanged
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.notices import NewNotice
from shiming.registrations.model.sims import SimRefused
from shiming.registrations.use_cases.handing_over import record_act
from shiming.registrations.use_cases.holding import (
    find_act_receipt,
    find_order_for_line,
    judge_entry,
    list_acts,
)
from shiming.registrations.use_cases.lines import list_by_person
from shiming.registrations.use_cases.notices import queue_notice
from shiming.registrations.use_cases.provisioning import request_profile
from shiming.registrations.use_cases.sims import replace_sim
from shiming.registrations.use_cases.stops import lift_stop
from shiming.transfers.errors.sim_replacement import SimReplacementRefusal
from shiming.transfers.model.notice_texts import SIM_WAS_REPLACED
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.model.sim_replacement import SimReplaced, SimReplacementFacts
from shiming.transfers.permissions.transfers import MayTransfer
from shiming.transfers.rules.sim_replacement import decide_sim_replacement, sms_barred_until
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
from shiming.vocabulary.sim_identifiers import Iccid

_ENTRY = EntryKind.SIM_REPLACEMENT
#: The name of this bar at the network, so that it and others do not undo each other.
BAR_SOURCE = "sim_replacement"
_LOOKED_AT_MAX = 20  # of the holder's lines


@asks(MayTransfer)
def replace_sim_of_line(
    tools: TransferTools,
    connection: Connection,
    line_id: str,
    session_id: str,
    *,
    policy: Policy,
    now: datetime,
) -> SimReplaced | TransferRefused:
    """Put the card of the session's order into the line, or say every reason why not. Twice is once.

    The card before is retired, SMS is barred for the hours of the pack, a stop for a lost SIM is lifted, the
    day of the change is kept, and the holder is told - on the line itself, so that a thief cannot hide it.
    """
    held = get_held(connection, line_id)
    for act in list_acts(connection, held.line):
        if act.kind == ActKind.SIM_REPLACEMENT.value and act.session_id == session_id:
            receipt = find_act_receipt(tools.registrations, connection, held.line, act.number) or {}
            until = sms_barred_until(policy.transfers, act.at)
            return SimReplaced(line_id, act.number, act.at, until, receipt)

    def look() -> SimReplaced | TransferRefused | HoldingChanged:
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
) -> SimReplaced | TransferRefused | HoldingChanged:
    held, rules, entry = get_held(connection, line_id), tools.registration(policy), policy.entries[_ENTRY]
    proof = prove(tools, connection, session_id, operator=held.line.operator, policy=policy, now=now)
    witness = witness_of(session_id, proof)
    order = find_order_for_line(connection, held.line, session_id, _ENTRY)
    lacking: tuple[Refusal, ...] = ()
    if witness is not None and order is not None:
        lacking = judge_entry(connection, held, order, witness, policy=rules, now=now)
    facts = SimReplacementFacts(
        held=held,
        holder=proof,
        order=order,
        entry=lacking,
        handler_of_holder=acts_for_holder(tools, connection, held, proof, now),
        port_pending=is_port_pending(connection, line_id, now),
    )
    decision = decide_sim_replacement(facts, policy)
    if isinstance(decision, TransferRefused):
        return decision
    if witness is None or order is None or order.iccid is None:  # a pack that asks for no SIM
        return TransferRefused((Refusal(SimReplacementRefusal.NEW_SIM_MISSING, entry.allowed.citation),))
    named = (("sim_replacement", entry.allowed.citation),)
    receipt = record_act(
        tools.registrations,
        connection,
        held,
        ActKind.SIM_REPLACEMENT,
        witness=witness,
        policy=rules,
        rules=named,
        now=now,
    )
    if isinstance(receipt, HoldingChanged):
        return receipt
    swapped = replace_sim(
        tools.registrations,
        connection,
        line_id,
        Iccid.parse(order.iccid),
        now=now,
        policy=policy,
        session_id=session_id,
    )
    if isinstance(swapped, SimRefused):
        return TransferRefused(swapped.refusals)
    until = _bar_and_tell(tools, connection, held, act=receipt["act"]["number"], policy=policy, now=now)
    return SimReplaced(line_id, receipt["act"]["number"], now, until, receipt)


def _bar_and_tell(
    tools: TransferTools, connection: Connection, held: HeldLine, *, act: int, policy: Policy, now: datetime
) -> datetime | None:
    """Bar SMS for a while, lift a stop for a lost SIM, tell the holder; return until when SMS is barred."""
    line_id = held.line.line_id
    until = sms_barred_until(policy.transfers, now)
    if until is not None:
        request_profile(connection, line_id, {"sms": False}, until=until, now=now, source=BAR_SOURCE)
    if StopReason.LOST_SIM in held.stops:
        lift_stop(
            tools.registrations,
            connection,
            line_id,
            reason=StopReason.LOST_SIM,
            actor=StopActor.CLERK,
            now=now,
            policy=policy,
        )
    notice = NewNotice(
        operator=held.line.operator,
        line_id=_where_to_tell(connection, held),
        subject=held.line.subject,
        template=SIM_WAS_REPLACED.template,
        text=SIM_WAS_REPLACED.text,
        dedupe_key=f"sim-replaced:{line_id}:{act}",
        about=line_id,
    )
    queue_notice(tools.registrations.privacy, connection, notice, now=now)
    return until


def _where_to_tell(connection: Connection, held: HeldLine) -> str:
    """Return another line of the holder, if there is one: whoever took this one reads its messages."""
    subject, operator = held.line.subject, held.line.operator
    for line in list_by_person(connection, subject, operator=operator, limit=_LOOKED_AT_MAX):
        if line.line_id != held.line.line_id and line.status is LineStatus.ACTIVE and line.kind.has_sim:
            return line.line_id
    return held.line.line_id
