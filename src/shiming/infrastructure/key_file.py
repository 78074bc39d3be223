"""The key file: every long-lived secret of an installation, for its owner's eyes only.

JSON, created at first use with mode 0600. The program changes it for one reason only: `add_kek` puts a new
key-encryption key behind the others, whole or not at all. A file that others can read, a link, or one owned
by somebody else is refused: whoever could read it can decrypt every backup. A missing file next to an
existing database is refused as well, because new keys would hide the loss of all that the old ones protect.
**Keep a copy of it apart from the backups of the data.**
"""

import base64
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shiming.infrastructure.encryption import KEY_BYTES, InMemoryKeys, KeyUse, Mac, WrappedKey
from shiming.vocabulary.errors import Text, Unavailable

_OPEN_TO_OTHERS = 0o077
_FIRST_NAMES = {KeyUse.KEY_ENCRYPTION: "kek1", KeyUse.PSEUDONYM: "p1", KeyUse.LEDGER: "l1"}
_NUMBERED = re.compile(r"kek(\d{1,9})")


class FileKeys:
    """The keys of a file; running programs see at once when a key-encryption key is added."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen, self._keys = _read(path)

    def __repr__(self) -> str:
        return f"FileKeys({self._path.name}, {self._keys!r})"

    def kek_ids(self) -> tuple[str, ...]:
        """Return the key-encryption keys by name; the last one wraps, the others only unwrap."""
        return self._current().kek_ids()

    def wrap(self, data_key: bytes) -> WrappedKey:
        """Wrap a data key by the present key-encryption key."""
        return self._current().wrap(data_key)

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        """Open a wrapped data key; Unavailable when its key is unknown or it was altered."""
        keys = self._keys if self._keys.knows(KeyUse.KEY_ENCRYPTION, wrapped.kek_id) else self._current()
        return keys.unwrap(wrapped)

    def mac(self, use: KeyUse, message: bytes, key_id: str | None = None) -> Mac:
        """Authenticate `message` by the present key of `use`, or by a named older one."""
        return self._keys.mac(use, message, key_id)

    def _current(self) -> InMemoryKeys:
        """Return the keys as the file has them now; it is read again only when it was replaced."""
        try:
            unchanged = _identity(os.lstat(self._path)) == self._seen
        except OSError:
            unchanged = False
        if not unchanged:
            self._seen, self._keys = _read(self._path)
        return self._keys


def open_key_file(path: Path, *, may_create: bool) -> FileKeys:
    """Read the keys; with `may_create` (no database yet) make them first. Safe against a second process."""
    if may_create and not path.is_symlink() and not path.exists():
        _create(path)
    return FileKeys(path)


def add_kek(path: Path) -> str:
    """Make a new key-encryption key the present one and return its name; the older ones only unwrap then.

    Two processes that add at once: one is refused with KEY_FILE_BUSY, and neither key is lost.
    """
    _, keys = _read(path)
    numbers = [int(found.group(1)) for name in keys.kek_ids() if (found := _NUMBERED.fullmatch(name))]
    name = f"kek{max(numbers, default=0) + 1}"
    with _alone(path):
        content = json.loads(path.read_text(encoding="ascii"))
        keks = content["keys"][KeyUse.KEY_ENCRYPTION.value]
        if name in keks:
            raise _busy()
        keks[name] = base64.b64encode(os.urandom(KEY_BYTES)).decode()
        draft = _write_draft(path, content)
        draft.replace(path)
        _sync_folder(path.parent)
    return name


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock file beside the key file; one that a killed process left is removed by hand."""
    lock = path.with_name(f".{path.name}.lock")
    try:
        os.close(os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError as problem:
        raise _busy() from problem
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _create(path: Path) -> None:
    keys = {
        use.value: {name: base64.b64encode(os.urandom(KEY_BYTES)).decode()}
        for use, name in _FIRST_NAMES.items()
    }
    draft = _write_draft(path, {"version": 1, "keys": keys})
    try:
        os.link(draft, path)  # fails when another process was first; then its keys are the keys
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _write_draft(path: Path, content: object) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_mtime_ns, status.st_size


def _read(path: Path) -> tuple[tuple[int, int, int], InMemoryKeys]:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError as problem:
        raise _refused(
            "KEY_FILE_MISSING",
            Text(zh="找不到密钥文件。", en="The key file is missing."),
            Text(
                zh="请从备份恢复；没有它，已存材料无法解密。",
                en="Restore it from its backup; what is stored cannot be decrypted without it.",
            ),
        ) from problem
    except OSError as problem:
        raise _unusable() from problem
    with os.fdopen(descriptor, "r", encoding="ascii") as file:
        status = os.fstat(file.fileno())
        _refuse_exposed(status, path)
        try:
            return _identity(status), _parse(file.read())
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise _unusable() from problem


def _refuse_exposed(status: os.stat_result, path: Path) -> None:
    mode = stat.S_IMODE(status.st_mode)
    if os.name == "posix" and (mode & _OPEN_TO_OTHERS or status.st_uid != os.geteuid()):
        raise _refused(
            "KEY_FILE_EXPOSED",
            Text(zh="其他用户可以读取密钥文件。", en="Other users can read the key file."),
            Text(
                zh=f"请执行 chmod 600 {path}，并考虑更换密钥。",
                en=f"Run: chmod 600 {path} - and consider new keys, since others may have read these.",
            ),
        )


def _parse(text: str) -> InMemoryKeys:
    content = json.loads(text)
    if content["version"] != 1:
        raise ValueError(content["version"])
    keys = {
        use: {name: base64.b64decode(key, validate=True) for name, key in content["keys"][use.value].items()}
        for use in KeyUse
    }
    if not all(named and all(len(key) == KEY_BYTES for key in named.values()) for named in keys.values()):
        raise ValueError(KEY_BYTES)
    return InMemoryKeys(keys)


def _busy() -> Unavailable:
    return _refused(
        "KEY_FILE_BUSY",
        Text(zh="另一个程序正在添加密钥。", en="Another program is adding a key."),
        Text(
            zh="请稍后重试；若没有其他程序，请删除密钥文件旁的 .lock 文件。",
            en="Try again in a moment; if no other program runs, remove the .lock file beside the key file.",
        ),
    )


def _unusable() -> Unavailable:
    return _refused(
        "KEY_FILE_UNUSABLE",
        Text(zh="密钥文件无法读取或已损坏。", en="The key file cannot be read or is damaged."),
        Text(zh="请从备份恢复密钥文件。", en="Restore the key file from its backup."),
    )


def _refused(code: str, text: Text, advice: Text) -> Unavailable:
    return Unavailable(code, text, advice)
