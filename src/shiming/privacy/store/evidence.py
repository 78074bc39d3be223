"""Tables of the evidence vault, and all their SQL.

Nothing here is personal data in clear: subjects are pseudonyms, content is in the object store, encrypted,
and its data keys are wrapped. A destroyed data key stays as a row without key - the tombstone that keeps
a restored backup from bringing it back.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.encryption import WrappedKey
from shiming.infrastructure.tables import UtcInstant, guard, partitioned, schema
from shiming.privacy.model import EvidenceKind, EvidenceRef, Purpose, RetentionClass

data_keys = sa.Table(
    "data_keys",
    schema,
    sa.Column("data_key_id", sa.String(40), primary_key=True),
    sa.Column("kek_id", sa.String(40), nullable=False, index=True),
    sa.Column("wrapped", sa.LargeBinary),
    sa.Column("created_at", UtcInstant, nullable=False),
    sa.Column("destroyed_at", UtcInstant),
    sa.CheckConstraint("(wrapped IS NULL) = (destroyed_at IS NOT NULL)", name="key_or_tombstone"),
)
guard(
    data_keys,
    "data_keys_stay_destroyed",
    "UPDATE",
    "a destroyed key does not come back",
    "OLD.wrapped IS NULL",
)
guard(data_keys, "data_keys_no_delete", "DELETE", "a tombstone stays")

evidence = partitioned(
    "evidence",
    sa.Column("operator", sa.String(40), primary_key=True, default="", server_default=""),
    sa.Column("evidence_id", sa.String(40), primary_key=True),
    sa.Column("data_key_id", sa.ForeignKey(data_keys.c.data_key_id), nullable=False, index=True),
    sa.Column("subject", sa.String(80), nullable=False, index=True),
    sa.Column("case_reference", sa.String(40), nullable=False, index=True),
    sa.Column("line_id", sa.String(40), index=True),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("purpose", sa.String(40), nullable=False),
    sa.Column("retention_class", sa.String(40), nullable=False),
    sa.Column("bytes_stored", sa.BigInteger, nullable=False),
    sa.Column("ciphertext_sha256", sa.String(64), nullable=False),
    sa.Column("stored_at", UtcInstant, nullable=False),
    sa.Column("retain_until", UtcInstant, index=True),
    sa.Column("erased_at", UtcInstant),
    sa.Column("erased_why", sa.String(80)),
    sa.Column("object_removed", sa.Boolean, nullable=False, default=False),
)


def insert_evidence(connection: Connection, ref: EvidenceRef, data_key_id: str, wrapped: WrappedKey) -> None:
    """Add the metadata of one object and its wrapped data key."""
    connection.execute(
        data_keys.insert().values(
            data_key_id=data_key_id,
            kek_id=wrapped.kek_id,
            wrapped=wrapped.wrapped,
            created_at=ref.stored_at,
        )
    )
    connection.execute(
        evidence.insert().values(
            evidence_id=ref.evidence_id,
            data_key_id=data_key_id,
            subject=ref.subject,
            case_reference=ref.case_reference,
            kind=ref.kind.value,
            purpose=ref.purpose.value,
            retention_class=ref.retention_class.value,
            bytes_stored=ref.bytes_stored,
            ciphertext_sha256=ref.ciphertext_sha256,
            stored_at=ref.stored_at,
            retain_until=ref.retain_until,
        )
    )


def find_evidence(connection: Connection, evidence_id: str) -> EvidenceRef | None:
    """Return the metadata of one piece of evidence."""
    row = connection.execute(evidence.select().where(evidence.c.evidence_id == evidence_id)).first()
    return None if row is None else _ref(row)


def list_evidence(
    connection: Connection, *, subject: str | None, case_reference: str | None, limit: int
) -> tuple[EvidenceRef, ...]:
    """Return metadata of one subject's or one case's evidence, oldest first."""
    query = evidence.select().order_by(evidence.c.stored_at, evidence.c.evidence_id).limit(limit)
    if subject is not None:
        query = query.where(evidence.c.subject == subject)
    if case_reference is not None:
        query = query.where(evidence.c.case_reference == case_reference)
    return tuple(_ref(row) for row in connection.execute(query))


def list_due(connection: Connection, now: datetime, limit: int) -> tuple[EvidenceRef, ...]:
    """Return evidence whose retention has ended and that is not erased yet."""
    query = (
        evidence.select().where(evidence.c.retain_until <= now, evidence.c.erased_at.is_(None)).limit(limit)
    )
    return tuple(_ref(row) for row in connection.execute(query))


def find_wrapped_key(connection: Connection, evidence_id: str) -> WrappedKey | None:
    """Return the wrapped data key, None when it is destroyed."""
    row = connection.execute(
        sa.select(data_keys.c.kek_id, data_keys.c.wrapped)
        .join(evidence)
        .where(evidence.c.evidence_id == evidence_id, data_keys.c.wrapped.is_not(None))
    ).first()
    return None if row is None else WrappedKey(row.kek_id, row.wrapped)


def destroy_key(connection: Connection, evidence_id: str, *, now: datetime, why: str) -> None:
    """Overwrite the wrapped data key of one piece of evidence and leave the tombstones."""
    key_id = sa.select(evidence.c.data_key_id).where(evidence.c.evidence_id == evidence_id).scalar_subquery()
    connection.execute(
        data_keys.update()
        .where(data_keys.c.data_key_id == key_id, data_keys.c.destroyed_at.is_(None))
        .values(wrapped=None, destroyed_at=now)
    )
    connection.execute(
        evidence.update().where(evidence.c.evidence_id == evidence_id).values(erased_at=now, erased_why=why)
    )


def set_retain_until(connection: Connection, evidence_id: str, retain_until: datetime | None) -> None:
    """Note when the evidence must be gone."""
    connection.execute(
        evidence.update().where(evidence.c.evidence_id == evidence_id).values(retain_until=retain_until)
    )


def list_objects_to_remove(connection: Connection, limit: int) -> tuple[str, ...]:
    """Return erased evidence whose useless ciphertext still lies in the object store."""
    query = sa.select(evidence.c.evidence_id).where(
        evidence.c.erased_at.is_not(None), evidence.c.object_removed.is_(False)
    )
    return tuple(connection.execute(query.limit(limit)).scalars())


def mark_object_removed(connection: Connection, evidence_id: str) -> None:
    """Note that the ciphertext is gone."""
    connection.execute(
        evidence.update().where(evidence.c.evidence_id == evidence_id).values(object_removed=True)
    )


def _ref(row: Row[Any]) -> EvidenceRef:
    return EvidenceRef(
        evidence_id=row.evidence_id,
        subject=row.subject,
        case_reference=row.case_reference,
        kind=EvidenceKind(row.kind),
        purpose=Purpose(row.purpose),
        retention_class=RetentionClass(row.retention_class),
        bytes_stored=row.bytes_stored,
        ciphertext_sha256=row.ciphertext_sha256,
        stored_at=row.stored_at,
        retain_until=row.retain_until,
        erased_at=row.erased_at,
        erased_why=row.erased_why,
    )
