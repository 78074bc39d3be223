"""Secrets that others gave us or that we share with them, kept encrypted under a name.

A secret is stored under AES-256-GCM with a data key of its own that the installation's key-encryption key
wraps; it is bound to its name, so that one cannot be put in the place of another.
"""

import os
from datetime import datetime

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.encryption import KekProvider, WrappedKey, new_data_key
from shiming.infrastructure.tables import UtcInstant, schema
from shiming.vocabulary.errors import Text, Unavailable

_NONCE_BYTES = 12  # NIST SP 800-38D; each data key encrypts one secret once
REWRAPPED_AT_ONCE = 100  # of one transaction

sealed_secrets = sa.Table(
    "sealed_secrets",
    schema,
    sa.Column("name", sa.String(120), primary_key=True),
    sa.Column("kek_id", sa.String(80), nullable=False, index=True),
    sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
    sa.Column("ciphertext", sa.LargeBinary, nullable=False),
    sa.Column("created_at", UtcInstant, nullable=False),
)


def put_secret(connection: Connection, keys: KekProvider, name: str, secret: str, *, now: datetime) -> None:
    """Keep a secret under a name; one that is there is replaced."""
    data_key, nonce = new_data_key(), os.urandom(_NONCE_BYTES)
    wrapped = keys.wrap(data_key)
    row = {
        "name": name,
        "kek_id": wrapped.kek_id,
        "wrapped_key": wrapped.wrapped,
        "ciphertext": nonce + AESGCM(data_key).encrypt(nonce, secret.encode(), _bound_to(name)),
        "created_at": now,
    }
    statement = insert_into(connection, sealed_secrets).values(row)
    changed = {column: row[column] for column in row if column != "name"}
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changed))


def find_secret(
    connection: Connection, keys: KekProvider, name: str, *, made_after: datetime | None = None
) -> str | None:
    """Return a secret in clear; Unavailable when it does not decrypt."""
    query = sealed_secrets.select().where(sealed_secrets.c.name == name)
    if made_after is not None:
        query = query.where(sealed_secrets.c.created_at > made_after)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    nonce, sealed = row.ciphertext[:_NONCE_BYTES], row.ciphertext[_NONCE_BYTES:]
    try:
        data_key = keys.unwrap(WrappedKey(row.kek_id, row.wrapped_key))
        return AESGCM(data_key).decrypt(nonce, sealed, _bound_to(name)).decode()
    except InvalidTag as problem:
        raise Unavailable(
            "SECRET_UNDECRYPTABLE",
            Text(zh="已保存的密钥无法解密。", en="A stored secret cannot be decrypted."),
            Text(zh="请重新登记该密钥。", en="Give the secret again."),
        ) from problem


def forget_secrets(connection: Connection, *names: str) -> None:
    """Remove secrets."""
    connection.execute(sealed_secrets.delete().where(sealed_secrets.c.name.in_(names)))


def count_sealed_by_kek(connection: Connection) -> dict[str, int]:
    """Return how many secrets each key-encryption key wraps: one that is needed must not be destroyed."""
    kek = sealed_secrets.c.kek_id
    rows = connection.execute(sa.select(kek, sa.func.count().label("number")).group_by(kek))
    return {row.kek_id: row.number for row in rows}


def rewrap_sealed(connection: Connection, keys: KekProvider, *, limit: int = REWRAPPED_AT_ONCE) -> int:
    """Wrap up to `limit` secrets of older key-encryption keys by the present one; return how many."""
    old = (
        sealed_secrets.select()
        .where(sealed_secrets.c.kek_id != keys.kek_ids()[-1])
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(old).all()
    for row in rows:
        wrapped = keys.wrap(keys.unwrap(WrappedKey(row.kek_id, row.wrapped_key)))
        again = {"kek_id": wrapped.kek_id, "wrapped_key": wrapped.wrapped}
        connection.execute(sealed_secrets.update().where(sealed_secrets.c.name == row.name).values(again))
    return len(rows)


def _bound_to(name: str) -> bytes:
    return f"sealed-secret {name}".encode()
