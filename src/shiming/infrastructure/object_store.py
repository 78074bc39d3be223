"""Where encrypted objects lie: a port, and the folder that implements it (`object_store_s3` is another one).

An object store sees ciphertext only. Objects are never changed: written once under a random id, read,
removed. The folder writes to a temporary file of the same folder, syncs it and renames it, so that a
reader or a crash finds a whole object or none.
"""

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from shiming.vocabulary.errors import Text, Unavailable

CHUNK_BYTES = 256 * 1024  # read at a time
_OBJECT_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{7,63}")
_UNFINISHED = ".part"


class ObjectStore(Protocol):
    """Keeps ciphertexts by id."""

    def put(self, object_id: str, chunks: Iterable[bytes]) -> None:
        """Store durably, whole or not at all; Unavailable when it cannot be."""
        ...

    def open(self, object_id: str) -> Iterator[bytes]:
        """Return the ciphertext in pieces; Unavailable (OBJECT_MISSING when it is not there)."""
        ...

    def exists(self, object_id: str) -> bool:
        """Say whether the object is there; Unavailable when the store cannot tell."""
        ...

    def remove(self, object_id: str) -> None:
        """Remove the ciphertext; nothing happens when it is gone already."""
        ...

    def list_ids(self, *, older_than: datetime) -> Iterator[str]:
        """Return the ids of objects stored before an instant, in no order."""
        ...

    def discard_unfinished(self, *, older_than: datetime) -> int:
        """Remove what writers left behind that died before an instant; return how many."""
        ...


@dataclass(frozen=True, slots=True)
class FolderObjectStore:
    """Objects as files of a private folder, spread over sub-folders by the hash-like end of their id."""

    folder: Path

    def put(self, object_id: str, chunks: Iterable[bytes]) -> None:
        """Store durably, whole or not at all; Unavailable when it cannot be."""
        path = self._path(object_id)
        draft = path.with_name(f".{path.name}.{os.urandom(4).hex()}{_UNFINISHED}")
        with _refusals("OBJECT_STORE_WRITE"):
            with _removed_on_failure(draft):
                with os.fdopen(_create(draft), "wb", buffering=0) as file:
                    for chunk in chunks:
                        _write_all(file.fileno(), chunk)
                    os.fsync(file.fileno())
                draft.rename(path)
            _sync_folder(path.parent)

    def open(self, object_id: str) -> Iterator[bytes]:
        """Return the ciphertext in pieces; Unavailable (OBJECT_MISSING when it is not there)."""
        path = self._path(object_id)
        with _refusals("OBJECT_STORE_READ"):
            try:
                file = path.open("rb", buffering=0)
            except FileNotFoundError as problem:
                raise object_missing(object_id) from problem
        return _pieces(file.fileno(), file)

    def exists(self, object_id: str) -> bool:
        """Say whether the object is there; Unavailable when the store cannot tell."""
        with _refusals("OBJECT_STORE_READ"):
            try:
                self._path(object_id).stat()
            except FileNotFoundError:
                return False
            return True

    def remove(self, object_id: str) -> None:
        """Remove the ciphertext; nothing happens when it is gone already."""
        with _refusals("OBJECT_STORE_WRITE"):
            self._path(object_id).unlink(missing_ok=True)

    def list_ids(self, *, older_than: datetime) -> Iterator[str]:
        """Return the ids of objects stored before an instant, in no order."""
        return (path.name for path in self._files(older_than) if _OBJECT_ID.fullmatch(path.name))

    def discard_unfinished(self, *, older_than: datetime) -> int:
        """Remove what writers left behind that died before an instant; return how many."""
        drafts = [path for path in self._files(older_than) if path.name.endswith(_UNFINISHED)]
        with _refusals("OBJECT_STORE_WRITE"):
            for path in drafts:
                path.unlink(missing_ok=True)
        return len(drafts)

    def _files(self, older_than: datetime) -> Iterator[Path]:
        with _refusals("OBJECT_STORE_READ"):
            for path in self.folder.glob("*/*"):
                with contextlib.suppress(FileNotFoundError):  # removed while we look
                    if datetime.fromtimestamp(path.stat().st_mtime, UTC) < older_than:
                        yield path

    def _path(self, object_id: str) -> Path:
        return self.folder / object_id_checked(object_id).replace("-", "")[-3:-1] / object_id


def object_id_checked(object_id: str) -> str:
    """Return the id; ValueError for one that could be anything but a name."""
    if not _OBJECT_ID.fullmatch(object_id):
        message = "an object id has 8 to 64 letters, digits and hyphens"
        raise ValueError(message)
    return object_id


def object_missing(object_id: str) -> Unavailable:
    """Return the error for an object that is not there."""
    return Unavailable(
        "OBJECT_MISSING",
        Text(zh="材料文件不存在。", en="The object of this evidence is not in its store."),
        Text(zh="请从备份恢复材料存储。", en="Restore the object store from its backup."),
        {"object": object_id},
    )


def object_store_unavailable(code: str, reason: str) -> Unavailable:
    """Return the error for a store that does not write (OBJECT_STORE_WRITE) or read (OBJECT_STORE_READ)."""
    if code == "OBJECT_STORE_WRITE":
        text = Text(zh="材料无法保存。", en="The evidence could not be stored.")
        advice = Text(
            zh="请检查磁盘空间或存储服务后重试；尚未写入任何内容。",
            en="Check the disk space or the storage service, then try again; nothing was written.",
        )
    else:
        text = Text(zh="材料无法读取。", en="The evidence could not be read from its store.")
        advice = Text(zh="请检查存储服务后重试。", en="Check the store, then try again.")
    return Unavailable(code, text, advice, {"reason": reason})


@contextlib.contextmanager
def _refusals(code: str) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise object_store_unavailable(code, problem.strerror or type(problem).__name__) from problem


def _pieces(descriptor: int, file: contextlib.AbstractContextManager[object]) -> Iterator[bytes]:
    with file, _refusals("OBJECT_STORE_READ"):
        while chunk := os.read(descriptor, CHUNK_BYTES):
            yield chunk


def _write_all(descriptor: int, chunk: bytes) -> None:
    """Write every byte: a single write may take fewer when the disk is nearly full."""
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


@contextlib.contextmanager
def _removed_on_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _create(draft: Path) -> int:
    """Create a new private file, and its folders when it is the first in them."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        return os.open(draft, flags, 0o600)
    except FileNotFoundError:
        for folder in (draft.parent.parent, draft.parent):
            _make_folder(folder)
        return os.open(draft, flags, 0o600)


def _make_folder(folder: Path) -> None:
    """Make one folder for its owner alone (`parents=True` would leave the upper ones open), durably."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name durable; the file's own sync does not."""
    if os.name != "posix":  # pragma: no cover - a folder cannot be opened elsewhere
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
