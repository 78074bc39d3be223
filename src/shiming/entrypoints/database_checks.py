"""What `shiming db check` looks at, one function a question; each answers in one line.

Nothing is changed. A check that cannot be made counts as failed, and says why.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shiming.entrypoints.database_schema import NEWEST_REVISION
from shiming.entrypoints.schema import TABLES
from shiming.infrastructure.database import reading
from shiming.infrastructure.encryption import KeyUse, WrappedKey
from shiming.infrastructure.migrations import find_revision
from shiming.infrastructure.schema_drift import find_drift
from shiming.infrastructure.tables import schema
from shiming.privacy.store.data_keys import data_keys
from shiming.privacy.store.ledger import ledger_lanes
from shiming.privacy.use_cases.sweeping import list_missing_objects
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.vocabulary.errors import BadInput, ShimingError, Text

_SERVER_MIN = 15
_PARTITION = re.compile(r"_p\d+\b|_p\d+_")
_NAMED_MAX = 5  # differences that are named; the rest is counted


@dataclass(frozen=True, slots=True)
class Checked:
    """The answer to one question: whether all is well, and what was found."""

    question: str
    well: bool
    found: str


def check_database(engine: Engine, privacy: PrivacyTools, *, objects: bool) -> Iterator[Checked]:
    """Ask everything; what needs a present schema is asked only of one."""
    yield _asked("connection", lambda: _connection(engine))
    revision = _asked("revision", lambda: _revision(engine))
    yield revision
    yield _asked("integrity", lambda: _integrity(engine))
    if not revision.well:
        return
    yield _asked("schema", lambda: _schema(engine))
    yield _asked("keys", lambda: _keys(engine, privacy))
    yield _asked("tombstones", lambda: _tombstones(engine, privacy))
    if objects:
        yield _asked("objects", lambda: _objects(engine, privacy))


def _asked(question: str, ask: Callable[[], str]) -> Checked:
    try:
        return Checked(question, well=True, found=ask())
    except ShimingError as problem:
        found = f"{problem.code}: {problem.text.en} {problem.advice.en}".strip()
        return Checked(question, well=False, found=found)


def _connection(engine: Engine) -> str:
    with reading(engine) as connection:
        if engine.dialect.name == "sqlite":
            return f"SQLite {connection.exec_driver_sql('SELECT sqlite_version()').scalar_one()}"
        number = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
    if number < _SERVER_MIN * 10_000:
        raise _wrong(
            "SERVER_TOO_OLD", f"PostgreSQL {_SERVER_MIN} or later is needed, not {number // 10_000}."
        )
    return f"PostgreSQL {number // 10_000}.{number % 10_000}"


def _revision(engine: Engine) -> str:
    found = find_revision(engine)
    if found == NEWEST_REVISION:
        return f"{found}, nothing pending"
    if found is None:
        raise _wrong("DATABASE_NOT_INITIALISED", "There are no tables yet; run shiming db init.")
    if not found:
        raise _wrong("DATABASE_RESTORE_UNFINISHED", "A restore was begun and not finished.")
    raise _wrong("DATABASE_REVISION", f"It is {found}; this program needs {NEWEST_REVISION}.")


def _integrity(engine: Engine) -> str:
    """Let SQLite read every page; PostgreSQL is asked for damaged pages that it has met."""
    with reading(engine) as connection:
        if engine.dialect.name == "sqlite":
            found = connection.exec_driver_sql(f"PRAGMA integrity_check({_NAMED_MAX})").scalars().all()
            orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if list(found) != ["ok"]:
                raise _wrong("DATABASE_DAMAGED", "; ".join(str(line) for line in found))
            if orphans:
                raise _wrong("FOREIGN_KEYS_BROKEN", f"{len(orphans)} rows refer to nothing.")
            return "every page and every reference is whole"
        failures = connection.exec_driver_sql(
            "SELECT coalesce(checksum_failures, 0) FROM pg_stat_database WHERE datname = current_database()"
        ).scalar_one()
    if failures:
        raise _wrong("DATABASE_DAMAGED", f"The server met {failures} damaged pages.")
    return "the server has met no damaged page"


def _schema(engine: Engine) -> str:
    drift = find_drift(engine, schema)
    if drift:
        lines = [
            *(f"missing: {line}" for line in drift.missing),
            *(f"extra: {line}" for line in drift.unexpected),
        ]
        lines.sort(key=lambda line: bool(_PARTITION.search(line)))  # what a table lacks, its partitions lack
        named = "; ".join(line[:160] for line in lines[:_NAMED_MAX])
        raise _wrong("SCHEMA_DRIFT", f"{len(lines)} differences: {named}")
    return f"{len(TABLES)} tables with their partitions, indexes, functions and guards"


def _keys(engine: Engine, privacy: PrivacyTools) -> str:
    """Open one data key of each key-encryption key, and find every key of the ledger."""
    live = data_keys.c.destroyed_at.is_(None)
    sample = sa.select(data_keys.c.kek_id, sa.func.min(data_keys.c.data_key_id).label("id")).where(live)
    chosen = sample.group_by(data_keys.c.kek_id).subquery()
    with reading(engine) as connection:
        wrapped = connection.execute(
            sa.select(data_keys.c.kek_id, data_keys.c.wrapped).join(
                chosen, chosen.c.id == data_keys.c.data_key_id
            )
        ).all()
        ledger = connection.execute(sa.select(ledger_lanes.c.key_id).distinct()).scalars().all()
    for row in wrapped:
        privacy.keys.unwrap(WrappedKey(row.kek_id, row.wrapped))
    for key_id in ledger:
        privacy.keys.mac(KeyUse.LEDGER, b"", key_id)
    return f"{len(wrapped)} key-encryption keys and {len(ledger)} ledger keys in use, all at hand"


def _tombstones(engine: Engine, privacy: PrivacyTools) -> str:
    """Look for every destroyed key in the file outside; one destroyed just now may not be there yet."""
    named = set(privacy.tombstones.read())
    written = sa.select(data_keys.c.data_key_id).where(data_keys.c.exported.is_(sa.true()))
    with reading(engine) as connection:
        lost = sum(key not in named for key in connection.execute(written).scalars())
    if lost:
        raise _wrong("TOMBSTONES_MISSING", f"{lost} are not in the file of destroyed keys; restore its copy.")
    return f"{len(named)} destroyed keys are named outside the database"


def _objects(engine: Engine, privacy: PrivacyTools) -> str:
    missing = list_missing_objects(privacy, engine)
    if missing:
        raise _wrong("OBJECTS_MISSING", f"{len(missing)} pieces of evidence have no object: {missing[0]} ...")
    return "every piece of evidence has its object"


def _wrong(code: str, found: str) -> BadInput:
    return BadInput(code, Text(zh=found, en=found))
