"""A whole copy of a SQLite database while others write, by SQLite's own backup interface.

The copy is of one moment: a read transaction holds the source's snapshot from the first page to the last, so
writers go on, and the copy neither starts again after each of them nor mixes two states.
"""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

from shiming.vocabulary.errors import BadInput, Text, Unavailable

_PAGES_A_STEP = 256  # a megabyte: often enough for a progress bar, seldom enough to be fast
Progress = Callable[[int, int | None], None]


def copy_sqlite(source: Path, target: Path, progress: Progress) -> None:
    """Copy a database that others may be writing; Unavailable when either file does not allow it."""

    def tell(_status: int, remaining: int, total: int) -> None:
        progress(total - remaining, total)

    try:
        with (
            contextlib.closing(sqlite3.connect(source, isolation_level=None)) as reading,
            contextlib.closing(sqlite3.connect(target)) as writing,
        ):
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_master").fetchone()  # takes the snapshot
            reading.backup(writing, pages=_PAGES_A_STEP, progress=tell, sleep=0)
    except sqlite3.Error as problem:
        raise Unavailable(
            "BACKUP_UNWRITABLE",
            Text(zh="数据库无法复制。", en="The database cannot be copied."),
            Text(zh="请检查磁盘空间和数据目录权限。", en="Check the disk space and the data folder."),
            {"reason": type(problem).__name__},
        ) from problem


def require_sound(path: Path) -> None:
    """Let SQLite examine a file from end to end; BadInput when it is not a whole database."""
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error:
        found = ("not a database",)
    if found != ("ok",):
        raise BadInput(
            "BACKUP_DAMAGED",
            Text(zh="备份中的数据库已损坏。", en="The database in this backup is damaged."),
            Text(zh="请使用另一份备份。", en="Use another copy of the backup."),
        )
