"""Reading lines and their registrations, and ending a line."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.registrations.model.lines import (
    Line,
    LineIdentifier,
    LineKind,
    LineStatus,
    stored_identifier,
)
from shiming.registrations.store.cap_counters import free_place, lock_place
from shiming.registrations.store.tables import in_use, lines, numbers_in_use, registrations

_FIRST_ACT = 1


def terminate(connection: Connection, line: Line, *, now: datetime, why: str) -> bool:
    """End a line: its number and its place under the cap are free; False when another one was faster.

    The counter is locked first, as in registering, so that the two never wait for each other in a circle.
    """
    lock_place(connection, line)
    ending = (
        lines.update()
        .where(lines.c.line_id == line.line_id, lines.c.operator == line.operator, in_use)
        .values(status=LineStatus.TERMINATED.value, terminated_at=now, terminated_why=why)
    )
    if connection.execute(ending).rowcount != 1:
        return False
    free_place(connection, line)
    connection.execute(numbers_in_use.delete().where(numbers_in_use.c.line_id == line.line_id, _number(line)))
    return True


def find_latest(connection: Connection, number: LineIdentifier) -> Line | None:
    """Return the line that uses a number now, or the last one that did."""
    query = (
        lines.select()
        .where(lines.c.number == number.reveal("lookup"))
        .order_by(in_use.desc(), lines.c.registered_at.desc(), lines.c.line_id)
        .limit(1)
    )
    return _line(connection.execute(query).first())


def find_line(connection: Connection, line_id: str) -> Line | None:
    """Return a line by its reference."""
    return _line(connection.execute(lines.select().where(lines.c.line_id == line_id)).first())


def find_lines(connection: Connection, line_ids: Sequence[str], operator: str) -> dict[str, Line]:
    """Return those of these lines that are the operator's."""
    query = lines.select().where(lines.c.line_id.in_(line_ids), lines.c.operator == operator)
    return {row.line_id: _from_row(row) for row in connection.execute(query)}


def find_by_session(connection: Connection, session_id: str, operator: str) -> Line | None:
    """Return the line that a session registered at an operator."""
    query = lines.select().where(
        lines.c.session_id == session_id, lines.c.operator == operator, lines.c.position == 1
    )
    return _line(connection.execute(query).first())


def list_by_session(connection: Connection, session_id: str, operator: str) -> tuple[Line, ...]:
    """Return the lines that a session opened at an operator, in their order."""
    query = lines.select().where(lines.c.session_id == session_id, lines.c.operator == operator)
    return tuple(_from_row(row) for row in connection.execute(query.order_by(lines.c.position)))


def list_by_person(
    connection: Connection,
    subject: str,
    *,
    operator: str | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> tuple[Line, ...]:
    """Return what a person holds and held, oldest first, at one operator or at all."""
    query = lines.select().where(lines.c.subject == subject)
    if operator is not None:
        query = query.where(lines.c.operator == operator)
    if after is not None:
        query = query.where(sa.tuple_(lines.c.registered_at, lines.c.line_id) > sa.tuple_(*_bound(after)))
    query = query.order_by(lines.c.registered_at, lines.c.line_id).limit(limit)
    return tuple(_from_row(row) for row in connection.execute(query))


def find_receipt(connection: Connection, line: Line) -> dict[str, Any] | None:
    """Return the unsigned content of the receipt of a line's first registration."""
    query = sa.select(registrations.c.receipt).where(
        registrations.c.line_id == line.line_id,
        registrations.c.act == _FIRST_ACT,
        registrations.c.operator == line.operator,
    )
    text = connection.execute(query).scalar_one_or_none()
    if text is None:
        return None
    content: dict[str, Any] = json.loads(text)
    return content


def _number(line: Line) -> sa.ColumnElement[bool]:
    return numbers_in_use.c.number == line.number.reveal("lookup")


def _bound(after: tuple[datetime, str]) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    at, line_id = after
    return sa.literal(at, lines.c.registered_at.type), sa.literal(line_id)


def _line(row: Row[Any] | None) -> Line | None:
    return None if row is None else _from_row(row)


def _from_row(row: Row[Any]) -> Line:
    return Line(
        line_id=row.line_id,
        number=stored_identifier(row.number),
        kind=LineKind(row.kind),
        cap_name=row.cap_name,
        position=row.position,
        operator=row.operator,
        product_class=row.product_class,
        cap_scope=row.cap_scope,
        subject=row.subject,
        session_id=row.session_id,
        status=LineStatus(row.status),
        registered_at=row.registered_at,
        terminated_at=row.terminated_at,
        terminated_why=row.terminated_why,
    )
