"""Which receipts were given out, by their hashes: a ledger leaf is written once for each."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema
from shiming.registrations.model.lines import Line

receipts_issued = sa.Table(
    "receipts_issued",
    schema,
    sa.Column("line_id", sa.String(40), primary_key=True),
    sa.Column("form", sa.String(20), primary_key=True),
    sa.Column("content_hash", sa.String(80), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("issued_at", UtcInstant, nullable=False),
)


def note_issued(connection: Connection, line: Line, form: str, content_hash: str, *, now: datetime) -> bool:
    """Note that a receipt was given out; False when the same one was so before."""
    row = {
        "line_id": line.line_id,
        "form": form,
        "content_hash": content_hash,
        "operator": line.operator,
        "issued_at": now,
    }
    statement = insert_into(connection, receipts_issued).values(**row).on_conflict_do_nothing()
    written = connection.execute(statement.returning(receipts_issued.c.line_id))
    return written.one_or_none() is not None
