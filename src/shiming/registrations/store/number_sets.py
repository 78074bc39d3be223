"""The table of numbers that lines may show, and the questions about it."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.tables import UtcInstant, schema
from shiming.registrations.model.lines import LineIdentifier
from shiming.registrations.model.number_sets import AuthorisedNumber
from shiming.registrations.store.tables import in_use, lines

number_sets = sa.Table(
    "number_sets",
    schema,
    sa.Column("entry_id", sa.String(40), primary_key=True),
    sa.Column("line_id", sa.String(40), nullable=False),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("number", sa.String(64), nullable=False),
    sa.Column("valid_from", UtcInstant, nullable=False),
    sa.Column("valid_until", UtcInstant),
    sa.Column("own", sa.Boolean, nullable=False),
    sa.Column("authorised_by", sa.String(64)),
    sa.Column("added_at", UtcInstant, nullable=False),
    sa.Column("withdrawn_at", UtcInstant),
    #: All that a call asks stands in the index: no row is read for those that do not hold.
    sa.Index("ix_number_sets_line", "line_id", "valid_until", "valid_from", "number"),
    sa.CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="validity_in_order"),
)
_EVIDENCE = sa.text(
    "SELECT 1 FROM evidence WHERE evidence_id = :evidence AND case_reference = :case AND erased_at IS NULL"
)


def add_entry(connection: Connection, entry: AuthorisedNumber) -> None:
    """Write that a line may show a number."""
    names = (column.name for column in number_sets.c)
    connection.execute(number_sets.insert().values({name: getattr(entry, name) for name in names}))


def entries_of(
    connection: Connection, line_id: str, *, after: str | None = None, limit: int
) -> tuple[AuthorisedNumber, ...]:
    """Return everything that is and was in the set of a line, in the order of references."""
    query = number_sets.select().where(number_sets.c.line_id == line_id)
    if after is not None:
        query = query.where(number_sets.c.entry_id > after)
    found = connection.execute(query.order_by(number_sets.c.entry_id).limit(limit))
    return tuple(_entry(row) for row in found)


def entries_of_number(connection: Connection, line_id: str, number: str) -> tuple[AuthorisedNumber, ...]:
    """Return the periods of one number, held until the transaction ends."""
    query = number_sets.select().where(number_sets.c.line_id == line_id, number_sets.c.number == number)
    found = connection.execute(query.order_by(number_sets.c.entry_id).with_for_update())
    return tuple(_entry(row) for row in found)


def entries_from(connection: Connection, line_id: str, at: datetime) -> tuple[AuthorisedNumber, ...]:
    """Return what holds at an instant or later, if the line is not ended."""
    query = (
        number_sets.select()
        .join(
            lines, (lines.c.line_id == number_sets.c.line_id) & (lines.c.operator == number_sets.c.operator)
        )
        .where(
            number_sets.c.line_id == line_id,
            sa.or_(number_sets.c.valid_until.is_(None), number_sets.c.valid_until > at),
            in_use,
        )
    )
    return tuple(_entry(row) for row in connection.execute(query))


def end_entry(connection: Connection, entry: AuthorisedNumber, *, until: datetime, at: datetime) -> None:
    """Let a number be shown no longer than until an instant."""
    where = number_sets.c.entry_id == entry.entry_id
    connection.execute(number_sets.update().where(where).values(valid_until=until, withdrawn_at=at))


def is_own(connection: Connection, number: LineIdentifier, organisation: str) -> bool:
    """Whether a number is in use and registered to an organisation, at whichever operator."""
    query = sa.select(lines.c.line_id).where(
        lines.c.number == number.reveal("lookup"), lines.c.subject == organisation, in_use
    )
    return connection.execute(query).first() is not None


def is_evidence_of(connection: Connection, evidence: str, case: str) -> bool:
    """Whether a piece of evidence is kept in a case and not erased."""
    return connection.execute(_EVIDENCE, {"evidence": evidence, "case": case}).first() is not None


def lock_line(connection: Connection, line_id: str, operator: str) -> None:
    """Hold a line, so that two changes of its set take turns."""
    query = sa.select(lines.c.line_id).where(lines.c.line_id == line_id, lines.c.operator == operator)
    connection.execute(query.with_for_update())


def _entry(row: Row[Any]) -> AuthorisedNumber:
    names = (column.name for column in number_sets.c)
    return AuthorisedNumber(**{name: getattr(row, name) for name in names})
