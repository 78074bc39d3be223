"""The database of an installation: one engine, one transaction per request or job.

SQLite is opened for records that must survive a power cut: write-ahead log, `synchronous=FULL`, foreign
keys on, freed pages overwritten (`secure_delete`, so that a destroyed data key is really gone), and every
writing transaction begun by `BEGIN IMMEDIATE`, so that what a use case reads cannot change before it
writes. The begin statement is emitted as SQLAlchemy's documentation recommends: the driver's own
transaction handling is switched off and the `begin` event speaks instead.

A feature never commits. The edge does:

>>> engine = open_database("sqlite://")
>>> with unit_of_work(engine) as connection:
...     connection.exec_driver_sql("SELECT 1").scalar_one()
1
"""

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Dialect, Engine, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError, NoSuchModuleError

from shiming.vocabulary.errors import BadInput, Text, Unavailable

BUSY_TIMEOUT_S = 30.0  # a writer behind sixty others waits a few seconds; longer means that one hangs
_BEGIN = "shiming_begin"


class UtcInstant(sa.TypeDecorator[datetime]):
    """An instant, kept in UTC on every engine; a time without a zone is refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn any zone into UTC."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            message = "an instant needs a time zone"
            raise ValueError(message)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back that SQLite does not keep."""
        del dialect
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def open_database(url: str, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Engine:
    """Open the database at `url`; raise BadInput for a URL that names none, Unavailable without driver."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _open_sqlite(parsed, busy_timeout_s)
        return sa.create_engine(parsed)
    except (ArgumentError, NoSuchModuleError) as problem:
        raise BadInput(
            "DATABASE_URL_INVALID",
            Text(zh="数据库地址无效。", en="The database URL is not valid."),
            Text(zh="请检查 SHIMING_DATABASE_URL。", en="Check SHIMING_DATABASE_URL."),
        ) from problem
    except ModuleNotFoundError as problem:
        raise Unavailable(
            "DATABASE_DRIVER_MISSING",
            Text(zh="缺少该数据库的驱动程序。", en="The driver for this database is not installed."),
            Text(zh="请使用 sqlite:/// 地址或安装驱动。", en="Use a sqlite:/// URL or install the driver."),
            {"driver": problem.name},
        ) from problem


def create_tables(engine: Engine, *schemas: sa.MetaData) -> None:
    """Create what is missing of the tables of several features, in one transaction."""
    with unit_of_work(engine) as connection:
        for schema in schemas:
            schema.create_all(connection)


@contextlib.contextmanager
def unit_of_work(engine: Engine) -> Iterator[Connection]:
    """One writing transaction: committed at the end of the block, rolled back by any exception."""
    try:
        with engine.begin() as connection:
            yield connection
    except IntegrityError:
        raise
    except DatabaseError as problem:
        raise _unavailable(problem) from problem


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent view for reading, which neither waits for writers nor holds them up."""
    try:
        with engine.connect().execution_options(**{_BEGIN: "BEGIN DEFERRED"}) as connection:
            yield connection
    except DatabaseError as problem:
        raise _unavailable(problem) from problem


def forget_freed_pages(engine: Engine) -> None:
    """Empty SQLite's write-ahead log, which still holds what was just overwritten in the database.

    A reader that is busy meanwhile makes this do less; the next call, or the last close, does the rest.
    """
    if engine.dialect.name != "sqlite":  # pragma: no cover - other engines look after their logs themselves
        return
    with contextlib.closing(engine.raw_connection()) as connection:  # outside any transaction
        cursor = connection.cursor()
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.close()


def insert_into(connection: Connection, table: sa.Table) -> "sqlite.Insert | postgresql.Insert":
    """Return the INSERT of this engine that knows ON CONFLICT; both spell it the same way."""
    if (
        connection.dialect.name == "postgresql"
    ):  # pragma: no cover - its driver comes with the next storage step
        return postgresql.insert(table)
    return sqlite.insert(table)


class _Cursor(Protocol):
    def execute(self, statement: str, /) -> Any: ...
    def close(self) -> None: ...


class _DriverConnection(Protocol):
    isolation_level: str | None

    def cursor(self) -> _Cursor: ...


def _open_sqlite(url: URL, busy_timeout_s: float) -> Engine:
    if url.database and url.database != ":memory:":
        _create_private_file(Path(url.database))
    engine = sa.create_engine(url, connect_args={"timeout": busy_timeout_s})
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


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


def _configure_sqlite(connection: _DriverConnection, _record: object) -> None:
    connection.isolation_level = None  # the begin event below is the only one to begin
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN IMMEDIATE"))


def _unavailable(problem: DatabaseError) -> Unavailable:
    if "locked" in str(problem.orig) or "busy" in str(problem.orig):
        return Unavailable(
            "DATABASE_BUSY",
            Text(zh="数据库正忙。", en="The database is busy."),
            Text(zh="请稍后重试；尚未写入任何内容。", en="Try again in a moment; nothing was written."),
        )
    return Unavailable(
        "DATABASE_UNAVAILABLE",
        Text(zh="数据库不可用。", en="The database cannot be used."),
        Text(zh="请检查磁盘空间和数据目录权限。", en="Check the disk space and the data folder."),
        {"reason": type(problem.orig).__name__},
    )
