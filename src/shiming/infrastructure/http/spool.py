"""Where an upload lies while its request lasts: a private folder of this process, emptied as it goes.

Files are 0600 in a folder that is 0700, under names of our own; what a client calls its file is not used.
What a killed process left behind is removed by the next one that starts: each holds a lock on its folder.
"""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from shiming.vocabulary.errors import Text, Unavailable

_LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class Spool:
    """The folder of one server process."""

    folder: Path
    _lock: BinaryIO

    @classmethod
    def open(cls, parent: Path) -> Self:
        """Make this process's folder under `parent`; remove those of processes that are gone."""
        with spool_faults():
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = parent / uuid.uuid4().hex
            folder.mkdir(mode=0o700)
            lock = create_private(folder / _LOCK)
            _locked(lock)
            for other in parent.iterdir():
                if other != folder:
                    _remove_if_abandoned(other)
        return cls(folder, lock)

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()

    @contextlib.contextmanager
    def room(self) -> Iterator[Path]:
        """Give a folder that is gone, with its files, when the block ends."""
        folder = self.folder / uuid.uuid4().hex
        with spool_faults():
            folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def create_private(path: Path) -> BinaryIO:
    """Create a file that only this user can open."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")


@contextlib.contextmanager
def spool_faults() -> Iterator[None]:
    """Turn a full disk or a lost folder into `Unavailable`."""
    try:
        yield
    except OSError as problem:
        raise Unavailable(
            "SPOOL_WRITE",
            Text(zh="服务器无法暂存上传的文件。", en="The server cannot put the upload down anywhere."),
            Text(
                zh="请稍后重试；管理员请检查磁盘空间。",
                en="Try again later; an administrator should check the disk space.",
            ),
            {"reason": os.strerror(problem.errno) if problem.errno else type(problem).__name__},
        ) from problem


def _remove_if_abandoned(folder: Path) -> None:
    with contextlib.suppress(OSError):
        if not (folder / _LOCK).exists():
            return  # just being made
        with (folder / _LOCK).open("r+b") as lock:
            if _locked(lock):
                shutil.rmtree(folder, ignore_errors=True)


def _locked(file: BinaryIO) -> bool:
    """Take the lock of a file; it lasts as long as the file is open in this process."""
    if os.name != "posix":  # pragma: no cover - not the platform of the tests; nothing is swept there
        return False
    import fcntl  # noqa: PLC0415 - only where there is one

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
