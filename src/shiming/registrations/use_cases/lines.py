"""See lines and their receipts, and end a line."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from shiming.infrastructure.outbox import Event, emit
from shiming.privacy.model import RetentionEvents
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.privacy.use_cases.vault import start_retention_clocks
from shiming.registrations.events.registration import LINE_TERMINATED
from shiming.registrations.model.lines import Line, LineStatus
from shiming.registrations.model.numbers import NumberHold, NumberState
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.permissions.registration import (
    MayListByPerson,
    MayReadReceipt,
    MayReadRegistration,
    MayRegisterLine,
)
from shiming.registrations.store import lines as store
from shiming.registrations.use_cases.after_use import settle_ended_line
from shiming.registrations.use_cases.registering import issue_receipt
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.permissions import asks, inside


@asks(MayRegisterLine)
def terminate_line(
    tools: RegistrationTools,
    connection: Connection,
    line_id: str,
    *,
    why: str,
    policy: RegistrationPolicy,
    now: datetime,
) -> Line | None:
    """End a line: the number rests, the cap slot is free, the retention clocks start. Twice is once."""
    return end_line(tools, connection, line_id, why=why, policy=policy, now=now)


@inside("shared by the ways in which a line ends")
def end_line(
    tools: RegistrationTools,
    connection: Connection,
    line_id: str,
    *,
    why: str,
    policy: RegistrationPolicy,
    now: datetime,
    number_after: NumberHold | None = None,
) -> Line | None:
    """End a line; without `number_after` its number rests for the days of the pack. Twice is once."""
    line = store.find_line(connection, line_id)
    if line is None or line.status is LineStatus.TERMINATED:
        return line
    if not store.terminate(connection, line, now=now, why=why):
        return store.find_line(connection, line_id)
    after = number_after or _at_rest(line, policy, now)
    settle_ended_line(connection, line, number_after=after, why=why, now=now)
    start_retention_clocks(
        connection,
        case_reference=line.session_id,
        retention=policy.retention,
        events=RetentionEvents(service_ended_at=now),
    )
    facts: dict[str, Fact] = {"line": line_id, "operator": line.operator, "subject": line.subject, "why": why}
    record(
        connection,
        tools.privacy.keys,
        kind=LINE_TERMINATED,
        facts=facts,
        now=now,
        operator=line.operator,
    )
    emit(connection, Event(LINE_TERMINATED, line_id, line.operator, now, {"why": why}))
    return store.find_line(connection, line_id)


@asks(MayReadRegistration)
def show_line(connection: Connection, number: Msisdn) -> Line | None:
    """Return the line that uses a number, or the last one that did."""
    return store.find_latest(connection, number)


@asks(MayReadRegistration)
def find_line(connection: Connection, line_id: str) -> Line | None:
    """Return a line by its reference."""
    return store.find_line(connection, line_id)


@asks(MayReadReceipt)
def find_receipt(
    tools: RegistrationTools, connection: Connection, line_id: str
) -> tuple[Line, Mapping[str, Any]] | None:
    """Return a line and the signed receipt of its registration."""
    line = store.find_line(connection, line_id)
    return None if line is None else (line, issue_receipt(tools, connection, line))


@asks(MayListByPerson)
def list_by_person(
    connection: Connection,
    subject: str,
    *,
    operator: str | None,
    after: tuple[datetime, str] | None = None,
    limit: int,
) -> tuple[Line, ...]:
    """Return what a person holds and held, oldest first, at one operator or at all of them."""
    return store.list_by_person(connection, subject, operator=operator, after=after, limit=limit)


def _at_rest(line: Line, policy: RegistrationPolicy, now: datetime) -> NumberHold:
    days = policy.rules.numbering.quarantine_days.value if policy.rules else 0
    return NumberHold(NumberState.QUARANTINE, line.operator, None, now + timedelta(days=days))
