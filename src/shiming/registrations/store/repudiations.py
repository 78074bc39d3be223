"""The table of repudiated lines: one dispute a line."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema
from shiming.registrations.model.repudiation import Means, Repudiation, RepudiationState

repudiations = sa.Table(
    "repudiations",
    schema,
    sa.Column("repudiation_id", sa.String(40), primary_key=True),
    sa.Column("line_id", sa.String(40), nullable=False, unique=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("subject", sa.String(80), nullable=False),
    sa.Column("means", sa.String(10), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("stated_at", UtcInstant, nullable=False),
    sa.Column("decided_at", UtcInstant),
    sa.Column("decided_by", sa.String(80)),
    sa.Index("ix_repudiations_operator", "operator", "repudiation_id"),
)


def add_repudiation(connection: Connection, new: Repudiation) -> bool:
    """Write a dispute; False when the line has one."""
    statement = insert_into(connection, repudiations).values(
        repudiation_id=new.repudiation_id,
        line_id=new.line_id,
        operator=new.operator,
        subject=new.subject,
        means=new.means.value,
        state=new.state.value,
        stated_at=new.stated_at,
    )
    added = statement.on_conflict_do_nothing().returning(repudiations.c.repudiation_id)
    return connection.execute(added).first() is not None


def find_of_line(connection: Connection, line_id: str) -> Repudiation | None:
    """Return the dispute about a line."""
    return _one(connection, repudiations.c.line_id == line_id)


def find_repudiation(
    connection: Connection, repudiation_id: str, *, for_update: bool = False
) -> Repudiation | None:
    """Return a dispute; `for_update` holds it until the transaction ends."""
    return _one(connection, repudiations.c.repudiation_id == repudiation_id, for_update=for_update)


def decide(
    connection: Connection, repudiation_id: str, state: RepudiationState, *, by: str, now: datetime
) -> None:
    """Write how a dispute was decided."""
    connection.execute(
        repudiations.update()
        .where(repudiations.c.repudiation_id == repudiation_id)
        .values(state=state.value, decided_at=now, decided_by=by)
    )


def list_repudiations(
    connection: Connection, *, operator: str | None, open_only: bool, after: str = "", limit: int
) -> tuple[Repudiation, ...]:
    """Return disputes in the order of their references."""
    query = (
        repudiations.select()
        .where(repudiations.c.repudiation_id > after)
        .order_by(repudiations.c.repudiation_id)
        .limit(limit)
    )
    if operator is not None:
        query = query.where(repudiations.c.operator == operator)
    if open_only:
        query = query.where(repudiations.c.state == RepudiationState.OPEN.value)
    return tuple(_repudiation(row) for row in connection.execute(query))


def _one(
    connection: Connection, condition: sa.ColumnElement[bool], *, for_update: bool = False
) -> Repudiation | None:
    query = repudiations.select().where(condition)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    return None if row is None else _repudiation(row)


def _repudiation(row: Row[Any]) -> Repudiation:
    return Repudiation(
        repudiation_id=row.repudiation_id,
        line_id=row.line_id,
        operator=row.operator,
        subject=row.subject,
        means=Means(row.means),
        state=RepudiationState(row.state),
        stated_at=row.stated_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
    )
