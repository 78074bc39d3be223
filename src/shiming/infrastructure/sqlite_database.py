"""SQLite, opened for records that must survive a power cut.

Write-ahead log, `synchronous=FULL`, foreign keys on, freed pages overwritten (`secure_delete`, so that a
destroyed data key is really gone), and every writing transaction begun by `BEGIN IMMEDIATE`, so that what a
use case reads cannot change before it writes. The begin statement is emitted as SQLAlchemy's documentation
recommends: the driver's own transaction handling is switched off and the `begin` event speaks instead.
"""

import contextlib
import os
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine

from shiming.infrastructure.writer_turns import WriterTurns
from shiming.vocabulary.errors import Text, Unavailable

BUSY_TIMEOUT_S = 30.0  # a writer behind sixty others waits a few seconds; longer means that one hangs
BEGIN = "shiming_begin"
_TURNS = "shiming_turns"


class _Cursor(Protocol):
    def execute(self, statement: str, /) -> Any: ...
    def close(self) -> None: ...


class _DriverConnection(Protocol):
    isolation_level: str | None

    def cursor(self) -> _Cursor: ...


def open_sqlite(url: URL, busy_timeout_s: float) -> Engine:
    """Open, and create where it is missing, one SQLite file that only its owner can read."""
    if url.database and url.database != ":memory:":
        _create_private_file(Path(url.database))
    engine = sa.create_engine(url, connect_args={"timeout": busy_timeout_s})
    engine.update_execution_options(**{_TURNS: WriterTurns(busy_timeout_s)})
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def turn_of(engine: Engine) -> contextlib.AbstractContextManager[None]:
    """Return this thread's turn to write; at once on engines with many writers."""
    turns: WriterTurns | None = engine.get_execution_options().get(_TURNS)
    return contextlib.nullcontext() if turns is None else turns.mine()


def _create_private_file(path: Path) -> None:
    """Create the database readable by its owner alone; SQLite gives its log files the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as problem:
        raise Unavailable(
            "DATABASE_UNAVAILABLE",
            Text(zh="数据库文件无法打开。", en="The database file cannot be opened."),
            Text(zh="请检查数据目录及其权限。", en="Check the data folder and its permissions."),
            {"reason": problem.strerror or type(problem).__name__},
        ) from problem


def _configure(connection: _DriverConnection, _record: object) -> None:
    connection.isolation_level = None  # the begin event below is the only one to begin
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(BEGIN, "BEGIN IMMEDIATE"))
