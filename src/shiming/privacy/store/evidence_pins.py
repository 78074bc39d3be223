"""Cases whose evidence outlives its retention, because a dispute about them is open."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema

evidence_pins = sa.Table(
    "evidence_pins",
    schema,
    sa.Column("case_reference", sa.String(64), primary_key=True),
    sa.Column("pinned_for", sa.String(64), primary_key=True),  # reference of the dispute
    sa.Column("pinned_at", UtcInstant, nullable=False),
    sa.Index("ix_evidence_pins_for", "pinned_for"),
)


def pin(connection: Connection, case_reference: str, pinned_for: str, now: datetime) -> None:
    """Pin a case; twice is once."""
    values = {"case_reference": case_reference, "pinned_for": pinned_for, "pinned_at": now}
    connection.execute(insert_into(connection, evidence_pins).values(**values).on_conflict_do_nothing())


def unpin(connection: Connection, pinned_for: str) -> int:
    """Take all pins of a dispute off; return how many."""
    return connection.execute(evidence_pins.delete().where(evidence_pins.c.pinned_for == pinned_for)).rowcount
