"""AES-256-GCM in frames, so that a clip of any length is encrypted and decrypted in constant memory.

    object = "SHM2" | salt (16) | frame 0 | frame 1 | ... | last frame
    frame  = up to 64 KiB of content, encrypted | tag (16); only the last one may be shorter
    nonce  = prefix (7) | number of the frame (4, big-endian) | 1 for the last frame, else 0

This is the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizar: Online Authenticated-Encryption and
its Nonce-Reuse Misuse-Resistance, 2015). Key of the object and prefix come from the data key and the random
salt by HKDF-SHA-256, so that one data key may encrypt many objects and no nonce repeats. The associated data
of every frame names the object, its operator and its subject. A frame that was changed, dropped, repeated,
moved, taken from another object or is missing at the end does not open.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shiming.infrastructure.canonical_json import canonical_bytes
from shiming.infrastructure.encryption import KEY_BYTES, undecryptable

FRAME_BYTES = 64 * 1024
TAG_BYTES = 16
_FORM = b"SHM2"
_SALT_BYTES = 16
_PREFIX_BYTES = 7
_COUNTER_BYTES = 4
_FRAMES_MAX = 2 ** (8 * _COUNTER_BYTES)  # 256 TiB


@dataclass(frozen=True, slots=True)
class ObjectContext:
    """What a ciphertext is bound to."""

    object_id: str
    operator: str
    subject: str

    def associated_data(self) -> bytes:
        """Return the bytes that are authenticated with every frame of the object."""
        return canonical_bytes({"object": self.object_id, "operator": self.operator, "subject": self.subject})


def encrypt_frames(content: Iterable[bytes], data_key: bytes, context: ObjectContext) -> Iterator[bytes]:
    """Return the ciphertext of `content` in pieces of at most one frame."""
    salt = os.urandom(_SALT_BYTES)
    cipher, prefix = _object_key(data_key, salt)
    bound_to = context.associated_data()
    yield _FORM + salt
    for number, (frame, last) in enumerate(_cut(content, FRAME_BYTES)):
        yield cipher.encrypt(_nonce(prefix, number, last=last), frame, bound_to)


def decrypt_frames(ciphertext: Iterable[bytes], data_key: bytes, context: ObjectContext) -> Iterator[bytes]:
    """Return the content frame by frame; Unavailable for a wrong key, another context or an altered byte.

    Every frame returned is authentic and in its place. That none is missing at the end is known only when
    the iterator ends, so a reader keeps nothing of a stream that raised.
    """
    pieces = iter(ciphertext)
    head, rest = _take(pieces, len(_FORM) + _SALT_BYTES)
    if len(head) < len(_FORM) + _SALT_BYTES or not head.startswith(_FORM):
        raise undecryptable()
    cipher, prefix = _object_key(data_key, head[len(_FORM) :])
    bound_to = context.associated_data()
    for number, (frame, last) in enumerate(_cut(chain((rest,), pieces), FRAME_BYTES + TAG_BYTES)):
        try:
            yield cipher.decrypt(_nonce(prefix, number, last=last), frame, bound_to)
        except InvalidTag as problem:
            raise undecryptable() from problem


def _object_key(data_key: bytes, salt: bytes) -> tuple[AESGCM, bytes]:
    derive = HKDF(SHA256(), length=KEY_BYTES + _PREFIX_BYTES, salt=salt, info=b"shiming evidence object")
    derived = derive.derive(data_key)
    return AESGCM(derived[:KEY_BYTES]), derived[KEY_BYTES:]


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    if number >= _FRAMES_MAX:
        message = "an object has too many frames"
        raise OverflowError(message)
    return prefix + number.to_bytes(_COUNTER_BYTES) + bytes((last,))


def _cut(pieces: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Cut a stream into pieces of `size`, and say of each whether it is the last; at least one piece."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) > size:  # one that fills a frame exactly may be the last
            yield bytes(held[:size]), False
            del held[:size]
    yield bytes(held), True


def _take(pieces: Iterator[bytes], size: int) -> tuple[bytes, bytes]:
    """Return the first `size` bytes of a stream, and what was read beyond them."""
    held = b""
    for piece in pieces:
        held += piece
        if len(held) >= size:
            break
    return held[:size], held[size:]
