"""The hot path on SQLite: the driver's own cursor inside one transaction of many registrations."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.database import unit_of_work
from shiming.infrastructure.encryption import KeyProvider, KeyUse
from shiming.privacy.use_cases.ledger import head_message
from shiming.registrations.store.facts import Found, facts_query, found
from shiming.registrations.store.sqlite_statements import text_of, write_on_sqlite
from shiming.registrations.store.writing import Changed, Draft, by_name
from shiming.vocabulary.errors import Text, Unavailable

_FACTS = facts_query("sqlite")


class BatchTransaction:
    """One transaction: knows the lane and its last number, which nobody else can change meanwhile."""

    def __init__(self, cursor: Any, lane: int, last: int) -> None:
        self._cursor = cursor
        self.lane = lane
        self.last = last

    def read_facts(self, parameters: Mapping[str, Any]) -> Found:
        """Read what a registration is decided on."""
        named = {
            **parameters,
            "now": text_of(parameters["now"]),
            "today": parameters["today"].isoformat(),
        }
        return found(self._cursor.execute(_FACTS, named).fetchall(), parameters["number"])

    def write(self, draft: Draft) -> int | None:
        """Write one registration, by itself undone when something had changed; raise `Changed` then."""
        self._cursor.execute("SAVEPOINT registration")
        try:
            active = write_on_sqlite(self._cursor, by_name(draft))
        except BaseException:
            self._undo()
            raise
        if isinstance(active, str):
            self._undo()
            raise Changed(active)
        self._cursor.execute("RELEASE registration")
        self.last += 1
        return active

    def _undo(self) -> None:
        self._cursor.execute("ROLLBACK TO registration")
        self._cursor.execute("RELEASE registration")


@contextmanager
def batch(engine: Engine, keys: KeyProvider) -> Iterator[BatchTransaction]:
    """Wait for the turn to write, and give one transaction; committed, and durable, at its end."""
    try:
        with unit_of_work(engine) as connection:
            cursor = _driver(connection).cursor()
            cursor.row_factory = sqlite3.Row
            try:
                lane, last = _lane(cursor, keys)
                yield BatchTransaction(cursor, lane, last)
            finally:
                cursor.close()
    except sqlite3.Error as problem:  # of the cursor; those of the transaction are translated already
        raise unavailable(problem) from problem


def unavailable(problem: sqlite3.Error) -> Unavailable:
    """Return the error for a statement that failed."""
    if "full" in str(problem):
        return Unavailable(
            "DATABASE_FULL",
            Text(
                zh="数据库所在磁盘已满，尚未写入任何内容。",
                en="The disk of the database is full; nothing was written.",
            ),
            Text(zh="请释放磁盘空间后重试。", en="Free some disk space, then try again."),
        )
    return Unavailable(
        "DATABASE_UNAVAILABLE",
        Text(zh="数据库不可用。", en="The database cannot be used."),
        Text(zh="请检查磁盘空间和数据目录权限。", en="Check the disk space and the data folder."),
        {"reason": type(problem).__name__},
    )


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _lane(cursor: Any, keys: KeyProvider) -> tuple[int, int]:
    row = cursor.execute("SELECT lane, sequence FROM ledger_lanes ORDER BY lane LIMIT 1").fetchone()
    if row is not None:
        return row["lane"], row["sequence"]
    mac = keys.mac(KeyUse.LEDGER, head_message(None))
    cursor.execute(
        "INSERT INTO ledger_lanes (sequence, mac, key_id) VALUES (0, ?, ?)", (mac.value, mac.key_id)
    )
    return cursor.lastrowid, 0
