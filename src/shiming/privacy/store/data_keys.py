"""Table of the data keys, and all its SQL.

A key belongs to one subject, purpose, retention class and case of one operator, and there is one live key of
each at most: the unique index sees to it when two writers are first at once. Its row names the key that wraps
it. A destroyed key stays as a row without key: the tombstone that keeps a restored backup from bringing it
back.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.encryption import WrappedKey
from shiming.infrastructure.tables import UtcInstant, guard, schema
from shiming.privacy.model import KeyScope

data_keys = sa.Table(
    "data_keys",
    schema,
    sa.Column("data_key_id", sa.String(40), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("subject", sa.String(80), nullable=False),
    sa.Column("purpose", sa.String(40), nullable=False),
    sa.Column("retention_class", sa.String(40), nullable=False),
    sa.Column("case_reference", sa.String(40), nullable=False),
    sa.Column("kek_id", sa.String(40), nullable=False, index=True),
    sa.Column("wrapped", sa.LargeBinary),
    sa.Column("created_at", UtcInstant, nullable=False),
    sa.Column("destroyed_at", UtcInstant),
    # written to the file of tombstones outside the database
    sa.Column("exported", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
    sa.CheckConstraint("(wrapped IS NULL) = (destroyed_at IS NOT NULL)", name="key_or_tombstone"),
)
_LIVE = data_keys.c.destroyed_at.is_(None)
_SCOPE = ("subject", "purpose", "retention_class", "case_reference", "operator")
sa.Index(
    "uq_data_keys_live",
    *(data_keys.c[name] for name in _SCOPE),
    unique=True,
    sqlite_where=_LIVE,
    postgresql_where=_LIVE,
)
_UNEXPORTED = sa.and_(data_keys.c.destroyed_at.is_not(None), data_keys.c.exported.is_(sa.false()))
sa.Index(
    "ix_data_keys_unexported",
    data_keys.c.data_key_id,
    sqlite_where=sa.text("destroyed_at IS NOT NULL AND NOT exported"),
    postgresql_where=sa.text("destroyed_at IS NOT NULL AND NOT exported"),
)
guard(
    data_keys,
    "data_keys_stay_destroyed",
    "UPDATE",
    "a destroyed key does not come back",
    "OLD.wrapped IS NULL AND (NEW.wrapped IS NOT NULL OR NEW.destroyed_at <> OLD.destroyed_at)",
)
guard(data_keys, "data_keys_no_delete", "DELETE", "a tombstone stays")


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A live data key as it is kept."""

    data_key_id: str
    wrapped: WrappedKey


def find_live_key(connection: Connection, scope: KeyScope) -> StoredKey | None:
    """Return the live key of a scope, held against destruction until the end of the transaction."""
    query = (
        sa.select(data_keys.c.data_key_id, data_keys.c.kek_id, data_keys.c.wrapped)
        .where(*(data_keys.c[name] == getattr(scope, name) for name in _SCOPE), _LIVE)
        .with_for_update(read=True)
    )
    row = connection.execute(query).first()
    return None if row is None else StoredKey(row.data_key_id, WrappedKey(row.kek_id, row.wrapped))


def insert_key(connection: Connection, scope: KeyScope, key: StoredKey, *, now: datetime) -> None:
    """Add the key of a scope, unless another writer was first."""
    values = {name: str(getattr(scope, name)) for name in _SCOPE}
    connection.execute(
        insert_into(connection, data_keys)
        .values(
            data_key_id=key.data_key_id,
            kek_id=key.wrapped.kek_id,
            wrapped=key.wrapped.wrapped,
            created_at=now,
            **values,
        )
        .on_conflict_do_nothing()
    )


def find_wrapped_key(connection: Connection, data_key_id: str) -> WrappedKey | None:
    """Return the wrapped data key, None when it is destroyed."""
    row = connection.execute(
        sa.select(data_keys.c.kek_id, data_keys.c.wrapped).where(
            data_keys.c.data_key_id == data_key_id, _LIVE
        )
    ).first()
    return None if row is None else WrappedKey(row.kek_id, row.wrapped)


def hold_key(connection: Connection, data_key_id: str) -> bool:
    """Say whether a key is live, and hold it against destruction until the end of the transaction."""
    query = sa.select(data_keys.c.data_key_id).where(data_keys.c.data_key_id == data_key_id, _LIVE)
    return connection.execute(query.with_for_update(read=True)).first() is not None


def find_key_scope(connection: Connection, data_key_id: str) -> KeyScope | None:
    """Return what a key, live or destroyed, is for."""
    columns = (data_keys.c[name] for name in _SCOPE)
    query = sa.select(*columns).where(data_keys.c.data_key_id == data_key_id)
    row = connection.execute(query).mappings().first()
    return None if row is None else KeyScope(**row)


def list_live_keys(
    connection: Connection,
    *,
    subject: str,
    retention_class: str,
    operator: str,
    purpose: str | None,
    limit: int,
) -> tuple[str, ...]:
    """Return the live keys of one class of one subject at one operator, of every case."""
    query = sa.select(data_keys.c.data_key_id).where(
        data_keys.c.subject == subject,
        data_keys.c.retention_class == retention_class,
        data_keys.c.operator == operator,
        _LIVE,
    )
    if purpose is not None:
        query = query.where(data_keys.c.purpose == purpose)
    return tuple(connection.execute(query.order_by(data_keys.c.data_key_id).limit(limit)).scalars())


def destroy_key(connection: Connection, data_key_id: str, *, now: datetime) -> bool:
    """Overwrite a wrapped data key and leave the tombstone; False when it was destroyed already."""
    changed = connection.execute(
        data_keys.update()
        .where(data_keys.c.data_key_id == data_key_id, _LIVE)
        .values(wrapped=None, destroyed_at=now)
    )
    return bool(changed.rowcount)


def filter_live(connection: Connection, data_key_ids: Iterable[str]) -> tuple[str, ...]:
    """Return those of some keys that are here and not destroyed."""
    query = sa.select(data_keys.c.data_key_id).where(data_keys.c.data_key_id.in_(list(data_key_ids)), _LIVE)
    return tuple(connection.execute(query.order_by(data_keys.c.data_key_id)).scalars())


def list_destroyed(connection: Connection, *, after: str, limit: int) -> tuple[str, ...]:
    """Return destroyed keys in the order of their ids, those behind `after`."""
    query = sa.select(data_keys.c.data_key_id).where(
        data_keys.c.destroyed_at.is_not(None), data_keys.c.data_key_id > after
    )
    return tuple(connection.execute(query.order_by(data_keys.c.data_key_id).limit(limit)).scalars())


def list_unexported(connection: Connection, limit: int) -> tuple[str, ...]:
    """Return destroyed keys that the file of tombstones does not name yet."""
    query = sa.select(data_keys.c.data_key_id).where(_UNEXPORTED).order_by(data_keys.c.data_key_id)
    return tuple(connection.execute(query.limit(limit)).scalars())


def mark_exported(connection: Connection, data_key_ids: Iterable[str]) -> None:
    """Note that the file of tombstones names these keys."""
    connection.execute(
        data_keys.update().where(data_keys.c.data_key_id.in_(list(data_key_ids))).values(exported=True)
    )


def count_by_kek(connection: Connection) -> dict[str, int]:
    """Return how many live data keys each key-encryption key wraps."""
    query = sa.select(data_keys.c.kek_id, sa.func.count()).where(_LIVE).group_by(data_keys.c.kek_id)
    return {row[0]: row[1] for row in connection.execute(query)}


def list_not_wrapped_by(connection: Connection, kek_id: str, limit: int) -> tuple[StoredKey, ...]:
    """Return live keys that another key wraps, locked; keys that a writer holds are left for later."""
    query = (
        sa.select(data_keys.c.data_key_id, data_keys.c.kek_id, data_keys.c.wrapped)
        .where(data_keys.c.kek_id != kek_id, _LIVE)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return tuple(
        StoredKey(row.data_key_id, WrappedKey(row.kek_id, row.wrapped)) for row in connection.execute(query)
    )


def rewrap(connection: Connection, keys: Iterable[StoredKey]) -> None:
    """Store the new wrapping of some keys."""
    statement = (
        data_keys.update()
        .where(data_keys.c.data_key_id == sa.bindparam("id"), _LIVE)
        .values(kek_id=sa.bindparam("new_kek"), wrapped=sa.bindparam("new_wrapped"))
    )
    connection.execute(
        statement,
        [
            {"id": key.data_key_id, "new_kek": key.wrapped.kek_id, "new_wrapped": key.wrapped.wrapped}
            for key in keys
        ],
    )
