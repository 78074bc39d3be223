"""Stops of lines, and the change of a line's status that follows from them.

Whoever changes stops locks the line first (`lock_line`), so two never work on the same line at once; the
index lets one reference stop a line once for each reason.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.tables import UtcInstant, partitioned
from shiming.jurisdictions.model import StopActor, StopLevel, StopReason
from shiming.registrations.model.lines import Line, LineStatus
from shiming.registrations.model.stops import LineStop
from shiming.registrations.store.lines import find_line
from shiming.registrations.store.tables import lines

line_stops = partitioned(
    "line_stops",
    sa.Column("stop_id", sa.String(40), primary_key=True),
    sa.Column("operator", sa.String(40), primary_key=True),
    sa.Column("line_id", sa.String(40), nullable=False),
    sa.Column("reason", sa.String(40), nullable=False),
    sa.Column("level", sa.String(20), nullable=False),  # of the policy in force when it was set
    sa.Column("reference", sa.String(64), nullable=False),
    sa.Column("set_at", UtcInstant, nullable=False),
    sa.Column("set_by", sa.String(20), nullable=False),  # StopActor
    sa.Column("set_account", sa.String(64)),
    sa.Column("lifted_at", UtcInstant),
    sa.Column("lifted_by", sa.String(20)),
    sa.Column("lifted_account", sa.String(64)),
    sa.Index("ix_line_stops_line", "line_id", "set_at", "stop_id"),
)
_open = line_stops.c.lifted_at.is_(None)
sa.Index(
    "ux_line_stops_open",
    line_stops.c.line_id,
    line_stops.c.reason,
    line_stops.c.reference,
    line_stops.c.operator,
    unique=True,
    sqlite_where=_open,
    postgresql_where=_open,
)


def lock_line(connection: Connection, line_id: str) -> Line | None:
    """Return a line as it stands, and keep others from changing it until the transaction ends."""
    held = sa.select(lines.c.line_id).where(lines.c.line_id == line_id).with_for_update()
    if connection.execute(held).first() is None:
        return None
    return find_line(connection, line_id)


def stops_of(connection: Connection, line: Line) -> tuple[LineStop, ...]:
    """Return every stop that a line has or had, oldest first."""
    query = (
        line_stops.select()
        .where(line_stops.c.line_id == line.line_id, line_stops.c.operator == line.operator)
        .order_by(line_stops.c.set_at, line_stops.c.stop_id)
    )
    return tuple(_stop(row) for row in connection.execute(query))


def add_stop(connection: Connection, stop: LineStop) -> None:
    """Write a new stop."""
    connection.execute(
        line_stops.insert().values(
            stop_id=stop.stop_id,
            operator=stop.operator,
            line_id=stop.line_id,
            reason=stop.reason.value,
            level=stop.level.value,
            reference=stop.reference,
            set_at=stop.set_at,
            set_by=stop.set_by.value,
            set_account=stop.set_account,
        )
    )


def lift(
    connection: Connection, stop: LineStop, *, at: datetime, by: StopActor, account: str | None = None
) -> None:
    """End a stop that is open."""
    connection.execute(
        line_stops.update()
        .where(line_stops.c.stop_id == stop.stop_id, line_stops.c.operator == stop.operator, _open)
        .values(lifted_at=at, lifted_by=by.value, lifted_account=account)
    )


def end_all(connection: Connection, line: Line, *, at: datetime) -> None:
    """End what stops a line, because the line ends."""
    connection.execute(
        line_stops.update()
        .where(line_stops.c.line_id == line.line_id, line_stops.c.operator == line.operator, _open)
        .values(lifted_at=at, lifted_by=StopActor.SYSTEM.value)
    )


def change_status(connection: Connection, line: Line, to: LineStatus) -> bool:
    """Change the status of a line if it still is what was seen; False when another one was faster."""
    statement = (
        lines.update()
        .where(
            lines.c.line_id == line.line_id,
            lines.c.operator == line.operator,
            lines.c.status == line.status.value,
        )
        .values(status=to.value)
    )
    return connection.execute(statement).rowcount == 1


def _stop(row: Row[Any]) -> LineStop:
    return LineStop(
        stop_id=row.stop_id,
        line_id=row.line_id,
        operator=row.operator,
        reason=StopReason(row.reason),
        level=StopLevel(row.level),
        reference=row.reference,
        set_at=row.set_at,
        set_by=StopActor(row.set_by),
        set_account=row.set_account,
        lifted_at=row.lifted_at,
        lifted_by=StopActor(row.lifted_by) if row.lifted_by else None,
        lifted_account=row.lifted_account,
    )
