"""The database of an installation: one engine, one transaction per request or job.

The URL chooses SQLite (embedded, one file) or PostgreSQL 15 and later (psycopg 3, a small pool).

A feature never commits. The edge does:

>>> engine = open_database("sqlite://")
>>> with unit_of_work(engine) as connection:
...     connection.exec_driver_sql("SELECT 1").scalar_one()
1

`transact` runs a function as one unit of work and runs it again when PostgreSQL gave the transaction up for
another one (serialization failure, deadlock).
"""

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, IntegrityError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shiming.infrastructure.postgresql_database import open_postgresql
from shiming.infrastructure.sqlite_database import BEGIN, BUSY_TIMEOUT_S, open_sqlite, turn_of
from shiming.infrastructure.writer_turns import TurnNotReached
from shiming.vocabulary.errors import BadInput, Text, Unavailable

ATTEMPTS_MAX = 8  # a transaction that lost eight times meets a fault, not bad luck
_PAUSE_S = 0.01
_GIVEN_UP = frozenset({"40001", "40P01"})  # serialization_failure, deadlock_detected
_BUSY = frozenset({"55P03", "53300"})  # lock_not_available, too_many_connections
_FULL = frozenset({"53100", "53200", "53000"})  # disk_full, out_of_memory, insufficient_resources
_T = TypeVar("_T")


class GivenUp(Unavailable):
    """The database gave this transaction up for another; nothing was written and it may be run again."""


def open_database(url: str, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Engine:
    """Open the database at `url`; raise BadInput for a URL that names none, Unavailable without driver."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return open_sqlite(parsed, busy_timeout_s)
        if parsed.get_backend_name() == "postgresql":
            return open_postgresql(parsed, busy_timeout_s)
    except ArgumentError as problem:
        raise _url_refused() from problem
    except NoSuchModuleError as problem:
        raise _url_refused() from problem
    except ModuleNotFoundError as problem:
        raise Unavailable(
            "DATABASE_DRIVER_MISSING",
            Text(zh="缺少该数据库的驱动程序。", en="The driver for this database is not installed."),
            Text(
                zh="请运行 make server，或使用 sqlite:/// 地址。",
                en="Run `make server`, or use a sqlite:/// URL.",
            ),
            {"driver": problem.name},
        ) from problem
    raise _url_refused()


def create_tables(engine: Engine, *schemas: sa.MetaData) -> None:
    """Create what is missing of some tables, in one transaction."""
    with unit_of_work(engine) as connection:
        for schema in schemas:
            schema.create_all(connection)


@contextlib.contextmanager
def unit_of_work(engine: Engine) -> Iterator[Connection]:
    """One writing transaction: committed at the end of the block, rolled back by any exception."""
    try:
        with turn_of(engine), engine.begin() as connection:
            yield connection
    except IntegrityError:
        raise
    except (TurnNotReached, PoolTimeout) as problem:
        raise _busy() from problem
    except DataError as problem:
        raise _value_refused() from problem
    except DatabaseError as problem:
        raise _unavailable(problem) from problem


def transact(engine: Engine, work: Callable[[Connection], _T], *, attempts_max: int = ATTEMPTS_MAX) -> _T:
    """Run `work` as one unit of work; again, after a short pause, when the database gave it up."""
    for attempt in range(1, attempts_max):
        try:
            with unit_of_work(engine) as connection:
                return work(connection)
        except GivenUp:
            time.sleep(_PAUSE_S * attempt * (0.5 + random.random()))  # noqa: S311 - spreads the losers
    with unit_of_work(engine) as connection:
        return work(connection)


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent view for reading, which neither waits for writers nor holds them up."""
    options = (
        {BEGIN: "BEGIN DEFERRED"}
        if engine.dialect.name == "sqlite"
        else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    )
    try:
        with engine.connect().execution_options(**options) as connection:
            yield connection
    except PoolTimeout as problem:
        raise _busy() from problem
    except DatabaseError as problem:
        raise _unavailable(problem) from problem


def forget_freed_pages(engine: Engine) -> None:
    """Empty SQLite's write-ahead log, which still holds what was just overwritten in the database.

    A reader that is busy meanwhile makes this do less; the next call, or the last close, does the rest.
    PostgreSQL keeps overwritten rows until it vacuums and its log until it is recycled; see
    docs/explanation/privacy.md for what that means to an erased key.
    """
    if engine.dialect.name != "sqlite":
        return
    with contextlib.closing(engine.raw_connection()) as connection:  # outside any transaction
        cursor = connection.cursor()
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.close()


def insert_into(connection: Connection, table: sa.Table) -> "sqlite.Insert | postgresql.Insert":
    """Return the INSERT of this engine that knows ON CONFLICT; both spell it the same way."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _url_refused() -> BadInput:
    return BadInput(
        "DATABASE_URL_INVALID",
        Text(zh="数据库地址无效。", en="The database URL is not valid."),
        Text(
            zh="SHIMING_DATABASE_URL 应为 sqlite:/// 或 postgresql:// 地址。",
            en="SHIMING_DATABASE_URL must be a sqlite:/// or postgresql:// URL.",
        ),
    )


def _value_refused() -> BadInput:
    return BadInput(
        "VALUE_UNSTORABLE",
        Text(zh="数据中含有无法保存的字符或数值。", en="A character or number in the data cannot be stored."),
        Text(zh="请检查输入内容；尚未写入任何内容。", en="Check what was entered; nothing was written."),
    )


def _busy() -> Unavailable:
    return Unavailable(
        "DATABASE_BUSY",
        Text(zh="数据库正忙。", en="The database is busy."),
        Text(zh="请稍后重试；尚未写入任何内容。", en="Try again in a moment; nothing was written."),
    )


def _unavailable(problem: DatabaseError) -> Unavailable:
    words, state = str(problem.orig), getattr(problem.orig, "sqlstate", None)
    if state in _GIVEN_UP:
        again = _busy()
        return GivenUp(again.code, again.text, again.advice)
    if state in _BUSY or (state is None and ("locked" in words or "busy" in words)):
        return _busy()
    if state in _FULL or "disk is full" in words:
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
        Text(
            zh="请检查数据库服务、磁盘空间和数据目录权限。",
            en="Check the database server, the disk space and the data folder.",
        ),
        {"reason": type(problem.orig).__name__},
    )
