"""The key file: every long-lived secret of an installation, for its owner's eyes only.

JSON, created at first use with mode 0600 and never written again by the program. One that others can read,
a link, or one owned by somebody else is refused: whoever could read it can decrypt every backup.
A missing file next to an existing database is refused as well, because new keys would hide the loss of
everything that the old ones protect. **Keep a copy of it apart from the backups of the data.**
"""

import base64
import json
import os
import stat
from pathlib import Path

from shiming.infrastructure.encryption import KEY_BYTES, InMemoryKeys, KeyUse
from shiming.vocabulary.errors import Text, Unavailable

_OPEN_TO_OTHERS = 0o077
_FIRST_NAMES = {KeyUse.KEY_ENCRYPTION: "kek1", KeyUse.PSEUDONYM: "p1", KeyUse.LEDGER: "l1"}


def open_key_file(path: Path, *, may_create: bool) -> InMemoryKeys:
    """Read the keys; with `may_create` (no database yet) make them first. Safe against a second process."""
    if may_create and not path.is_symlink() and not path.exists():
        _create(path)
    return _read(path)


def _create(path: Path) -> None:
    keys = {
        use.value: {name: base64.b64encode(os.urandom(KEY_BYTES)).decode()}
        for use, name in _FIRST_NAMES.items()
    }
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump({"version": 1, "keys": keys}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # fails when another process was first; then its keys are the keys
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)


def _read(path: Path) -> InMemoryKeys:
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
        _refuse_exposed(os.fstat(file.fileno()), path)
        try:
            return _parse(file.read())
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


def _unusable() -> Unavailable:
    return _refused(
        "KEY_FILE_UNUSABLE",
        Text(zh="密钥文件无法读取或已损坏。", en="The key file cannot be read or is damaged."),
        Text(zh="请从备份恢复密钥文件。", en="Restore the key file from its backup."),
    )


def _refused(code: str, text: Text, advice: Text) -> Unavailable:
    return Unavailable(code, text, advice)
