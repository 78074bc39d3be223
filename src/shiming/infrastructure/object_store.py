"""Where encrypted objects lie: a port, and the folder that implements it.

An object store sees ciphertext only. Objects are never changed: written once under a random id, read,
removed. The folder writes to a temporary file of the same folder, syncs it and renames it, so that a
reader or a crash finds a whole object or none.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shiming.vocabulary.errors import Text, Unavailable

_OBJECT_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{7,63}")


class ObjectStore(Protocol):
    """Keeps ciphertexts by id."""

    def put(self, object_id: str, ciphertext: bytes) -> None:
        """Store durably; Unavailable when it cannot be."""
        ...

    def get(self, object_id: str) -> bytes:
        """Return the ciphertext; Unavailable when it is not there."""
        ...

    def remove(self, object_id: str) -> None:
        """Remove the ciphertext; nothing happens when it is gone already."""
        ...


@dataclass(frozen=True, slots=True)
class FolderObjectStore:
    """Objects as files of a private folder, spread over sub-folders by the hash-like end of their id."""

    folder: Path

    def put(self, object_id: str, ciphertext: bytes) -> None:
        """Store durably; Unavailable when it cannot be."""
        path = self._path(object_id)
        draft = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
        try:
            for folder in (self.folder, path.parent):
                folder.mkdir(exist_ok=True, mode=0o700)  # `parents=True` would leave them open
            with _removed_on_failure(draft):
                descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(ciphertext)
                    file.flush()
                    os.fsync(file.fileno())
                draft.rename(path)
            _sync_folder(path.parent)
        except OSError as problem:
            raise Unavailable(
                "OBJECT_STORE_WRITE",
                Text(zh="材料无法保存。", en="The evidence could not be stored."),
                Text(zh="请检查磁盘空间后重试。", en="Check the disk space, then try again."),
                {"reason": problem.strerror or type(problem).__name__},
            ) from problem

    def get(self, object_id: str) -> bytes:
        """Return the ciphertext; Unavailable when it is not there."""
        try:
            return self._path(object_id).read_bytes()
        except OSError as problem:
            raise Unavailable(
                "OBJECT_STORE_READ",
                Text(zh="材料无法读取。", en="The evidence could not be read from its store."),
                Text(zh="请检查存储服务或从备份恢复。", en="Check the store, or restore it from a backup."),
                {"reason": problem.strerror or type(problem).__name__},
            ) from problem

    def remove(self, object_id: str) -> None:
        """Remove the ciphertext; nothing happens when it is gone already."""
        self._path(object_id).unlink(missing_ok=True)

    def _path(self, object_id: str) -> Path:
        if not _OBJECT_ID.fullmatch(object_id):
            message = "an object id has 8 to 64 letters, digits and hyphens"
            raise ValueError(message)
        return self.folder / object_id.replace("-", "")[-3:-1] / object_id


@contextlib.contextmanager
def _removed_on_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    """Make the new name durable; the file's own sync does not."""
    if os.name != "posix":  # pragma: no cover - a folder cannot be opened elsewhere
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
