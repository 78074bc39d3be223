"""The keys that sign access tokens: made when needed, replaced every month, kept wrapped.

All servers of an installation find them in the database, so that each accepts the others' tokens.
"""

import threading
from datetime import datetime

from sqlalchemy.engine import Connection, Engine

from shiming.accounts.connectors.access_tokens import TokenKey, new_token_key, public_jwk
from shiming.accounts.store import clients as store
from shiming.accounts.use_cases.tools import (
    SECRET_BYTES,
    TOKEN_CHECK_EVERY,
    TOKEN_KEY_USED_FOR,
    TOKEN_LIFE,
    AccountTools,
)
from shiming.infrastructure.database import reading, transact
from shiming.vocabulary.errors import Unavailable
from shiming.vocabulary.permissions import inside


class TokenKeys:
    """The signing keys, kept in memory once read. Safe to share between threads."""

    def __init__(self, tools: AccountTools, engine: Engine) -> None:
        self._tools = tools
        self._engine = engine
        self._present: TokenKey | None = None
        self._present_since: datetime | None = None
        self._published: dict[str, str] = {}
        self._read_at: datetime | None = None
        self._lock = threading.Lock()

    @inside("tokens are signed with it")
    def present(self) -> TokenKey:
        """Return the key that signs now; the first call of a month makes one."""
        now = self._tools.clock.now()
        with self._lock:
            if self._present is None or self._present_since is None or self._is_old(self._present_since, now):
                self._present, self._present_since = self._found(now) or self._made(now)
            return self._present

    @inside("tokens are checked with it")
    def public_key(self, key_id: str) -> str | None:
        """Return the public half of a key; None when there is no such key (any more)."""
        now = self._tools.clock.now()
        with self._lock:
            known = self._published.get(key_id)
            if known is None and (self._read_at is None or now >= self._read_at + TOKEN_CHECK_EVERY):
                self._read(now)
                known = self._published.get(key_id)
            return known

    @inside("anybody may check a token")
    def key_set(self) -> dict[str, object]:
        """Return the public keys as a JSON Web Key Set."""
        now = self._tools.clock.now()
        with self._lock:
            if self._read_at is None or now >= self._read_at + TOKEN_CHECK_EVERY:
                self._read(now)
            return {"keys": [public_jwk(key_id, public) for key_id, public in self._published.items()]}

    def _is_old(self, since: datetime, now: datetime) -> bool:
        return now >= since + TOKEN_KEY_USED_FOR

    def _read(self, now: datetime) -> list[store.TokenKeyRow]:
        with reading(self._engine) as connection:
            rows = store.token_keys_since(connection, now - TOKEN_KEY_USED_FOR - TOKEN_LIFE)
        self._published = {row.key_id: row.public_key for row in rows}
        self._read_at = now
        return rows

    def _found(self, now: datetime) -> tuple[TokenKey, datetime] | None:
        for row in self._read(now):
            if self._is_old(row.created_at, now):
                continue
            try:
                key = new_token_key(self._tools.keys.unwrap(row.wrapped))
            except Unavailable:  # wrapped by a key that is gone: it lived for a month at most, make another
                continue
            return key, row.created_at
        return None

    def _made(self, now: datetime) -> tuple[TokenKey, datetime]:
        key = new_token_key(self._tools.random_bytes(SECRET_BYTES))
        row = store.TokenKeyRow(key.key_id, key.public, self._tools.keys.wrap(key.seed), now)

        def work(connection: Connection) -> None:
            store.insert_token_key(connection, row)
            self._tools.record(connection, kind="token_key.created", facts={"key": key.key_id}, now=now)

        transact(self._engine, work)
        self._published[key.key_id] = key.public
        return key, now
