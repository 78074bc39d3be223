r"""Signed notes (C2SP `signed-note`) and cosignatures of witnesses (C2SP `tlog-cosignature`, Ed25519).

A note is a text, an empty line, and one signature line for each key that signed it.

>>> from shiming.infrastructure.signing import Ed25519Signer
>>> signer = NoteSigner("example.com/log", Ed25519Signer.from_seed(bytes(32)))
>>> note = signer.sign("example.com/log\n1\nroot\n")
>>> is_signed(parse_note(note), signer.key)
True
>>> NoteKey.parse(signer.key.text) == signer.key
True
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Self

from shiming.infrastructure.signing import Signer, verify_signature
from shiming.vocabulary.errors import BadInput, Text

NOTE_BYTES_MAX = 65_536  # a checkpoint with a hundred cosignatures has less
KEY_ID_BYTES = 4
_ED25519_BYTES = 32
_TIME_BYTES = 8
_SECONDS_MAX = 253_402_300_799  # the end of year 9999, the last that a datetime can hold
_SIGNATURE_LINE = re.compile(r"\u2014 (?P<name>[^\s+]+) (?P<signature>[A-Za-z0-9+/]+={0,2})")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class SignatureType(IntEnum):
    """The assigned bytes of the two types of signature that are used here."""

    ED25519 = 0x01
    COSIGNATURE_V1 = 0x04


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key by which notes are verified, under the name of who signs."""

    name: str
    public_key: bytes
    type: SignatureType = SignatureType.ED25519

    @property
    def key_id(self) -> bytes:
        """The four bytes that name the key in a signature line."""
        typed = bytes([self.type]) + self.public_key
        return hashlib.sha256(self.name.encode() + b"\n" + typed).digest()[:KEY_ID_BYTES]

    @property
    def text(self) -> str:
        """The key as public tools read it (a `vkey`)."""
        typed = base64.b64encode(bytes([self.type]) + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{typed}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a `vkey`; raise BadInput for anything else."""
        name, _, rest = text.strip().partition("+")
        key_id, _, typed = rest.partition("+")
        try:
            raw = base64.b64decode(typed, validate=True)
            key = cls(name, raw[1:], SignatureType(raw[0]))
        except (binascii.Error, ValueError, IndexError) as problem:
            raise _key_refused() from problem
        if len(key.public_key) != _ED25519_BYTES or key.key_id.hex() != key_id or not is_key_name(name):
            raise _key_refused()
        return key


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """Signs notes in one name: a log its checkpoints, a witness what others signed."""

    name: str
    signer: Signer

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise BadInput(
                "NOTE_KEY_NAME",
                Text(zh="名称不能含空格或加号。", en="The name must not contain spaces or plus signs."),
            )

    @property
    def key(self) -> NoteKey:
        """The key that verifies what this one signs as a log."""
        return NoteKey(self.name, base64.b64decode(self.signer.public_key))

    @property
    def cosigning_key(self) -> NoteKey:
        """The key that verifies what this one signs as a witness."""
        return NoteKey(self.name, self.key.public_key, SignatureType.COSIGNATURE_V1)

    def sign(self, text: str) -> str:
        """Return the note of a text that ends in a newline."""
        signature = base64.b64decode(self.signer.sign(text.encode()))
        return str(SignedNote(text, (NoteSignature(self.name, self.key.key_id, signature),)))

    def cosign(self, note: "SignedNote", at: datetime) -> "SignedNote":
        """Return the note with the signature of a witness, who looked at this time, in place of its last."""
        seconds = int(at.timestamp())
        key = self.cosigning_key
        signature = base64.b64decode(self.signer.sign(_cosigned(note.text, seconds)))
        mine = NoteSignature(key.name, key.key_id, seconds.to_bytes(_TIME_BYTES, "big") + signature)
        return SignedNote(note.text, (*(one for one in note.signatures if not is_by(one, key)), mine))


def log_signer(signer: Signer, origin: str = "") -> NoteSigner:
    """Return the signer of an installation's log; without an origin of its own it is named by its key."""
    return NoteSigner(origin or f"shiming/{signer.key_id.rpartition(':')[2]}", signer)


def witness_signer(signer: Signer, name: str = "") -> NoteSigner:
    """Return the signer of a witness; without a name of its own it is named by its key."""
    return NoteSigner(name or f"witness/{signer.key_id.rpartition(':')[2]}", signer)


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"\u2014 {self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A note taken apart; nothing about it is verified yet."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"


def parse_note(content: str | bytes) -> SignedNote:
    """Take a note apart; raise BadInput when it is none."""
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    try:
        note = raw.decode() if len(raw) <= NOTE_BYTES_MAX else ""
    except UnicodeDecodeError as problem:
        raise _note_refused() from problem
    text, gap, rest = note.rpartition("\n\n")
    if not gap or not rest.endswith("\n") or _CONTROL.search(note):
        raise _note_refused()
    return SignedNote(f"{text}\n", tuple(_parse_line(line) for line in rest[:-1].split("\n")))


def is_signed(note: SignedNote, key: NoteKey) -> bool:
    """Say whether the key signed the note; a wrong signature in its name spoils a right one."""
    mine = [found.signature for found in note.signatures if is_by(found, key)]
    public_key = base64.b64encode(key.public_key).decode()
    return bool(mine) and all(
        verify_signature(public_key, base64.b64encode(signature).decode(), note.text.encode())
        for signature in mine
    )


def cosigned_at(note: SignedNote, key: NoteKey) -> datetime | None:
    """Return when the witness last cosigned the note; None when it did not, or a signature is wrong."""
    times = []
    public_key = base64.b64encode(key.public_key).decode()
    for found in note.signatures:
        if not is_by(found, key):
            continue
        time, signature = found.signature[:_TIME_BYTES], found.signature[_TIME_BYTES:]
        seconds = int.from_bytes(time, "big")
        message = _cosigned(note.text, seconds)
        genuine = verify_signature(public_key, base64.b64encode(signature).decode(), message)
        if not genuine or seconds > _SECONDS_MAX:
            return None
        times.append(seconds)
    return datetime.fromtimestamp(max(times), UTC) if times else None


def wrong_cosignatures(note: SignedNote, keys: Iterable[NoteKey]) -> tuple[NoteKey, ...]:
    """Return the keys in whose name a witness's signature stands there that does not hold."""
    claimed = (key for key in keys if any(is_by(found, key) for found in note.signatures))
    return tuple(key for key in claimed if cosigned_at(note, key) is None)


def is_by(found: NoteSignature, key: NoteKey) -> bool:
    """Say whether a signature line claims to be of this key; nothing is verified by it."""
    return found.name == key.name and found.key_id == key.key_id


def last_cosignature(note: SignedNote, key: NoteKey) -> NoteSignature:
    """Return the line that the witness made last; ValueError when it made none."""
    mine = (found for found in note.signatures if is_by(found, key))
    return max(mine, key=lambda found: found.signature[:_TIME_BYTES])


def is_key_name(name: str) -> bool:
    """Say whether a signature line can carry this name."""
    return bool(name) and "+" not in name and not any(sign.isspace() or sign < " " for sign in name)


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _parse_line(line: str) -> NoteSignature:
    found = _SIGNATURE_LINE.fullmatch(line)
    if not found:
        raise _note_refused()
    try:
        raw = base64.b64decode(found["signature"], validate=True)
    except (binascii.Error, ValueError) as problem:
        raise _note_refused() from problem
    if len(raw) <= KEY_ID_BYTES:
        raise _note_refused()
    return NoteSignature(found["name"], raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:])


def _note_refused() -> BadInput:
    return BadInput(
        "NOTE_FORMAT",
        Text(zh="这不是带签名的文本。", en="This is no signed note."),
        Text(zh="请使用原文件，勿改动。", en="Use the file as it was made, unchanged."),
    )


def _key_refused() -> BadInput:
    return BadInput(
        "NOTE_KEY_FORMAT",
        Text(zh="这不是验证公钥。", en="This is no key that verifies notes."),
        Text(
            zh="格式为 名称+编号+公钥，见 shiming ledger checkpoint --key。",
            en="Write NAME+ID+KEY, as `shiming ledger checkpoint --key` prints it.",
        ),
    )
