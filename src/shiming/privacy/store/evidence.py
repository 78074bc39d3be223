"""Table of the evidence, and all its SQL.

Nothing here is personal data in clear: subjects are pseudonyms, content is in the object store, encrypted,
and its data keys are wrapped (`data_keys`).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.tables import UtcInstant, partitioned
from shiming.privacy.model import EvidenceKind, EvidenceRef, Purpose, RetentionClass
from shiming.privacy.store.data_keys import data_keys
from shiming.privacy.store.evidence_pins import evidence_pins

evidence = partitioned(
    "evidence",
    sa.Column("operator", sa.String(40), primary_key=True, default="", server_default=""),
    sa.Column("evidence_id", sa.String(40), primary_key=True, index=True),
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
_KEPT = evidence.c.erased_at.is_(None)
_TO_REMOVE = "erased_at IS NOT NULL AND NOT object_removed"
sa.Index(
    "ix_evidence_to_remove",
    evidence.c.erased_at,
    sqlite_where=sa.text(_TO_REMOVE),
    postgresql_where=sa.text(_TO_REMOVE),
)


def insert_evidence(connection: Connection, ref: EvidenceRef) -> None:
    """Add the metadata of one object."""
    connection.execute(
        evidence.insert().values(
            operator=ref.operator,
            evidence_id=ref.evidence_id,
            data_key_id=ref.data_key_id,
            subject=ref.subject,
            case_reference=ref.case_reference,
            line_id=ref.line_id,
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


def list_of_key(connection: Connection, data_key_id: str) -> tuple[EvidenceRef, ...]:
    """Return what one data key encrypts, oldest first."""
    query = evidence.select().where(evidence.c.data_key_id == data_key_id)
    return tuple(_ref(row) for row in connection.execute(query.order_by(evidence.c.stored_at)))


def list_due_keys(connection: Connection, now: datetime, limit: int) -> tuple[str, ...]:
    """Return live data keys whose every piece has reached its end, locked for this transaction."""
    kept = evidence.alias()
    longer = sa.exists().where(
        kept.c.data_key_id == data_keys.c.data_key_id,
        sa.or_(
            kept.c.retain_until.is_(None),
            kept.c.retain_until > now,
            sa.exists().where(evidence_pins.c.case_reference == kept.c.case_reference),
        ),
    )
    due = sa.select(evidence.c.data_key_id).where(evidence.c.retain_until <= now, _KEPT)
    query = (
        sa.select(data_keys.c.data_key_id)
        .where(data_keys.c.data_key_id.in_(due), data_keys.c.destroyed_at.is_(None), ~longer)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return tuple(connection.execute(query).scalars())


def find_retention_of_key(connection: Connection, data_key_id: str) -> datetime | None:
    """Return the end that the pieces of a data key have already, None while their clock stands."""
    query = sa.select(sa.func.max(evidence.c.retain_until)).where(evidence.c.data_key_id == data_key_id)
    return connection.execute(query).scalar()


def mark_erased(connection: Connection, data_key_id: str, *, now: datetime, why: str) -> None:
    """Note that the pieces of a destroyed key cannot be read any more."""
    connection.execute(
        evidence.update()
        .where(evidence.c.data_key_id == data_key_id, _KEPT)
        .values(erased_at=now, erased_why=why)
    )


def set_retain_until(
    connection: Connection, case_reference: str, retention_class: RetentionClass, end: datetime
) -> tuple[EvidenceRef, ...]:
    """Note when one class of a case's evidence must be gone; return what it is."""
    changed = connection.execute(
        evidence.update()
        .where(
            evidence.c.case_reference == case_reference,
            evidence.c.retention_class == retention_class.value,
            _KEPT,
        )
        .values(retain_until=end)
        .returning(*evidence.c)
    )
    return tuple(_ref(row) for row in changed)


def release_case(connection: Connection, case_reference: str, now: datetime) -> int:
    """Note that what is kept of a case without a line may go; return how many pieces."""
    changed = connection.execute(
        evidence.update()
        .where(evidence.c.case_reference == case_reference, evidence.c.line_id.is_(None), _KEPT)
        .values(retain_until=now)
    )
    return changed.rowcount


def list_waiting_cases(connection: Connection, stored_before: datetime, limit: int) -> tuple[str, ...]:
    """Return cases with evidence that waits for a line since long."""
    query = (
        sa.select(evidence.c.case_reference)
        .where(
            evidence.c.line_id.is_(None),
            evidence.c.retain_until.is_(None),
            evidence.c.stored_at < stored_before,
            _KEPT,
        )
        .distinct()
        .limit(limit)
    )
    return tuple(connection.execute(query).scalars())


def set_line(connection: Connection, case_reference: str, line_id: str) -> None:
    """Note for which line the evidence of a case is kept."""
    connection.execute(
        evidence.update().where(evidence.c.case_reference == case_reference).values(line_id=line_id)
    )


def list_objects_to_remove(connection: Connection, limit: int) -> tuple[str, ...]:
    """Return erased evidence whose useless ciphertext still lies in the object store."""
    query = sa.select(evidence.c.evidence_id).where(sa.text(_TO_REMOVE)).order_by(evidence.c.erased_at)
    return tuple(connection.execute(query.limit(limit)).scalars())


def mark_objects_removed(connection: Connection, evidence_ids: Iterable[str]) -> None:
    """Note that these ciphertexts are gone."""
    connection.execute(
        evidence.update().where(evidence.c.evidence_id.in_(list(evidence_ids))).values(object_removed=True)
    )


def filter_known(connection: Connection, evidence_ids: Iterable[str]) -> frozenset[str]:
    """Return those of some ids that have a row."""
    query = sa.select(evidence.c.evidence_id).where(evidence.c.evidence_id.in_(list(evidence_ids)))
    return frozenset(connection.execute(query).scalars())


def iterate_kept_ids(connection: Connection) -> Iterator[str]:
    """Return the ids of all evidence that must have an object, a few at a time in memory."""
    query = sa.select(evidence.c.evidence_id).where(_KEPT).order_by(evidence.c.evidence_id)
    yield from connection.execution_options(yield_per=1000).execute(query).scalars()


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
        operator=row.operator,
        line_id=row.line_id,
        data_key_id=row.data_key_id,
    )
