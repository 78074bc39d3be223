"""Envelope encryption and keyed names of people.

Each object has its own data key (256 bits). AES-256-GCM encrypts the object under it; the associated data
is the object's id and the pseudonym of its subject, so that a ciphertext moved to another row or another
person does not open. The data key is kept only wrapped (AES key wrap, RFC 3394) by a key-encryption key
that never leaves its provider. Destroying the wrapped key erases the object, in every copy and backup.

A person is known by a keyed pseudonym, HMAC-SHA-256 over the kind of the number and the number itself.
Without the key nobody can tell whether a guessed identity number is in the database.

The provider in this file is a key file; a provider with a hardware module implements the same `KeyProvider`.
"""

import base64
import hashlib
import hmac
import os
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from shiming.infrastructure.canonical_json import canonical_bytes
from shiming.vocabulary.errors import Text, Unavailable

KEY_BYTES = 32
_NONCE_BYTES = 12  # NIST SP 800-38D; a data key encrypts one object, so a random nonce never repeats
_FORM = b"SHM1"  # marks an object that is encrypted as a whole; a framed form will carry another mark


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


class KeyProvider(Protocol):
    """Keeps the long-lived keys and works with them; it hands none out."""

    def wrap(self, data_key: bytes) -> WrappedKey:
        """Wrap a data key by the present key-encryption key."""
        ...

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        """Open a wrapped data key; Unavailable when its key is unknown or it was altered."""
        ...

    def mac(self, use: KeyUse, message: bytes, key_id: str | None = None) -> Mac:
        """Authenticate `message` by the present key of `use`, or by a named older one."""
        ...


@dataclass(frozen=True, slots=True)
class InMemoryKeys:
    """Keys by use and name; the last of each use is the present one."""

    _keys: dict[KeyUse, dict[str, bytes]]

    def __repr__(self) -> str:
        return f"InMemoryKeys({[name for keys in self._keys.values() for name in keys]})"

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

    def _key(self, use: KeyUse, key_id: str | None) -> tuple[str, bytes]:
        keys = self._keys[use]
        name = key_id if key_id is not None else next(reversed(keys))
        if name not in keys:
            raise Unavailable(
                "KEY_UNKNOWN",
                Text(zh="所需密钥不在密钥文件中。", en="The key that is needed is not in the key file."),
                Text(zh="请恢复原来的密钥文件。", en="Restore the key file that belongs to this data."),
                {"key_id": name},
            )
        return name, keys[name]


@dataclass(frozen=True, slots=True)
class ObjectContext:
    """What a ciphertext is bound to."""

    object_id: str
    subject: str

    def associated_data(self) -> bytes:
        """Return the bytes that are authenticated with the object."""
        return canonical_bytes({"object": self.object_id, "subject": self.subject})


def encrypt(content: bytes, data_key: bytes, context: ObjectContext) -> bytes:
    """Encrypt one object under its own data key."""
    nonce = os.urandom(_NONCE_BYTES)
    return _FORM + nonce + AESGCM(data_key).encrypt(nonce, content, context.associated_data())


def decrypt(ciphertext: bytes, data_key: bytes, context: ObjectContext) -> bytes:
    """Return the content; Unavailable for a wrong key, another context or an altered byte."""
    nonce, body = ciphertext[len(_FORM) :][:_NONCE_BYTES], ciphertext[len(_FORM) + _NONCE_BYTES :]
    if not ciphertext.startswith(_FORM) or len(nonce) < _NONCE_BYTES:
        raise undecryptable()
    try:
        return AESGCM(data_key).decrypt(nonce, body, context.associated_data())
    except InvalidTag as problem:
        raise undecryptable() from problem


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
