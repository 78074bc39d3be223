"""Tables of the evidence vault and the ledger, and all their SQL.

Nothing here is personal data in clear: subjects are pseudonyms, content is in the object store, encrypted,
and its data keys are wrapped. A destroyed data key stays as a row without key - the tombstone that keeps
a restored backup from bringing it back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.database import UtcInstant
from shiming.infrastructure.encryption import WrappedKey
from shiming.privacy.model import EvidenceKind, EvidenceRef, Purpose, RetentionClass

schema = sa.MetaData()

data_keys = sa.Table(
    "data_keys",
    schema,
    sa.Column("data_key_id", sa.String(40), primary_key=True),
    sa.Column("kek_id", sa.String(40), nullable=False),
    sa.Column("wrapped", sa.LargeBinary),
    sa.Column("created_at", UtcInstant, nullable=False),
    sa.Column("destroyed_at", UtcInstant),
    sa.CheckConstraint("(wrapped IS NULL) = (destroyed_at IS NOT NULL)", name="key_or_tombstone"),
)

evidence = sa.Table(
    "evidence",
    schema,
    sa.Column("evidence_id", sa.String(40), primary_key=True),
    sa.Column("data_key_id", sa.ForeignKey(data_keys.c.data_key_id), nullable=False),
    sa.Column("subject", sa.String(80), nullable=False, index=True),
    sa.Column("case_reference", sa.String(40), nullable=False, index=True),
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

ledger_leaves = sa.Table(
    "ledger_leaves",
    schema,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("leaf", sa.Text, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("mac", sa.String(64), nullable=False),
    sa.Column("key_id", sa.String(40), nullable=False),
)

ledger_head = sa.Table(
    "ledger_head",
    schema,
    sa.Column("only", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("mac", sa.String(64), nullable=False),
    sa.Column("key_id", sa.String(40), nullable=False),
    sa.CheckConstraint("only = 1", name="one_head"),
)

_GUARDS = (
    (ledger_leaves, "ledger_leaves_no_update", "UPDATE", "", "the ledger is append-only"),
    (ledger_leaves, "ledger_leaves_no_delete", "DELETE", "", "the ledger is append-only"),
    (ledger_head, "ledger_head_no_delete", "DELETE", "", "the ledger head stays"),
    (
        ledger_head,
        "ledger_head_forward",
        "UPDATE",
        "WHEN NEW.sequence <> OLD.sequence + 1",
        "the ledger head moves forward by one",
    ),
    (
        data_keys,
        "data_keys_stay_destroyed",
        "UPDATE",
        "WHEN OLD.wrapped IS NULL",
        "a destroyed key does not come back",
    ),
    (data_keys, "data_keys_no_delete", "DELETE", "", "a tombstone stays"),
)
for _table, _name, _verb, _when, _why in _GUARDS:
    sa.event.listen(
        _table,
        "after_create",
        sa.DDL(  # type: ignore[no-untyped-call] # the library leaves it untyped
            f"CREATE TRIGGER {_name} BEFORE {_verb} ON {_table.name} {_when} "
            f"BEGIN SELECT RAISE(ABORT, '{_why}'); END"
        ).execute_if(dialect="sqlite"),
    )


# --- evidence -------------------------------------------------------------------------------------------


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


# --- ledger ---------------------------------------------------------------------------------------------


def find_head(connection: Connection) -> Row[Any] | None:
    """Return the head record."""
    return connection.execute(ledger_head.select()).first()


def insert_head(connection: Connection, **values: Any) -> None:
    """Write the head of an empty ledger."""
    connection.execute(ledger_head.insert().values(only=1, **values))


def insert_leaf(connection: Connection, **values: Any) -> None:
    """Append a leaf."""
    connection.execute(ledger_leaves.insert().values(**values))


def advance_head(connection: Connection, **values: Any) -> None:
    """Move the head to the leaf just appended."""
    connection.execute(ledger_head.update().values(**values))


@contextmanager
def tolerant_text(connection: Connection) -> Iterator[None]:
    """Read text that is not UTF-8 as well: who tampers with a row must not stop its examination."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name != "sqlite":  # pragma: no cover - other engines refuse such text on writing
        yield
        return
    driver.text_factory = lambda raw: raw.decode("utf-8", "replace")
    try:
        yield
    finally:
        driver.text_factory = str


def iterate_leaves(connection: Connection) -> Iterator[Row[Any]]:
    """Return all leaves in order, a few at a time in memory."""
    batch = 1000
    query = ledger_leaves.select().order_by(ledger_leaves.c.sequence)
    yield from connection.execution_options(yield_per=batch).execute(query)


def list_missing_guards(connection: Connection) -> tuple[str, ...]:
    """Return the names of the triggers that should be there and are not."""
    if connection.dialect.name != "sqlite":  # pragma: no cover - other engines get theirs with migrations
        return ()
    query = sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    present = set(connection.execute(query).scalars())
    return tuple(name for _, name, *_ in _GUARDS if name not in present)
