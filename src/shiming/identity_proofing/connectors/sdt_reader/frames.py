r"""Frames of the SDT protocol, between a computer and the SAM of a card reader (GA 450).

    to the reader:   AA AA AA 96 69 | length (2) | command | parameter | content | check
    from the reader: AA AA AA 96 69 | length (2) | SW1 SW2 SW3         | content | check

The length is big-endian and counts what follows it, the check byte included; the check byte is the XOR of
everything between preamble and itself. A serial line loses and invents bytes, so the parser never raises: it
skips what is no frame, says what it skipped, and finds every frame that arrived whole. After a frame that
does not hold it goes on one byte behind its preamble, because a true frame may have begun inside.

>>> encode_command(Command.FIND).hex(" ")
'aa aa aa 96 69 00 03 20 01 22'
>>> FrameParser().feed(b"noise" + encode_reply(b"\x00\x00\x9f", bytes(4)))
[Skipped(length=5), Reply(status=b'\x00\x00\x9f', length=4)]
"""

from dataclasses import dataclass, field
from enum import Enum
from functools import reduce
from operator import xor

PREAMBLE = bytes.fromhex("AAAAAA9669")
LENGTH_BYTES = 2
STATUS_BYTES = 3
CHECK_BYTES = 1
#: The longest reply known is a reading with fingerprint, 2 321 bytes; a longer one is a garbled length.
LENGTH_MAX = 3_000
_LENGTH_MIN = {"reply": STATUS_BYTES + CHECK_BYTES, "command": 2 + CHECK_BYTES}
_HEAD = len(PREAMBLE) + LENGTH_BYTES


class Command(Enum):
    """What can be asked of a reader: command and parameter."""

    STATUS = b"\x11\xff"
    SAM_ID = b"\x12\xff"
    FIND = b"\x20\x01"
    SELECT = b"\x20\x02"
    READ = b"\x30\x01"


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """A whole frame whose check byte fits. The content may be a person's: it is not shown."""

    status: bytes
    content: bytes = field(repr=False)

    def __repr__(self) -> str:
        return f"Reply(status={self.status!r}, length={len(self.content)})"


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """A command as a reader receives it."""

    command: bytes
    content: bytes = field(repr=False)

    def __repr__(self) -> str:
        return f"Asked(command={self.command.hex()}, length={len(self.content)})"


@dataclass(frozen=True, slots=True)
class Skipped:
    """Bytes that belong to no frame."""

    length: int


@dataclass(frozen=True, slots=True)
class ChecksumWrong:
    """A frame of this length was garbled on the way."""

    length: int


@dataclass(frozen=True, slots=True)
class LengthWrong:
    """A frame says a length that none has: too short for its parts, or above `LENGTH_MAX`."""

    length: int


@dataclass(frozen=True, slots=True)
class Truncated:
    """A frame began and did not end: `received` of the `length` bytes that it promised."""

    length: int
    received: int


FrameFault = Skipped | ChecksumWrong | LengthWrong | Truncated
Frame = Reply | Asked


def encode_command(command: Command, content: bytes = b"") -> bytes:
    """Return the bytes to send to a reader."""
    return _framed(command.value + content)


def encode_reply(status: bytes, content: bytes = b"") -> bytes:
    """Return the bytes that a reader answers with."""
    if len(status) != STATUS_BYTES:
        message = f"a status has {STATUS_BYTES} bytes"
        raise ValueError(message)
    return _framed(status + content)


@dataclass(slots=True)
class FrameParser:
    """Turns pieces of a byte stream into frames and faults; how the stream is cut changes nothing."""

    commands: bool = False  # read the other direction: what a reader receives
    _kept: bytearray = field(default_factory=bytearray, repr=False)
    _skipped: int = 0

    def feed(self, piece: bytes) -> list[Frame | FrameFault]:
        """Take bytes in; return what they complete."""
        self._kept += piece
        found: list[Frame | FrameFault] = []
        while self._step(found):
            pass
        return found

    def give_up(self) -> list[Frame | FrameFault]:
        """Say that no more comes for now; return what was still to be told, frames inside a broken one."""
        found: list[Frame | FrameFault] = []
        while self._kept:
            if self._kept.startswith(PREAMBLE) and len(self._kept) >= _HEAD:
                found += self._told(Truncated(self._length(), len(self._kept) - _HEAD))
            self._skip(1)
            while self._step(found):
                pass
            if not self._kept.startswith(PREAMBLE):
                self._skip(len(self._kept))
        found += self._told()
        return found

    def _step(self, found: list[Frame | FrameFault]) -> bool:
        """Decide about the head of what is kept; False when more bytes are needed for that."""
        start = self._kept.find(PREAMBLE)
        if start < 0:
            self._skip(max(0, len(self._kept) - _beginning_of_preamble(self._kept)))
            return False
        self._skip(start)
        if len(self._kept) < _HEAD:
            return False
        length = self._length()
        if not _LENGTH_MIN["command" if self.commands else "reply"] <= length <= LENGTH_MAX:
            found += self._told(LengthWrong(length))
            self._skip(1)
            return True
        if len(self._kept) < _HEAD + length:
            return False
        body = bytes(self._kept[len(PREAMBLE) : _HEAD + length])
        if reduce(xor, body) != 0:  # with the check byte, everything cancels out
            found += self._told(ChecksumWrong(length))
            self._skip(1)
            return True
        found += self._told(self._frame(body[LENGTH_BYTES:-CHECK_BYTES]))
        del self._kept[: _HEAD + length]
        return True

    def _frame(self, body: bytes) -> Frame:
        return Asked(body[:2], body[2:]) if self.commands else Reply(body[:STATUS_BYTES], body[STATUS_BYTES:])

    def _length(self) -> int:
        return int.from_bytes(self._kept[len(PREAMBLE) : _HEAD], "big")

    def _skip(self, count: int) -> None:
        del self._kept[:count]
        self._skipped += count

    def _told(self, *found: Frame | FrameFault) -> list[Frame | FrameFault]:
        """Return these, with the bytes that were skipped before them."""
        before: list[Frame | FrameFault] = [Skipped(self._skipped)] if self._skipped else []
        self._skipped = 0
        return [*before, *found]


def _framed(body: bytes) -> bytes:
    counted = (len(body) + CHECK_BYTES).to_bytes(LENGTH_BYTES, "big") + body
    return PREAMBLE + counted + bytes([reduce(xor, counted)])


def _beginning_of_preamble(kept: bytearray) -> int:
    """Return how many bytes at the end may be the beginning of a preamble."""
    longest = min(len(PREAMBLE) - 1, len(kept))
    return next((n for n in range(longest, 0, -1) if kept.endswith(PREAMBLE[:n])), 0)
