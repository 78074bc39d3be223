"""Ed25519 signatures (RFC 8032): the key that signs receipts and the check that anybody can repeat.

>>> signer = Ed25519Signer.from_seed(bytes(32))
>>> signature = signer.sign(b"a receipt")
>>> verify_signature(signer.public_key, signature, b"a receipt")
True
>>> verify_signature(signer.public_key, signature, b"another receipt")
False
>>> signer.key_id
'ed25519:8eb7cca2ecabb7fb'
"""

import base64
import binascii
import contextlib
import hashlib
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shiming.vocabulary.errors import Text, Unavailable

SEED_BYTES = 32


class Signer(Protocol):
    """Signs in the name of one key."""

    @property
    def key_id(self) -> str:
        """Short name of the key, derived from the public key."""
        ...

    @property
    def public_key(self) -> str:
        """Public key, base64."""
        ...

    def sign(self, message: bytes) -> str:
        """Return the signature of `message`, base64."""
        ...


@dataclass(frozen=True, slots=True)
class Ed25519Signer:
    """A private key in memory."""

    _private_key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Make the signer of a 32-byte private key."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read the key file (32 raw bytes, readable by its owner only)."""
        try:
            seed = path.read_bytes()
        except OSError as error:
            raise _key_unavailable("cannot be read") from error
        if len(seed) != SEED_BYTES:
            raise _key_unavailable("is damaged")
        return cls.from_seed(seed)

    @classmethod
    def from_file_or_new(cls, path: Path) -> Self:
        """Read the key file, or make a new key there; two processes that start at once get the same key."""
        if not path.exists():
            draft = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(os.urandom(SEED_BYTES))
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)  # unlike a rename, never replaces a key that another process made
            draft.unlink()
        return cls.from_file(path)

    @property
    def public_key(self) -> str:
        """Public key, base64."""
        return base64.b64encode(
            self._private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        ).decode()

    @property
    def key_id(self) -> str:
        """Name of the key: the first half of the hash of the public key."""
        return key_id_of(self.public_key)

    def sign(self, message: bytes) -> str:
        """Return the signature of `message`, base64."""
        return base64.b64encode(self._private_key.sign(message)).decode()


def key_id_of(public_key: str) -> str:
    """Return the name that belongs to a base64 public key."""
    return "ed25519:" + hashlib.sha256(public_key.encode(errors="replace")).hexdigest()[:16]


def verify_signature(public_key: str, signature: str, message: bytes) -> bool:
    """Say whether `signature` is that of `message` under `public_key`; malformed input is simply False."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signature, validate=True), message)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def _key_unavailable(what: str) -> Unavailable:
    return Unavailable(
        "SIGNING_KEY_UNAVAILABLE",
        Text(zh="签名密钥不可用。", en=f"The signing key {what}."),
        advice=Text(
            zh="请恢复密钥文件；丢失时请换新密钥并公布其公钥。",
            en="Restore the key file; if it is lost, start a new key and publish its public half.",
        ),
    )
