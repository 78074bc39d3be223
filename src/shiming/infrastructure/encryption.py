"""Data keys, the keys that wrap them, and keyed names of people.

A data key (256 bits) encrypts evidence (`framed_encryption`). It is kept only wrapped (AES key wrap, RFC
3394) by a key-encryption key (KEK) that never leaves its provider. Destroying the wrapped key erases what
it encrypted, in every copy and backup.

A person is known by a keyed pseudonym, HMAC-SHA-256 over the kind of the number and the number itself.
Without the key nobody can tell whether a guessed identity number is in the database.

Providers: a key file (`key_file`), the environment (`key_environment`), a hardware module for the KEKs
(`hardware_keys`). All hold the same `KeyProvider`, and `key_choice` picks one.
"""

import base64
import hashlib
import hmac
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from shiming.infrastructure.canonical_json import canonical_bytes
from shiming.vocabulary.errors import Text, Unavailable

KEY_BYTES = 32


class KeyUse(StrEnum):
    """What a key is for; no key serves two purposes."""

    KEY_ENCRYPTION = "key_encryption"
    PSEUDONYM = "pseudonym"
    LEDGER = "ledger"


@dataclass(frozen=True, slots=True, repr=False)
class WrappedKey:
    """A data key that only the provider of `kek_id` can open."""

    kek_id: str
    wrapped: bytes

    def __repr__(self) -> str:
        return f"WrappedKey(kek_id={self.kek_id!r})"


@dataclass(frozen=True, slots=True)
class Mac:
    """A message authentication code and the key that made it."""

    key_id: str
    value: str


class KekProvider(Protocol):
    """Wraps data keys; its key-encryption keys stay inside."""

    def kek_ids(self) -> tuple[str, ...]:
        """Return the key-encryption keys by name; the last one wraps, the others only unwrap."""
        ...

    def wrap(self, data_key: bytes) -> WrappedKey:
        """Wrap a data key by the present key-encryption key."""
        ...

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        """Open a wrapped data key; Unavailable when its key is unknown or it was altered."""
        ...


class KeyProvider(KekProvider, Protocol):
    """Keeps all long-lived keys and works with them; it hands none out."""

    def mac(self, use: KeyUse, message: bytes, key_id: str | None = None) -> Mac:
        """Authenticate `message` by the present key of `use`, or by a named older one."""
        ...


@dataclass(frozen=True, slots=True)
class InMemoryKeys:
    """Keys by use and name; the last of each use is the present one."""

    _keys: Mapping[KeyUse, Mapping[str, bytes]]

    def __repr__(self) -> str:
        return f"InMemoryKeys({[name for keys in self._keys.values() for name in keys]})"

    def kek_ids(self) -> tuple[str, ...]:
        """Return the key-encryption keys by name; the last one wraps, the others only unwrap."""
        return tuple(self._keys[KeyUse.KEY_ENCRYPTION])

    def wrap(self, data_key: bytes) -> WrappedKey:
        """Wrap a data key by the present key-encryption key."""
        kek_id, kek = self._key(KeyUse.KEY_ENCRYPTION, None)
        return WrappedKey(kek_id, aes_key_wrap(kek, data_key))

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        """Open a wrapped data key; Unavailable when its key is unknown or it was altered."""
        _, kek = self._key(KeyUse.KEY_ENCRYPTION, wrapped.kek_id)
        try:
            return aes_key_unwrap(kek, wrapped.wrapped)
        except (InvalidUnwrap, ValueError) as problem:
            raise undecryptable() from problem

    def mac(self, use: KeyUse, message: bytes, key_id: str | None = None) -> Mac:
        """Authenticate `message` by the present key of `use`, or by a named older one."""
        name, key = self._key(use, key_id)
        return Mac(name, hmac.new(key, message, hashlib.sha256).hexdigest())

    def knows(self, use: KeyUse, key_id: str) -> bool:
        """Say whether a key is here."""
        return key_id in self._keys[use]

    def _key(self, use: KeyUse, key_id: str | None) -> tuple[str, bytes]:
        keys = self._keys[use]
        name = key_id if key_id is not None else next(reversed(list(keys)), use.value)
        if name not in keys:
            raise key_unknown(name)
        return name, keys[name]


@dataclass(frozen=True, slots=True)
class SplitKeys:
    """Key-encryption keys in a hardware module; all other keys, and the older ones of its kind, elsewhere."""

    keks: KekProvider
    others: KeyProvider

    def kek_ids(self) -> tuple[str, ...]:
        """Return the key-encryption keys by name; the last one wraps, the others only unwrap."""
        return (*self.others.kek_ids(), *self.keks.kek_ids())

    def wrap(self, data_key: bytes) -> WrappedKey:
        """Wrap a data key by the present key-encryption key."""
        return self.keks.wrap(data_key)

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        """Open a wrapped data key; Unavailable when its key is unknown or it was altered."""
        older = wrapped.kek_id in self.others.kek_ids()
        return (self.others if older else self.keks).unwrap(wrapped)

    def mac(self, use: KeyUse, message: bytes, key_id: str | None = None) -> Mac:
        """Authenticate `message` by the present key of `use`, or by a named older one."""
        return self.others.mac(use, message, key_id)


def new_data_key() -> bytes:
    """Return a fresh random data key."""
    return AESGCM.generate_key(bit_length=8 * KEY_BYTES)


def subject_pseudonym(keys: KeyProvider, number_kind: str, number: str, *, key_id: str | None = None) -> str:
    """Return the keyed name of the holder of an identity number, `key-id.base64url`.

    `number_kind` names the number, not the paper it is printed on: resident card, temporary card and
    household register show the same resident identity number, and must give the same person.
    Width, case, spaces and hyphens do not matter.
    """
    plain = "".join(unicodedata.normalize("NFKC", number).upper().split()).replace("-", "")
    mac = keys.mac(KeyUse.PSEUDONYM, canonical_bytes({"kind": number_kind, "number": plain}), key_id)
    return f"{mac.key_id}.{base64.urlsafe_b64encode(bytes.fromhex(mac.value)).decode().rstrip('=')}"


def key_unknown(key_id: str) -> Unavailable:
    """Return the error for a key that data need and the provider does not hold."""
    return Unavailable(
        "KEY_UNKNOWN",
        Text(
            zh="所需密钥不在本系统的密钥中。",
            en="The key that is needed is not among this installation's keys.",
        ),
        Text(
            zh="请恢复与数据对应的密钥文件、环境变量或密码设备。",
            en="Restore the key file, the environment or the hardware module that belongs to this data.",
        ),
        {"key_id": key_id},
    )


def undecryptable() -> Unavailable:
    """Return the one error for whatever does not decrypt; why is nobody's business."""
    return Unavailable(
        "EVIDENCE_UNDECRYPTABLE",
        Text(zh="材料无法解密。", en="The evidence cannot be decrypted."),
        Text(
            zh="文件已损坏、被替换或密钥不符；请通知隐私负责人。",
            en="It is damaged, was exchanged, or belongs to other keys; tell the privacy officer.",
        ),
    )
