"""Run the clocks of holders: start, remind, stop, end."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.database import transact
from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import HolderKind, Policy, StopActor, StopReason
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.registrations.events.holder_clocks import (
    CLOCK_ENDED,
    CLOCK_REMINDED,
    CLOCK_STARTED,
    CLOCK_STOPPED,
)
from shiming.registrations.model.holder_clocks import (
    ClockKind,
    ClockState,
    ClockStep,
    Deadlines,
    HolderClock,
)
from shiming.registrations.model.lines import Line, LineStatus
from shiming.registrations.model.notice_texts import CLOCK_TEXTS
from shiming.registrations.model.notices import NewNotice
from shiming.registrations.model.stops import StopRefused
from shiming.registrations.permissions.holder_clocks import MayReadHolderClocks
from shiming.registrations.rules.holder_clocks import clocks_of, decide_clock
from shiming.registrations.store import holder_clocks as store
from shiming.registrations.store import representation as proofs
from shiming.registrations.store.lines import find_line
from shiming.registrations.store.orders import find_order
from shiming.registrations.use_cases.notices import queue_notice
from shiming.registrations.use_cases.stops import set_stop
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.permissions import asks, inside

BATCH = 100  # one transaction of bounded length
_OPEN = (ClockState.RUNNING, ClockState.REMINDED)
REASONS = {
    ClockKind.MAJORITY: StopReason.HANDOVER_MISSED,
    ClockKind.DOCUMENT_EXPIRY: StopReason.DOCUMENT_EXPIRED,
}
_AFTER = {
    ClockStep.REMIND: (ClockState.REMINDED, CLOCK_REMINDED),
    ClockStep.STOP: (ClockState.STOPPED, CLOCK_STOPPED),
}


@inside("a job follows each registration")
def start_clocks(
    tools: RegistrationTools, connection: Connection, line: Line, *, policy: Policy, now: datetime
) -> tuple[HolderClock, ...]:
    """Start the clocks of a person's line, by what its holder was proven with. Twice is once."""
    order = find_order(connection, line.session_id)
    if order is not None and order.holder_kind is not HolderKind.PERSON:
        return ()
    due = clocks_of(Deadlines(**proofs.find_deadlines(connection, line.session_id)), policy)
    started = []
    for kind, day in due.items():
        clock = HolderClock(line.line_id, line.operator, kind, line.subject, day)
        if store.start_clock(connection, clock, now):
            started.append(clock)
            _note(tools, connection, clock, CLOCK_STARTED, now)
    return tuple(started)


@inside("jobs follow the end of each line, and each change of holder")
def end_clocks(
    tools: RegistrationTools,
    connection: Connection,
    line_id: str,
    *,
    now: datetime,
    besides: str | None = None,
) -> None:
    """End what still runs for a line: all of it, or all but that of one holder, who has it now."""
    for clock in store.clocks_of_line(connection, line_id):
        if clock.is_open and clock.subject != besides:
            save_clock(tools, connection, replace(clock, state=ClockState.ENDED), CLOCK_ENDED, now)


@inside("a schedule of the worker runs it")
def run_clocks(
    tools: RegistrationTools, engine: Engine, *, policy: Policy, now: datetime, today: date
) -> int:
    """Remind and stop what is due, a batch; return how many clocks moved: again until 0."""
    return transact(engine, lambda connection: _run(tools, connection, policy=policy, now=now, today=today))


@asks(MayReadHolderClocks)
def list_clocks(
    connection: Connection,
    *,
    operator: str | None,
    due_until: date | None = None,
    after: tuple[str, str] | None = None,
    limit: int,
) -> tuple[HolderClock, ...]:
    """Return open clocks, of those due until a day."""
    return store.list_clocks(connection, operator=operator, due_until=due_until, after=after, limit=limit)


def _run(
    tools: RegistrationTools, connection: Connection, *, policy: Policy, now: datetime, today: date
) -> int:
    moved = 0
    for clock in _due(connection, policy, today):
        step = decide_clock(clock, policy, today=today)
        if step is ClockStep.WAIT:
            continue
        _take_step(tools, connection, clock, step, policy=policy, now=now)
        moved += 1
    return moved


def _due(connection: Connection, policy: Policy, today: date) -> Iterable[HolderClock]:
    """Return what a step is due of: the latest days of `due_on` follow from the policy of today."""
    of_age, expiry = policy.handover, policy.document_expiry
    spans = (
        (ClockKind.MAJORITY, (ClockState.RUNNING,), of_age.reminder_days.value),
        (ClockKind.MAJORITY, _OPEN, -of_age.grace_days.value),
        (ClockKind.DOCUMENT_EXPIRY, (ClockState.RUNNING,), expiry.reminder_days.value),
        (ClockKind.DOCUMENT_EXPIRY, _OPEN, -expiry.grace_days.value - 1),
    )
    found: dict[tuple[str, ClockKind], HolderClock] = {}
    for kind, states, days in spans:
        for clock in store.take_due(connection, kind, states, today + timedelta(days=days), BATCH):
            found[clock.line_id, clock.kind] = clock
    return found.values()


def _take_step(
    tools: RegistrationTools,
    connection: Connection,
    clock: HolderClock,
    step: ClockStep,
    *,
    policy: Policy,
    now: datetime,
) -> None:
    line = find_line(connection, clock.line_id)
    if line is None or line.status is LineStatus.TERMINATED:
        save_clock(tools, connection, replace(clock, state=ClockState.ENDED), CLOCK_ENDED, now)
        return
    if step is ClockStep.STOP:
        stopped = set_stop(
            tools,
            connection,
            clock.line_id,
            reason=REASONS[clock.kind],
            actor=StopActor.SYSTEM,
            reference=stop_reference(clock),
            now=now,
            policy=policy,
        )
        if isinstance(stopped, StopRefused):
            message = f"the pack does not let a clock stop a line for {REASONS[clock.kind]}"
            raise LookupError(message)
    words = CLOCK_TEXTS[clock.kind, step]
    notice = NewNotice(
        operator=clock.operator,
        line_id=clock.line_id,
        subject=clock.subject,
        template=words.template,
        text=words.text,
        dedupe_key=f"{words.template}:{clock.line_id}:{clock.due_on.isoformat()}",
        about=clock.line_id,
    )
    queue_notice(tools.privacy, connection, notice, now=now)
    state, event = _AFTER[step]
    save_clock(tools, connection, replace(clock, state=state), event, now)


@inside("shared by the clocks and by what ends them")
def stop_reference(clock: HolderClock) -> str:
    """Return what the stop that a clock sets refers to."""
    return f"{clock.kind.value}:{clock.line_id}"


@inside("shared by the clocks and by what ends them")
def save_clock(
    tools: RegistrationTools, connection: Connection, clock: HolderClock, event: str, now: datetime
) -> None:
    """Write a clock as it is now, with its leaf and event."""
    store.save_clock(connection, clock, now)
    _note(tools, connection, clock, event, now)


def _note(
    tools: RegistrationTools, connection: Connection, clock: HolderClock, event: str, now: datetime
) -> None:
    """Write leaf and event; the day itself stays out: that of majority tells a birthday."""
    facts: dict[str, Fact] = {"line": clock.line_id, "clock": clock.kind.value, "state": clock.state.value}
    record(connection, tools.privacy.keys, kind=event, facts=facts, now=now, operator=clock.operator)
    emit(connection, Event(event, clock.line_id, clock.operator, now, facts))
