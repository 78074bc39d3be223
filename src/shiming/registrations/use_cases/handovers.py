"""Put a line on a new proof of its holder: grown up, or with a new document."""

from dataclasses import replace
from datetime import date, datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import Policy, StopActor
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.privacy.use_cases.vault import attach_line
from shiming.registrations.errors.holder_clocks import HandoverRefusal
from shiming.registrations.events.holder_clocks import CLOCK_ENDED, CLOCK_STARTED, HANDOVER_COMPLETED
from shiming.registrations.model.holder_clocks import (
    ClockState,
    Deadlines,
    HandoverCompleted,
    HandoverFacts,
    HandoverRefused,
    HolderClock,
)
from shiming.registrations.model.lines import Line, LineStatus
from shiming.registrations.permissions.holder_clocks import MayCompleteHandover
from shiming.registrations.rules.holder_clocks import decide_handover_completion
from shiming.registrations.store import holder_clocks as store
from shiming.registrations.store import representation as proofs
from shiming.registrations.store.lines import find_line
from shiming.registrations.use_cases.holder_clocks import REASONS, save_clock, stop_reference
from shiming.registrations.use_cases.representation import is_identity_recorded
from shiming.registrations.use_cases.stops import lift_stop
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import asks
from shiming.vocabulary.refusals import Refusal

_FACT_LENGTH_MAX = 200  # of the ledger


@asks(MayCompleteHandover)
def complete_handover(
    tools: RegistrationTools,
    connection: Connection,
    line_id: str,
    session_id: str,
    *,
    policy: Policy,
    now: datetime,
    today: date,
) -> HandoverCompleted | HandoverRefused:
    """Put a line on a new proof of its holder: its causes end, and so do the stops that they set.

    Raises BadInput for a line that is not there. The same session again answers the same.
    """
    line = find_line(connection, line_id)
    if line is None:
        raise BadInput(
            "LINE_UNKNOWN",
            Text(zh="没有这条登记。", en="There is no such line."),
            Text(zh="请核对编号。", en="Compare the reference."),
        )
    clocks = store.clocks_of_line(connection, line_id)
    if session_id in store.proofs_of(connection, line_id):
        return HandoverCompleted(line_id, clocks, repeated=True)
    facts = _handover_facts(connection, line, session_id, clocks)
    decision = decide_handover_completion(facts, policy, now=now, today=today, sandbox=tools.sandbox)
    if isinstance(decision, HandoverRefused):
        _note_refused(tools, connection, line, session_id, decision, now=now)
        return decision
    if not proofs.use_session(connection, session_id, line_id):
        citation = policy.time_limits.session_minutes.citation
        return HandoverRefused((Refusal(HandoverRefusal.HANDOVER_SESSION_USED, citation),))
    store.add_proof(connection, session_id, line_id, line.operator, now)
    attach_line(connection, case_reference=session_id, line_id=line_id)
    _lift(tools, connection, [*decision.ended, *decision.renewed], clocks, policy=policy, now=now)
    for clock in decision.ended:
        save_clock(tools, connection, replace(clock, state=ClockState.ENDED), CLOCK_ENDED, now)
    for clock in decision.renewed:
        save_clock(tools, connection, clock, CLOCK_STARTED, now)
    _note_completed(tools, connection, line, session_id, now)
    return HandoverCompleted(line_id, store.clocks_of_line(connection, line_id))


def _handover_facts(
    connection: Connection, line: Line, session_id: str, clocks: tuple[HolderClock, ...]
) -> HandoverFacts:
    found = proofs.find_proof(connection, session_id)
    session = found[0] if found else None
    subject = session.subject if session else None
    return HandoverFacts(
        operator=line.operator,
        line_id=line.line_id,
        holder=line.subject,
        line_ended=line.status is LineStatus.TERMINATED,
        clocks=clocks,
        session=session,
        deadlines=Deadlines(**proofs.find_deadlines(connection, session_id)),
        identity_recorded=is_identity_recorded(connection, session_id, subject),
    )


def _lift(
    tools: RegistrationTools,
    connection: Connection,
    resolved: list[HolderClock],
    before: tuple[HolderClock, ...],
    *,
    policy: Policy,
    now: datetime,
) -> None:
    stopped = {clock.kind for clock in before if clock.state is ClockState.STOPPED}
    for clock in resolved:
        if clock.kind in stopped:
            lift_stop(
                tools,
                connection,
                clock.line_id,
                reason=REASONS[clock.kind],
                actor=StopActor.SYSTEM,
                reference=stop_reference(clock),
                now=now,
                policy=policy,
            )


def _note_completed(
    tools: RegistrationTools, connection: Connection, line: Line, session_id: str, now: datetime
) -> None:
    facts: dict[str, Fact] = {"line": line.line_id, "session": session_id}
    keys, operator = tools.privacy.keys, line.operator
    record(connection, keys, kind=HANDOVER_COMPLETED, facts=facts, now=now, operator=operator)
    emit(connection, Event(HANDOVER_COMPLETED, line.line_id, operator, now, facts))


def _note_refused(
    tools: RegistrationTools,
    connection: Connection,
    line: Line,
    session_id: str,
    refused: HandoverRefused,
    *,
    now: datetime,
) -> None:
    codes = ",".join(refusal.code.value for refusal in refused.refusals)
    facts: dict[str, Fact] = {"line": line.line_id, "session": session_id, "codes": codes[:_FACT_LENGTH_MAX]}
    kind = "line.handover_refused"
    record(connection, tools.privacy.keys, kind=kind, facts=facts, now=now, operator=line.operator)
