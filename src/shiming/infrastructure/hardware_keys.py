"""Key-encryption keys in a PKCS#11 token (HSM), which wraps and unwraps inside (AES key wrap, RFC 3394).

The keys are AES-256, sensitive and not extractable, and named `shiming-hsm1`, `shiming-hsm2`, ...: the
highest number is the present one. Data keys leave the token only unwrapped for use, as a session object that
is destroyed at once. Keys of pseudonyms and of the ledger stay with another provider: a registration needs
several of their codes, and a token over a network would decide its speed.

Tested against SoftHSM 2.6. Needs python-pkcs11 (part of the server packages) and the vendor's module. A
process that was forked after the module was loaded must open it again.
"""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shiming.infrastructure.encryption import KEY_BYTES, WrappedKey, key_unknown, undecryptable
from shiming.vocabulary.errors import Text, Unavailable

LOOK_AGAIN_S = 10.0  # a key that another process added is used after this time at the latest
_LABEL = "shiming-"
_KEK = re.compile(rf"{_LABEL}(hsm(\d{{1,9}}))")


class HardwareKeys:
    """The key-encryption keys of one token; one session, used by one thread at a time."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._keys: dict[str, Any] = {}
        self._closed = False
        with _token_errors():
            self._look()

    def __repr__(self) -> str:
        return f"HardwareKeys({list(self._keys)})"

    def kek_ids(self) -> tuple[str, ...]:
        """Return the key-encryption keys by name; the last one wraps, the others only unwrap."""
        with self._lock, _token_errors():
            self._look()
            return tuple(self._keys)

    def wrap(self, data_key: bytes) -> WrappedKey:
        """Wrap a data key by the present key-encryption key."""
        import pkcs11  # noqa: PLC0415 - part of the server packages

        with self._lock, _token_errors():
            if time.monotonic() - self._looked_at > LOOK_AGAIN_S:
                self._look()
            if not self._keys:
                raise _token_empty()
            kek_id, kek = next(reversed(self._keys.items()))
            template = {
                pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY,
                pkcs11.Attribute.KEY_TYPE: pkcs11.KeyType.AES,
                pkcs11.Attribute.VALUE: data_key,
                **_session_key(),
            }
            inside = self._session.create_object(template)
            try:
                return WrappedKey(kek_id, kek.wrap_key(inside, mechanism=pkcs11.Mechanism.AES_KEY_WRAP))
            finally:
                inside.destroy()

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        """Open a wrapped data key; Unavailable when its key is unknown or it was altered."""
        import pkcs11  # noqa: PLC0415 - part of the server packages

        with self._lock, _token_errors():
            if wrapped.kek_id not in self._keys:
                self._look()
            if wrapped.kek_id not in self._keys:
                raise key_unknown(wrapped.kek_id)
            try:
                inside = self._keys[wrapped.kek_id].unwrap_key(
                    pkcs11.ObjectClass.SECRET_KEY,
                    pkcs11.KeyType.AES,
                    wrapped.wrapped,
                    mechanism=pkcs11.Mechanism.AES_KEY_WRAP,
                    template=_session_key(),
                )
            except _altered() as problem:
                raise undecryptable() from problem
            try:
                return bytes(inside[pkcs11.Attribute.VALUE])
            finally:
                inside.destroy()

    def add_kek(self) -> str:
        """Make a new key-encryption key inside the token the present one; return its name."""
        import pkcs11  # noqa: PLC0415 - part of the server packages

        with self._lock, _token_errors():
            self._look()
            name = f"hsm{max((_number(known) for known in self._keys), default=0) + 1}"
            self._session.generate_key(
                pkcs11.KeyType.AES,
                8 * KEY_BYTES,
                label=_LABEL + name,
                store=True,
                template={
                    pkcs11.Attribute.SENSITIVE: True,
                    pkcs11.Attribute.EXTRACTABLE: False,
                    pkcs11.Attribute.WRAP: True,
                    pkcs11.Attribute.UNWRAP: True,
                    pkcs11.Attribute.ENCRYPT: False,
                    pkcs11.Attribute.DECRYPT: False,
                },
            )
            self._look()
        return name

    def close(self) -> None:
        """End the session with the token; twice is once."""
        with self._lock:
            if not self._closed:
                self._session.close()
            self._closed = True

    def _look(self) -> None:
        """See which keys the token has now; another process may have added one."""
        import pkcs11  # noqa: PLC0415 - part of the server packages

        template = {
            pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY,
            pkcs11.Attribute.TOKEN: True,
        }
        found = {
            match.group(1): key
            for key in self._session.get_objects(template)
            if (match := _KEK.fullmatch(key.label or ""))
        }
        self._keys = dict(sorted(found.items(), key=lambda named: _number(named[0])))
        self._looked_at = time.monotonic()


def open_hardware_keys(module: Path, token_label: str, pin: str) -> HardwareKeys:
    """Open a token; Unavailable when driver, module or token is missing or the PIN is wrong."""
    try:
        import pkcs11  # noqa: PLC0415 - part of the server packages
    except ModuleNotFoundError as problem:
        raise _refused(
            "HARDWARE_DRIVER_MISSING",
            Text(zh="未安装密码设备的驱动程序。", en="python-pkcs11 is not installed."),
            Text(zh="请运行 make server。", en="Run `make server`."),
        ) from problem
    if not module.is_file():
        raise _refused(
            "HARDWARE_MODULE_MISSING",
            Text(zh="找不到 PKCS#11 模块。", en="There is no PKCS#11 module at this place."),
            Text(zh="请检查 SHIMING_PKCS11_MODULE。", en="Check SHIMING_PKCS11_MODULE."),
        )
    with _token_errors():
        token = pkcs11.lib(str(module)).get_token(token_label=token_label)
        return HardwareKeys(token.open(user_pin=pin, rw=True))


@contextmanager
def _token_errors() -> Iterator[None]:
    import pkcs11  # noqa: PLC0415 - part of the server packages

    try:
        yield
    except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange, pkcs11.PinLocked) as problem:
        raise _refused(
            "HARDWARE_PIN",
            Text(zh="密码设备的 PIN 不正确或已锁定。", en="The PIN of the token is wrong or locked."),
            Text(
                zh="请检查 PIN，不要反复尝试。",
                en="Check the PIN; do not try often, or the token locks itself.",
            ),
        ) from problem
    except pkcs11.PKCS11Error as problem:
        raise _refused(
            "HARDWARE_KEYS_UNAVAILABLE",
            Text(zh="密码设备不可用。", en="The hardware module cannot be used."),
            Text(
                zh="请检查设备、标签和连接。",
                en="Check the device, the label of its token and its connection.",
            ),
            type(problem).__name__,
        ) from problem


def _token_empty() -> Unavailable:
    return _refused(
        "HARDWARE_KEY_MISSING",
        Text(zh="密码设备中没有本系统的密钥。", en="The token holds no key of this program yet."),
        Text(zh="请执行 shiming kek new。", en="Run: shiming kek new"),
    )


def _altered() -> tuple[type[Exception], ...]:
    """Return the errors by which modules refuse a wrapped key that was altered; SoftHSM says GeneralError."""
    import pkcs11  # noqa: PLC0415 - part of the server packages

    return (
        pkcs11.WrappedKeyInvalid,
        pkcs11.WrappedKeyLenRange,
        pkcs11.EncryptedDataInvalid,
        pkcs11.EncryptedDataLenRange,
        pkcs11.GeneralError,
    )


def _session_key() -> dict[Any, Any]:
    """Return the attributes of a data key inside the token: it lives for one call and may leave."""
    import pkcs11  # noqa: PLC0415 - part of the server packages

    return {
        pkcs11.Attribute.TOKEN: False,
        pkcs11.Attribute.SENSITIVE: False,
        pkcs11.Attribute.EXTRACTABLE: True,
    }


def _number(name: str) -> int:
    return int(name.removeprefix("hsm"))


def _refused(code: str, text: Text, advice: Text, reason: str = "") -> Unavailable:
    return Unavailable(code, text, advice, {"reason": reason} if reason else {})
