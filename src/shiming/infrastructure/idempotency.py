"""Idempotency keys: a command that is sent twice happens once, and its answer is the same twice.

The key is written in the transaction of the command, so a crash between commit and answer loses nothing:
the repeat finds the stored answer. The same key with another body is refused. A command that fails or is
refused leaves no key behind: its repeat is tried afresh.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema
from shiming.vocabulary.errors import BadInput, Text

KEPT_FOR = timedelta(days=7)  # a client that retries for longer than a week has another problem
FORGOTTEN_A_BATCH_MAX = 5_000  # one short transaction

idempotency_keys = sa.Table(
    "idempotency_keys",
    schema,
    sa.Column("client", sa.String(80), primary_key=True),
    sa.Column("key", sa.String(80), primary_key=True),
    sa.Column("request_hash", sa.String(64), nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("response", sa.Text, nullable=False),
    sa.Column("headers", sa.Text, nullable=False, server_default="{}"),
    sa.Column("response_hash", sa.String(64), nullable=False),
    sa.Column("created_at", UtcInstant, nullable=False, index=True),
)
_c = idempotency_keys.c


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer that a repeat gets."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Repeated(Kept):
    """The command was carried out before; this was its answer."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """The key is claimed for this transaction; `keep` completes it."""


def request_hash(method: str, path: str, content: bytes) -> str:
    """Return the hash by which a repeat is told from another request (64 hexadecimal digits)."""
    return hashlib.sha256(f"{method} {path}\n".encode() + content).hexdigest()


def claim(connection: Connection, client: str, key: str, wanted: str, now: datetime) -> Fresh | Repeated:
    """Claim a key, or return the answer it was used for; raise BadInput for a reuse with other content.

    Waits for a transaction that has claimed the same key and is not over yet.
    """
    row = {"client": client, "key": key, "request_hash": wanted, "status": 0, "created_at": now}
    insert = insert_into(connection, idempotency_keys).values(**row, response="", response_hash="")
    if connection.execute(insert.on_conflict_do_nothing().returning(_c.key)).one_or_none() is not None:
        return Fresh()
    query = idempotency_keys.select().where(_c.client == client, _c.key == key)
    return answer_of(connection.execute(query).one(), wanted)


def answer_of(row: "sa.Row[tuple[object, ...]]", wanted: str) -> Repeated:
    """Return the answer in a row of `idempotency_keys`; raise BadInput when it belongs to other content."""
    if row.request_hash != wanted:
        raise reused()
    return Repeated(row.status, row.response, json.loads(row.headers))


def give_up(connection: Connection, client: str, key: str) -> None:
    """Undo `claim`: the command was refused, and what it wrote about that stays."""
    connection.execute(idempotency_keys.delete().where(_c.client == client, _c.key == key))


def keep(connection: Connection, client: str, key: str, answer: Kept) -> None:
    """Store the answer of the command whose key this transaction claimed."""
    connection.execute(
        idempotency_keys.update()
        .where(_c.client == client, _c.key == key)
        .values(
            status=answer.status,
            response=answer.text,
            headers=json.dumps(dict(answer.headers)),
            response_hash=hashlib.sha256(answer.text.encode()).hexdigest(),
        )
    )


def forget_old_keys(connection: Connection, now: datetime) -> int:
    """Delete a batch of keys that nobody retries any more; call again until nothing is left."""
    old = (
        sa.select(_c.client, _c.key).where(_c.created_at < now - KEPT_FOR).limit(FORGOTTEN_A_BATCH_MAX)
    ).subquery()
    which = sa.tuple_(_c.client, _c.key).in_(sa.select(old.c.client, old.c.key))
    return connection.execute(idempotency_keys.delete().where(which)).rowcount


def reused() -> BadInput:
    """Return the error for a key that was used for something else: 422."""
    return BadInput(
        "IDEMPOTENCY_KEY_REUSED",
        Text(
            zh="该幂等键已用于另一请求。",
            en="This Idempotency-Key was used for a different request.",
        ),
        Text(zh="请为新的请求生成新的键。", en="Make a new key for a new request."),
    )
