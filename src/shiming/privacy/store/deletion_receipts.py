"""Table of the deletion receipts, and all its SQL: signed, kept for good, never changed."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.tables import UtcInstant, guard, schema

deletion_receipts = sa.Table(
    "deletion_receipts",
    schema,
    sa.Column("receipt_id", sa.String(40), primary_key=True),
    sa.Column("data_key_id", sa.String(40), nullable=False, index=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("subject", sa.String(80), nullable=False, index=True),
    sa.Column("case_reference", sa.String(40), nullable=False, index=True),
    sa.Column("erased_at", UtcInstant, nullable=False),
    sa.Column("receipt", sa.Text, nullable=False),
)
guard(deletion_receipts, "deletion_receipts_no_update", "UPDATE", "a deletion receipt stays as it was signed")
guard(deletion_receipts, "deletion_receipts_no_delete", "DELETE", "a deletion receipt stays")


def insert_receipt(
    connection: Connection,
    *,
    receipt_id: str,
    data_key_id: str,
    operator: str,
    subject: str,
    case_reference: str,
    erased_at: datetime,
    receipt: str,
) -> None:
    """Keep a signed receipt."""
    connection.execute(
        deletion_receipts.insert().values(
            receipt_id=receipt_id,
            data_key_id=data_key_id,
            operator=operator,
            subject=subject,
            case_reference=case_reference,
            erased_at=erased_at,
            receipt=receipt,
        )
    )


def list_receipts(
    connection: Connection, *, subject: str | None, case_reference: str | None, limit: int
) -> tuple[str, ...]:
    """Return the receipts of one subject or one case as they were signed, oldest first."""
    columns = deletion_receipts.c
    query = sa.select(columns.receipt).order_by(columns.erased_at, columns.receipt_id).limit(limit)
    if subject is not None:
        query = query.where(columns.subject == subject)
    if case_reference is not None:
        query = query.where(columns.case_reference == case_reference)
    return tuple(connection.execute(query).scalars())
