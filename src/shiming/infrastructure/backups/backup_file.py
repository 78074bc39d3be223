"""The file of a backup: a ZIP archive of the database and of a manifest that says what it is.

`database` is a whole SQLite file or a dump of PostgreSQL in its custom format; `manifest.json` names engine,
schema revision, time, programs, size and SHA-256. Any ZIP program opens it. It is written under another name,
synced and renamed, for its owner's eyes only (0600): a crash leaves no half of a backup under its name.
"""

import contextlib
import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Self

from shiming.vocabulary.errors import BadInput, Text, Unavailable

FORMAT = 1
_DATABASE = "database"
_MANIFEST = "manifest.json"
_MANIFEST_BYTES_MAX = 1 << 20  # a manifest is a few hundred bytes; more is not one of ours
_CHUNK = 1 << 20
Progress = Callable[[int, int | None], None]
"""Called with how much is done and, where it is known, how much there is."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds; `checkpoint`: the ledger's newest signed note, `server`: PostgreSQL's version."""

    engine: str
    revision: str
    taken_at: datetime
    program: str
    server: int | None = None
    checkpoint: str | None = None
    size: int = 0  # bytes of the database
    sha256: str = ""

    def to_text(self) -> str:
        """Return the manifest as it is stored."""
        content: dict[str, Any] = {"format": FORMAT, **asdict(self), "taken_at": self.taken_at.isoformat()}
        return json.dumps(content, indent=1, ensure_ascii=False)

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Read a manifest; BadInput for what is none or is of a later form."""
        try:
            content = json.loads(text)
            form = content.pop("format")
            taken_at = datetime.fromisoformat(content.pop("taken_at")).astimezone(UTC)
            manifest = cls(taken_at=taken_at, **content)
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise _damaged() from problem
        words = (manifest.engine, manifest.revision, manifest.sha256)
        if form != FORMAT or not all(isinstance(word, str) for word in words):
            raise _damaged()
        return manifest


def write_backup(path: Path, manifest: Manifest, fill: Callable[[IO[bytes]], None]) -> Manifest:
    """Write a backup whose database `fill` writes; return the manifest with size and hash.

    BadInput when the file exists already, Unavailable when the disk does not take it.
    """
    if path.exists():
        raise BadInput(
            "BACKUP_EXISTS",
            Text(zh="该文件已存在。", en="There is a file of this name already."),
            Text(zh="请换一个文件名；备份不会被覆盖。", en="Choose another; a backup is never overwritten."),
        )
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with _removed_on_failure(draft):
            with os.fdopen(descriptor, "w+b") as file:
                manifest = _write_archive(file, manifest, fill)
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)  # unlike a rename, never replaces what came there meanwhile
            draft.unlink()
        _sync_folder(path.parent)
    except OSError as problem:
        raise Unavailable(
            "BACKUP_UNWRITABLE",
            Text(zh="备份无法写入。", en="The backup cannot be written."),
            Text(zh="请检查目录和磁盘空间。", en="Check the folder and the disk space."),
            {"reason": problem.strerror or type(problem).__name__},
        ) from problem
    return manifest


@contextlib.contextmanager
def reading_backup(path: Path) -> Iterator[tuple[Manifest, IO[bytes]]]:
    """Open a backup; the database is read once, and refused at its end if it is not what was written."""
    try:
        with zipfile.ZipFile(path) as archive:
            with archive.open(_MANIFEST) as file:
                manifest = Manifest.parse(file.read(_MANIFEST_BYTES_MAX))
            with archive.open(_DATABASE) as database:
                yield manifest, database
    except OSError as problem:
        raise BadInput(
            "BACKUP_UNREADABLE",
            Text(zh="备份文件无法读取。", en="The file of the backup cannot be read."),
            details={"reason": problem.strerror or type(problem).__name__},
        ) from problem
    except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError) as problem:
        raise _damaged() from problem


def copy_database(manifest: Manifest, source: IO[bytes], target: IO[bytes], progress: Progress) -> None:
    """Copy the database out of a backup; BadInput when it is not the one that was written."""
    digest, done, held = hashlib.sha256(), 0, b""
    while chunk := source.read(_CHUNK):
        target.write(held)
        held = chunk
        digest.update(chunk)
        done += len(chunk)
        progress(done, manifest.size)
    if digest.hexdigest() != manifest.sha256:
        raise _damaged()
    target.write(held)  # what lacks its end is of no use to anybody


class _Measured:
    """A file that counts and hashes what is written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, chunk: bytes) -> int:
        self.digest.update(chunk)
        self.size += len(chunk)
        return self._file.write(chunk)


def _write_archive(file: IO[bytes], manifest: Manifest, fill: Callable[[IO[bytes]], None]) -> Manifest:
    compression = zipfile.ZIP_STORED if manifest.engine == "postgresql" else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(file, "w", compression, compresslevel=1) as archive:
        with archive.open(_DATABASE, "w", force_zip64=True) as database:
            measured = _Measured(database)
            fill(measured)  # type: ignore[arg-type] # `write` is all that is used of it
        manifest = replace(manifest, size=measured.size, sha256=measured.digest.hexdigest())
        archive.writestr(_MANIFEST, manifest.to_text())
    return manifest


@contextlib.contextmanager
def _removed_on_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _damaged() -> BadInput:
    return BadInput(
        "BACKUP_DAMAGED",
        Text(zh="备份文件已损坏，或不是备份。", en="The file is damaged, or is no backup."),
        Text(zh="请使用另一份备份。", en="Use another copy of the backup."),
    )
