"""Which revision of the schema a database has, and how it gets the present one.

Revisions are numbered ("0001", "0002", ...), so that an older program knows a newer database. The steps are
Alembic's and lie in the folder that the caller names; each upgrade is one transaction, on SQLite too.
Two upgrades at once are safe: the second waits and then finds nothing to do.

A version table without a row means that a restore was begun and not finished.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError, ProgrammingError

from shiming.infrastructure.database import open_database, reading, unit_of_work
from shiming.vocabulary.errors import Text, Unavailable

VERSION_TABLE = "alembic_version"
_VERSION = sa.table(VERSION_TABLE, sa.column("version_num"))
_NUMBER = re.compile(r"\d{4}")
_LOCK = 0x5348_0001  # PostgreSQL's advisory lock of whoever upgrades
_UNDEFINED_TABLE = "42P01"


@dataclass(frozen=True, slots=True)
class Migrations:
    """A folder of steps and the number of the newest, which is known without reading the folder."""

    folder: Path
    newest: str

    def require(self, engine: Engine, *, may_create: bool) -> None:
        """Let only a database of the present revision pass; create an empty SQLite one if that is allowed.

        One query when all is well. Unavailable: DATABASE_NOT_INITIALISED, DATABASE_SCHEMA_OLD,
        DATABASE_SCHEMA_NEWER, DATABASE_FOREIGN, DATABASE_RESTORE_UNFINISHED.
        """
        found = find_revision(engine)
        if found == self.newest:
            return
        if found is None and may_create and engine.dialect.name == "sqlite":
            self.create(engine)
            return
        raise self._refusal(found)

    def create(self, engine: Engine) -> bool:
        """Create the schema in an empty database; False when the present one is there already."""
        with _locked(engine) as connection:
            found = _revision(connection)
            if found == self.newest:
                return False
            if found is not None:
                raise self._refusal(found)
            if sa.inspect(connection).get_table_names():
                raise _foreign()
            self._run(connection)
        return True

    def upgrade(self, engine: Engine) -> tuple[str, str]:
        """Bring an older database to the present revision; return the revisions before and after."""
        with _locked(engine) as connection:
            found = _revision(connection)
            if found is None or not _NUMBER.fullmatch(found) or found > self.newest:
                raise self._refusal(found)
            if found < self.newest:
                self._run(connection)
            return found, self.newest

    def bring_forward(self, engine: Engine, revision: str) -> None:
        """Take the steps that restored rows of this revision lack; the restore stays unfinished."""
        with _locked(engine) as connection:
            if _revision(connection) != "":
                raise _foreign()
            if revision < self.newest:
                connection.execute(_VERSION.insert().values(version_num=revision))
                self._run(connection)
                connection.execute(_VERSION.delete())

    def finish_restore(self, connection: Connection) -> None:
        """Say that a restore is done, in the transaction of its last act."""
        connection.execute(_VERSION.delete())
        connection.execute(_VERSION.insert().values(version_num=self.newest))

    def _run(self, connection: Connection) -> None:
        from alembic import command  # noqa: PLC0415 - a quarter second that other commands need not spend
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(self.folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, self.newest)

    def _refusal(self, found: str | None) -> Unavailable:
        if found is None:
            return not_initialised()
        if found == "":
            return _restore_unfinished()
        if not _NUMBER.fullmatch(found):
            return _foreign()
        if found < self.newest:
            return Unavailable(
                "DATABASE_SCHEMA_OLD",
                Text(zh="数据库属于较旧版本。", en="The database belongs to an older version."),
                Text(
                    zh="请先备份，再运行 shiming db upgrade。",
                    en="Back it up, then run: shiming db upgrade",
                ),
                {"found": found, "needed": self.newest},
            )
        return Unavailable(
            "DATABASE_SCHEMA_NEWER",
            Text(zh="数据库属于较新版本。", en="The database belongs to a newer version."),
            Text(
                zh="请升级本程序；数据库不能降级。",
                en="Install the newer program; a database is never taken back.",
            ),
            {"found": found, "needed": self.newest},
        )


def find_revision(engine: Engine) -> str | None:
    """Return the revision of a database; None: it has none; empty: an unfinished restore."""
    with reading(engine) as connection:
        return _revision(connection)


def _revision(connection: Connection) -> str | None:
    try:
        with connection.begin_nested() if connection.in_transaction() else connection.begin():
            return connection.execute(sa.select(_VERSION.c.version_num)).scalar() or ""
    except (OperationalError, ProgrammingError) as problem:
        state = getattr(problem.orig, "sqlstate", None)
        if state == _UNDEFINED_TABLE or "no such table" in str(problem.orig):
            return None
        raise


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    """One writing transaction that no second upgrade shares.

    On SQLite, Alembic changes a table by copying it, which foreign keys would forbid, and they can only be
    switched off before a transaction: so the upgrade has a connection of its own, and the keys are checked
    before it commits.
    """
    if engine.dialect.name == "postgresql":
        with unit_of_work(engine) as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            yield connection
        return
    own = open_database(engine.url.render_as_string(hide_password=False))
    event.listen(own, "connect", _foreign_keys_off)
    try:
        with unit_of_work(own) as connection:
            yield connection
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                message = "a migration left rows that refer to nothing"
                raise RuntimeError(message)
    finally:
        own.dispose()


def _foreign_keys_off(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys=OFF")


def not_initialised() -> Unavailable:
    """Return the error for a database without tables."""
    return Unavailable(
        "DATABASE_NOT_INITIALISED",
        Text(zh="数据库尚未初始化。", en="The database has no tables yet."),
        Text(zh="请运行 shiming db init。", en="Run: shiming db init"),
    )


def _foreign() -> Unavailable:
    return Unavailable(
        "DATABASE_FOREIGN",
        Text(
            zh="数据库中有不属于本程序的表。",
            en="The database holds tables that this program's steps did not make.",
        ),
        Text(
            zh="请指定一个空数据库；0.1 版的数据库不能沿用。",
            en="Name an empty one. A database of version 0.1 cannot be carried over.",
        ),
    )


def _restore_unfinished() -> Unavailable:
    return Unavailable(
        "DATABASE_RESTORE_UNFINISHED",
        Text(zh="数据库的恢复没有完成。", en="A restore of this database was begun and not finished."),
        Text(
            zh="请清空数据库后重新运行 shiming db restore。",
            en="Empty the database, then run shiming db restore again.",
        ),
    )
