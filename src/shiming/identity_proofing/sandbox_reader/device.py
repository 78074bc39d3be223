"""How the pretended reader answers: bytes in, bytes out, with the faults that are on.

A pure state machine but for `pause`. Cards lie on the plate one after the other: each can be found until it
was read; then it is taken away, and the next one comes after some empty looks.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import cycle
from random import Random

from shiming.identity_proofing.connectors.sdt_reader.frames import (
    Asked,
    Command,
    FrameParser,
    encode_reply,
)
from shiming.identity_proofing.sandbox_reader.cards import SandboxCard

DONE, FOUND = b"\x00\x00\x90", b"\x00\x00\x9f"
NO_CARD, NOT_SELECTED, NOT_READ = b"\x00\x00\x80", b"\x00\x00\x81", b"\x00\x00\x41"
NO_SUCH_COMMAND = b"\x00\x00\x21"
#: 16 bytes that no security module has.
SAM_ID = b"SHIMING-SANDBOX0"
SLOW_S = 0.5
EMPTY_LOOKS = 2  # between two cards


class ReaderFaultMade(StrEnum):
    """One thing that goes wrong."""

    NOISE = "noise"  # bytes that belong to nothing, before and after each answer
    CHECKSUM = "checksum"  # every third answer is garbled
    SILENT = "silent"  # no answer at all
    REMOVED = "removed"  # each card is taken away once while it is read
    TORN = "torn"  # the first answer to each reading ends in the middle
    LENGTH = "length"  # every other reading has a wrong length
    TWO_CARDS = "two_cards"  # selecting fails
    SLOW = "slow"  # every answer comes late


@dataclass(slots=True)
class SandboxReader:
    """A reader with a plate on which invented cards lie in turn."""

    cards: tuple[SandboxCard, ...] = field(repr=False)
    faults: frozenset[ReaderFaultMade] = frozenset()
    pause: Callable[[float], None] = lambda _seconds: None
    random: Random = field(default_factory=lambda: Random(1))  # noqa: S311 - repeatable noise
    _heard: FrameParser = field(default_factory=lambda: FrameParser(commands=True))
    _deck: Iterator[SandboxCard] = field(init=False)
    _plate: SandboxCard | None = None
    _selected: bool = False
    _empty_looks: int = 0
    _answers: int = 0
    _readings: int = 0

    def __post_init__(self) -> None:
        self._deck = cycle(self.cards)

    def take(self, piece: bytes) -> bytes:
        """Return what the reader sends when it receives this."""
        answers = [self._wire(each) for each in self._heard.feed(piece) if isinstance(each, Asked)]
        return b"".join(answers)

    def _wire(self, asked: Asked) -> bytes:
        """Return an answer as it arrives, faults and all."""
        if ReaderFaultMade.SILENT in self.faults:
            return b""
        if ReaderFaultMade.SLOW in self.faults:
            self.pause(SLOW_S)
        answer = self._answer(asked.command)
        self._answers += 1
        if ReaderFaultMade.CHECKSUM in self.faults and self._answers % 3 == 0:
            answer = answer[:-1] + bytes([answer[-1] ^ 0x55])
        if ReaderFaultMade.NOISE in self.faults:
            answer = self._noise() + answer + self._noise()
        return answer

    def _answer(self, command: bytes) -> bytes:
        match command:
            case Command.STATUS.value:
                return encode_reply(DONE)
            case Command.SAM_ID.value:
                return encode_reply(DONE, SAM_ID)
            case Command.FIND.value:
                return encode_reply(FOUND, bytes(4)) if self._look() else encode_reply(NO_CARD)
            case Command.SELECT.value:
                self._selected = self._plate is not None and ReaderFaultMade.TWO_CARDS not in self.faults
                return encode_reply(DONE, bytes(8)) if self._selected else encode_reply(NOT_SELECTED)
            case Command.READ.value:
                return self._read()
            case _:
                return encode_reply(NO_SUCH_COMMAND)

    def _look(self) -> bool:
        if self._plate is None:
            self._empty_looks += 1
            if self._empty_looks > EMPTY_LOOKS:
                self._plate, self._empty_looks = next(self._deck), 0
        return self._plate is not None

    def _read(self) -> bytes:
        card = self._plate
        if card is None or not self._selected:
            return encode_reply(NOT_READ)
        self._readings += 1
        first = self._readings % 2 == 1
        if ReaderFaultMade.REMOVED in self.faults and first:
            self._selected = False
            return encode_reply(NOT_READ)
        lengths = len(card.text).to_bytes(2, "big") + len(card.photo).to_bytes(2, "big")
        whole = encode_reply(DONE, lengths + card.text + card.photo)
        if ReaderFaultMade.TORN in self.faults and first:
            return whole[: len(whole) // 2]
        if ReaderFaultMade.LENGTH in self.faults and first:
            return encode_reply(DONE, lengths + card.text)
        self._plate, self._selected = None, False
        return whole

    def _noise(self) -> bytes:
        return self.random.randbytes(self.random.randrange(1, 40))
