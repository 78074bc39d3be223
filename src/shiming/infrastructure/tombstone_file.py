"""Ids of destroyed data keys, outside the database: what a restored backup is held against.

One id a line, only ever appended, and synced before the caller goes on. A line that a crash cut short, or one
that is there twice, does no harm. The ids are random: the file tells nothing of anybody and may be copied
anywhere; it belongs beside the key file's copy, apart from the backups of the database. Files of several
machines are one file when joined.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from shiming.vocabulary.errors import Text, Unavailable

_ID = re.compile(r"[0-9A-Z][0-9A-Z-]{7,39}")


@dataclass(frozen=True, slots=True)
class TombstoneFile:
    """The file, created by the first tombstone."""

    path: Path

    def append(self, key_ids: Iterable[str]) -> None:
        """Add ids durably; Unavailable when that fails, and then the caller tries again later."""
        text = "".join(f"{key_id}\n" for key_id in key_ids).encode("ascii")
        try:
            new = not self.path.exists()
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                file.write(b"\n" + text)  # the line break ends what a crash cut short
                file.flush()
                os.fsync(file.fileno())
            if new:
                _sync_folder(self.path.parent)
        except OSError as problem:
            raise Unavailable(
                "TOMBSTONES_UNWRITABLE",
                Text(zh="销毁记录文件无法写入。", en="The file of destroyed keys cannot be written."),
                Text(zh="请检查数据目录和磁盘空间。", en="Check the data folder and the disk space."),
                {"reason": problem.strerror or type(problem).__name__},
            ) from problem

    def read(self) -> tuple[str, ...]:
        """Return the ids, each once, in the order in which they came; none when there is no file."""
        try:
            lines = self.path.read_text(encoding="ascii", errors="replace").split("\n")
        except FileNotFoundError:
            return ()
        except OSError as problem:
            raise Unavailable(
                "TOMBSTONES_UNREADABLE",
                Text(zh="销毁记录文件无法读取。", en="The file of destroyed keys cannot be read."),
                Text(
                    zh="没有它，恢复的备份可能使已销毁的材料重新可读。",
                    en="Without it a restored backup could bring erased evidence back.",
                ),
                {"reason": problem.strerror or type(problem).__name__},
            ) from problem
        return tuple(dict.fromkeys(line for line in lines if _ID.fullmatch(line)))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
