"""Back the database up while writers run, and restore a backup into an empty store.

A backup holds the database alone. The objects (encrypted evidence), the key file and the file of destroyed
keys are copied apart: whoever has one of them cannot read a document, and a restored database learns from the
file of destroyed keys what was erased after the backup was taken.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shiming.entrypoints.database_schema import MIGRATIONS, NEWEST_REVISION, prepare_schema
from shiming.infrastructure.backups.backup_file import (
    Manifest,
    Progress,
    copy_database,
    reading_backup,
    write_backup,
)
from shiming.infrastructure.backups.postgresql_backup import dump_postgresql, restore_postgresql, server_major
from shiming.infrastructure.backups.sqlite_backup import copy_sqlite, require_sound
from shiming.infrastructure.database import forget_freed_pages, open_database, reading, unit_of_work
from shiming.privacy.store.ledger_tree import find_newest_batch
from shiming.privacy.use_cases.erasure import apply_tombstones, erasing, tombstones
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.vocabulary.errors import BadInput, Text


@dataclass(frozen=True, slots=True)
class Store:
    """The database, the tools of privacy (keys, tombstones) and the environment of PostgreSQL's programs."""

    engine: Engine
    privacy: PrivacyTools
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, and how many keys that it brought back were destroyed again."""

    manifest: Manifest
    keys_destroyed: int


def back_up(store: Store, path: Path, *, program: str, now: datetime, progress: Progress) -> Manifest:
    """Write a backup of one moment; the ledger says that it was taken, and its hash."""
    engine = store.engine
    prepare_schema(engine, may_create=False)
    with reading(engine) as connection:
        batch = find_newest_batch(connection)
    manifest = Manifest(
        engine=engine.dialect.name,
        revision=NEWEST_REVISION,
        taken_at=now,
        program=program,
        server=_server(engine),
        checkpoint=None if batch is None else batch.checkpoint,
    )

    def fill(out: IO[bytes]) -> None:
        if manifest.server is None:
            _copy_sqlite_into(out, engine, path, progress)
        else:
            dump_postgresql(engine.url, manifest.server, out, progress, store.environment)

    manifest = write_backup(path, manifest, fill)
    with unit_of_work(engine) as connection:
        facts = {"backup": f"sha256:{manifest.sha256}", "revision": manifest.revision}
        record(connection, store.privacy.keys, kind="database.backed_up", facts=facts, now=now)
    return manifest


def restore(store: Store, path: Path, *, now: datetime, progress: Progress) -> Restored:
    """Fill an empty database from a backup; keys that were destroyed since then are destroyed again.

    BadInput: BACKUP_DAMAGED, BACKUP_OF_OTHER_ENGINE, BACKUP_NEWER, DATABASE_NOT_EMPTY. After a failure the
    store is empty as before, or says DATABASE_RESTORE_UNFINISHED.
    """
    if sa.inspect(store.engine).get_table_names():
        raise _not_empty()
    with reading_backup(path) as (manifest, database):
        _require_ours(manifest, store.engine)
        if manifest.server is None:
            destroyed = _restore_sqlite(store, manifest, database, now, progress)
        else:
            destroyed = _restore_postgresql(store, manifest, database, now, progress)
    return Restored(manifest, destroyed)


def _restore_sqlite(
    store: Store, manifest: Manifest, database: IO[bytes], now: datetime, progress: Progress
) -> int:
    """Do all of it in a file beside, which takes the name of the database when it is done."""
    place = _file_of(store.engine)
    with _private_draft(place, "restore") as draft:
        with draft.open("r+b") as file:
            copy_database(manifest, database, file, progress)
        require_sound(draft)
        engine = open_database(f"sqlite:///{draft}")
        MIGRATIONS.upgrade(engine)
        with erasing(store.privacy, engine) as connection:
            destroyed = _lay_to_rest(store, connection, manifest, now)
        forget_freed_pages(engine)  # the log is empty: the file alone is the database
        engine.dispose()
        store.engine.dispose()
        if sa.inspect(store.engine).get_table_names():
            raise _not_empty()  # a program that was started meanwhile has made its own
        store.engine.dispose()
        for log in ("-wal", "-shm"):
            Path(f"{place}{log}").unlink(missing_ok=True)
        draft.replace(place)
    _sync_folder(place.parent)
    return destroyed


def _restore_postgresql(
    store: Store, manifest: Manifest, database: IO[bytes], now: datetime, progress: Progress
) -> int:
    """Fill the database in one transaction, and let nobody use it before the rest is done too."""
    engine, server = store.engine, _server(store.engine) or 0
    needed = max(server, manifest.server or 0)

    def write(stdin: IO[bytes]) -> None:
        copy_database(manifest, database, stdin, progress)

    restore_postgresql(engine.url, needed, write, store.environment)
    engine.dispose()  # connections that were made before know nothing of the tables
    MIGRATIONS.bring_forward(engine, manifest.revision)
    with erasing(store.privacy, engine) as connection:
        destroyed = _lay_to_rest(store, connection, manifest, now)
        MIGRATIONS.finish_restore(connection)
    return destroyed


def _lay_to_rest(store: Store, connection: sa.Connection, manifest: Manifest, now: datetime) -> int:
    """Destroy again what was destroyed after the backup, and record the restore."""
    keys = tombstones(store.privacy, connection)
    destroyed = apply_tombstones(store.privacy, connection, keys, now=now)
    facts: dict[str, Fact] = {
        "backup": f"sha256:{manifest.sha256}",
        "taken_at": manifest.taken_at.isoformat(),
        "keys_destroyed": destroyed,
    }
    record(connection, store.privacy.keys, kind="database.restored", facts=facts, now=now)
    return destroyed


def _require_ours(manifest: Manifest, engine: Engine) -> None:
    if manifest.engine != engine.dialect.name:
        raise BadInput(
            "BACKUP_OF_OTHER_ENGINE",
            Text(
                zh=f"这是 {manifest.engine} 的备份，当前数据库是 {engine.dialect.name}。",
                en=f"This is a backup of {manifest.engine}; the database here is {engine.dialect.name}.",
            ),
            Text(
                zh="备份只能恢复到同类数据库。", en="A backup returns to the kind of database it came from."
            ),
        )
    if manifest.revision > NEWEST_REVISION:
        raise BadInput(
            "BACKUP_NEWER",
            Text(zh="备份来自较新版本的程序。", en="The backup was taken by a newer program."),
            Text(zh="请使用该版本或更新的程序恢复。", en="Restore it with that program or a newer one."),
            {"found": manifest.revision, "newest": NEWEST_REVISION},
        )


def _copy_sqlite_into(out: IO[bytes], engine: Engine, path: Path, progress: Progress) -> None:
    with _private_draft(path, "copy") as draft:
        copy_sqlite(_file_of(engine), draft, progress)
        with draft.open("rb") as file:
            shutil.copyfileobj(file, out, 1 << 20)


@contextlib.contextmanager
def _private_draft(beside: Path, what: str) -> Iterator[Path]:
    """Give an empty file that only its owner can read; whatever is left of it and its logs goes away."""
    draft = beside.with_name(f".{beside.name}.{what}")
    try:
        draft.unlink(missing_ok=True)  # of a run that was killed
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield draft
    finally:
        for name in ("", "-wal", "-shm", "-journal"):
            Path(f"{draft}{name}").unlink(missing_ok=True)


def _file_of(engine: Engine) -> Path:
    if not engine.url.database or engine.url.database == ":memory:":
        raise BadInput(
            "DATABASE_IN_MEMORY",
            Text(zh="内存数据库没有备份。", en="A database in memory has no backup."),
        )
    return Path(engine.url.database)


def _server(engine: Engine) -> int | None:
    if engine.dialect.name != "postgresql":
        return None
    with reading(engine) as connection:
        return server_major(int(connection.exec_driver_sql("SHOW server_version_num").scalar_one()))


def _not_empty() -> BadInput:
    return BadInput(
        "DATABASE_NOT_EMPTY",
        Text(zh="数据库中已有数据。", en="The database is not empty."),
        Text(
            zh="备份只能恢复到空数据库；请指定另一个。",
            en="A backup is only restored into an empty one; name another.",
        ),
    )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
