"""The tables of holders' clocks, and of the later proofs of a line."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema
from shiming.registrations.model.holder_clocks import ClockKind, ClockState, HolderClock

holder_clocks = sa.Table(
    "holder_clocks",
    schema,
    sa.Column("line_id", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(20), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("subject", sa.String(80), nullable=False),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("changed_at", UtcInstant, nullable=False),
    sa.Index("ix_holder_clocks_due", "kind", "state", "due_on", "line_id"),
)
later_proofs = sa.Table(
    "later_proofs",
    schema,
    sa.Column("session_id", sa.String(64), primary_key=True),
    sa.Column("line_id", sa.String(40), nullable=False, index=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("taken_at", UtcInstant, nullable=False),
)


def start_clock(connection: Connection, clock: HolderClock, now: datetime) -> bool:
    """Write a clock that is not there yet; False when it is. One that ended for another holder gives way."""
    values = _values(clock, now)
    statement = insert_into(connection, holder_clocks).values(**values)
    given_way = (holder_clocks.c.state == ClockState.ENDED.value) & (holder_clocks.c.subject != clock.subject)
    added = statement.on_conflict_do_update(
        index_elements=["line_id", "kind"], set_=values, where=given_way
    ).returning(holder_clocks.c.line_id)
    return connection.execute(added).first() is not None


def save_clock(connection: Connection, clock: HolderClock, now: datetime) -> None:
    """Write a clock as it is now."""
    values = _values(clock, now)
    statement = insert_into(connection, holder_clocks).values(**values)
    connection.execute(statement.on_conflict_do_update(index_elements=["line_id", "kind"], set_=values))


def clocks_of_line(connection: Connection, line_id: str) -> tuple[HolderClock, ...]:
    """Return all clocks of a line and hold them until the transaction ends."""
    query = holder_clocks.select().where(holder_clocks.c.line_id == line_id).order_by(holder_clocks.c.kind)
    return tuple(_clock(row) for row in connection.execute(query.with_for_update()))


def take_due(
    connection: Connection, kind: ClockKind, states: Iterable[ClockState], due_until: date, limit: int
) -> tuple[HolderClock, ...]:
    """Return clocks that are due by a day and hold them; another worker takes others."""
    query = (
        holder_clocks.select()
        .where(
            holder_clocks.c.kind == kind.value,
            holder_clocks.c.state.in_([state.value for state in states]),
            holder_clocks.c.due_on <= due_until,
        )
        .order_by(holder_clocks.c.due_on, holder_clocks.c.line_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return tuple(_clock(row) for row in connection.execute(query))


def list_clocks(
    connection: Connection,
    *,
    operator: str | None,
    due_until: date | None,
    after: tuple[str, str] | None = None,
    limit: int,
) -> tuple[HolderClock, ...]:
    """Return open clocks in the order of line and kind."""
    query = (
        holder_clocks.select()
        .where(holder_clocks.c.state != ClockState.ENDED.value)
        .order_by(holder_clocks.c.line_id, holder_clocks.c.kind)
        .limit(limit)
    )
    if operator is not None:
        query = query.where(holder_clocks.c.operator == operator)
    if due_until is not None:
        query = query.where(holder_clocks.c.due_on <= due_until)
    if after is not None:
        bound = sa.tuple_(*(sa.literal(part) for part in after))
        query = query.where(sa.tuple_(holder_clocks.c.line_id, holder_clocks.c.kind) > bound)
    return tuple(_clock(row) for row in connection.execute(query))


def add_proof(connection: Connection, session_id: str, line_id: str, operator: str, now: datetime) -> None:
    """Note that a line rests on a later proof too."""
    values = {"session_id": session_id, "line_id": line_id, "operator": operator, "taken_at": now}
    connection.execute(insert_into(connection, later_proofs).values(**values).on_conflict_do_nothing())


def proofs_of(connection: Connection, line_id: str) -> tuple[str, ...]:
    """Return the sessions of a line's later proofs."""
    query = sa.select(later_proofs.c.session_id).where(later_proofs.c.line_id == line_id)
    return tuple(connection.execute(query).scalars())


def _values(clock: HolderClock, now: datetime) -> dict[str, Any]:
    return {
        "line_id": clock.line_id,
        "kind": clock.kind.value,
        "operator": clock.operator,
        "subject": clock.subject,
        "due_on": clock.due_on,
        "state": clock.state.value,
        "changed_at": now,
    }


def _clock(row: Row[Any]) -> HolderClock:
    return HolderClock(
        line_id=row.line_id,
        operator=row.operator,
        kind=ClockKind(row.kind),
        subject=row.subject,
        due_on=row.due_on,
        state=ClockState(row.state),
        changed_at=row.changed_at,
    )
