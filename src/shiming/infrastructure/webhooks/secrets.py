"""Secrets that sign deliveries: made here, shown once, kept encrypted, changed without a gap.

A secret is `whsec_` and base64 of 32 random bytes, as Standard Webhooks asks for. It is stored under
AES-256-GCM with a data key that the installation's key-encryption key wraps. After a change the former one
signs beside the new one until `OVERLAP` is over; a third never does.
"""

import base64
import os
import uuid
from datetime import datetime, timedelta

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.engine import Connection

from shiming.infrastructure.encryption import KekProvider, WrappedKey
from shiming.infrastructure.webhooks.tables import webhook_secrets
from shiming.vocabulary.errors import Text, Unavailable

SECRET_BYTES = 32  # Standard Webhooks: 24 to 64
PREFIX = "whsec_"
REWRAPPED_AT_ONCE = 100  # of one transaction; there are at most two a webhook
OVERLAP = timedelta(hours=24)  # a receiver's operator has a working day to install the new one
_NONCE_BYTES = 12  # NIST SP 800-38D; each data key encrypts one secret once
_DATA_KEY_BITS = 256


def add_secret(connection: Connection, keys: KekProvider, webhook_id: str, *, now: datetime) -> str:
    """Make a new secret, let the present one run out after `OVERLAP`, and return the new one in clear."""
    mine = webhook_secrets.c.webhook_id == webhook_id
    connection.execute(webhook_secrets.delete().where(mine, webhook_secrets.c.valid_until.is_not(None)))
    connection.execute(webhook_secrets.update().where(mine).values(valid_until=now + OVERLAP))
    secret = PREFIX + base64.b64encode(os.urandom(SECRET_BYTES)).decode()
    secret_id, data_key, nonce = (
        str(uuid.uuid4()),
        AESGCM.generate_key(_DATA_KEY_BITS),
        os.urandom(_NONCE_BYTES),
    )
    sealed = AESGCM(data_key).encrypt(nonce, secret.encode(), _bound_to(secret_id, webhook_id))
    wrapped = keys.wrap(data_key)
    connection.execute(
        webhook_secrets.insert().values(
            secret_id=secret_id,
            webhook_id=webhook_id,
            kek_id=wrapped.kek_id,
            wrapped_key=wrapped.wrapped,
            ciphertext=nonce + sealed,
            created_at=now,
        )
    )
    return secret


def valid_secrets(
    connection: Connection, keys: KekProvider, webhook_id: str, *, now: datetime
) -> tuple[str, ...]:
    """Return the secrets that sign now, the newest first; Unavailable when one does not decrypt."""
    until = webhook_secrets.c.valid_until
    rows = connection.execute(
        sa.select(webhook_secrets)
        .where(webhook_secrets.c.webhook_id == webhook_id, sa.or_(until.is_(None), until > now))
        .order_by(until.is_not(None))
    )
    return tuple(
        _opened(keys, WrappedKey(row.kek_id, row.wrapped_key), row.ciphertext, row.secret_id, webhook_id)
        for row in rows
    )


def count_secrets_by_kek(connection: Connection) -> dict[str, int]:
    """Return how many secrets each key-encryption key wraps: one that is needed must not be destroyed."""
    kek = webhook_secrets.c.kek_id
    rows = connection.execute(sa.select(kek, sa.func.count().label("number")).group_by(kek))
    return {row.kek_id: row.number for row in rows}


def rewrap_secrets(connection: Connection, keys: KekProvider, *, limit: int = REWRAPPED_AT_ONCE) -> int:
    """Wrap up to `limit` secrets of older key-encryption keys by the present one; return how many."""
    old = (
        sa.select(webhook_secrets)
        .where(webhook_secrets.c.kek_id != keys.kek_ids()[-1])
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(old).all()
    for row in rows:
        wrapped = keys.wrap(keys.unwrap(WrappedKey(row.kek_id, row.wrapped_key)))
        connection.execute(
            webhook_secrets.update()
            .where(webhook_secrets.c.secret_id == row.secret_id)
            .values(kek_id=wrapped.kek_id, wrapped_key=wrapped.wrapped)
        )
    return len(rows)


def _opened(keys: KekProvider, wrapped: WrappedKey, content: bytes, secret_id: str, webhook_id: str) -> str:
    nonce, sealed = content[:_NONCE_BYTES], content[_NONCE_BYTES:]
    try:
        data_key = keys.unwrap(wrapped)
        return AESGCM(data_key).decrypt(nonce, sealed, _bound_to(secret_id, webhook_id)).decode()
    except InvalidTag as problem:
        raise Unavailable(
            "WEBHOOK_SECRET_UNDECRYPTABLE",
            Text(zh="订阅密钥无法解密。", en="The secret of the webhook cannot be decrypted."),
            Text(zh="请更换该订阅的密钥。", en="Rotate the secret of this webhook."),
        ) from problem


def _bound_to(secret_id: str, webhook_id: str) -> bytes:
    return f"webhook-secret {secret_id} {webhook_id}".encode()
