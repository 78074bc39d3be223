"""Machine clients and the keys that sign their tokens: rows <-> model."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.accounts.model import Client
from shiming.accounts.store.accounts import words
from shiming.accounts.store.tables import machine_clients as clients
from shiming.accounts.store.tables import token_keys
from shiming.infrastructure.encryption import WrappedKey

_c = clients.c


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """A client and how it proves itself."""

    client: Client
    secret_hash: str | None = field(repr=False)
    public_keys: str | None


@dataclass(frozen=True, slots=True)
class TokenKeyRow:
    """A key that signs access tokens; the private half opens only with the installation's key."""

    key_id: str
    public_key: str
    wrapped: WrappedKey
    created_at: datetime


def insert_client(connection: Connection, client: Client, *, public_keys: str | None) -> None:
    """Write a new client."""
    connection.execute(
        clients.insert().values(
            reference=client.reference,
            name=client.name,
            scopes=words(client.scopes),
            operator=client.operator or "",
            public_keys=public_keys,
            created_at=client.created_at,
            version=client.version,
        )
    )


def find_client(connection: Connection, reference: str) -> Client | None:
    """Return a client."""
    row = connection.execute(sa.select(clients).where(_c.reference == reference)).first()
    return _client(row) if row else None


def find_credentials(connection: Connection, reference: str) -> ClientCredentials | None:
    """Return a client and how it proves itself."""
    row = connection.execute(sa.select(clients).where(_c.reference == reference)).first()
    return ClientCredentials(_client(row), row.secret_hash, row.public_keys) if row else None


def list_clients(
    connection: Connection, *, operator: str | None, after: str | None, limit: int
) -> list[Client]:
    """Return clients in the order of their references; operator None: of all, "" of the platform."""
    query = sa.select(clients).order_by(_c.reference).limit(limit)
    if operator is not None:
        query = query.where(_c.operator == operator)
    if after is not None:
        query = query.where(_c.reference > after)
    return [_client(row) for row in connection.execute(query)]


def set_secret(connection: Connection, reference: str, secret_hash: str) -> None:
    """Replace the secret's hash."""
    connection.execute(clients.update().where(_c.reference == reference).values(secret_hash=secret_hash))


def update_client(
    connection: Connection,
    reference: str,
    *,
    version: int,
    scopes: Collection[str],
    disabled_at: datetime | None,
    tokens_valid_from: datetime,
) -> bool:
    """Change scopes and state of the version that was read; False when it has changed since."""
    changed = connection.execute(
        clients.update()
        .where(_c.reference == reference, _c.version == version)
        .values(
            scopes=words(scopes),
            disabled_at=disabled_at,
            tokens_valid_from=tokens_valid_from,
            version=version + 1,
        )
    )
    return changed.rowcount == 1


def insert_token_key(connection: Connection, key: TokenKeyRow) -> None:
    """Keep a new signing key."""
    connection.execute(
        token_keys.insert().values(
            key_id=key.key_id,
            public_key=key.public_key,
            wrapped=key.wrapped.wrapped,
            kek_id=key.wrapped.kek_id,
            created_at=key.created_at,
        )
    )


def token_keys_since(connection: Connection, oldest: datetime) -> list[TokenKeyRow]:
    """Return the signing keys made since then, the newest first."""
    rows = connection.execute(
        sa.select(token_keys)
        .where(token_keys.c.created_at >= oldest)
        .order_by(token_keys.c.created_at.desc(), token_keys.c.key_id)
    )
    return [
        TokenKeyRow(row.key_id, row.public_key, WrappedKey(row.kek_id, row.wrapped), row.created_at)
        for row in rows
    ]


def _client(row: Row[Any]) -> Client:
    return Client(
        reference=row.reference,
        name=row.name,
        scopes=frozenset(row.scopes.split()),
        operator=row.operator or None,
        created_at=row.created_at,
        version=row.version,
        disabled_at=row.disabled_at,
        tokens_valid_from=row.tokens_valid_from,
    )
