"""Speak with a card reader: one question, one answer; status, find, select, read.

A wire may be silent, garbled or gone, a card may be taken away in the middle, and two may lie on the plate.
Each has a stable code (`ReaderFault`), and each leaves the reader usable for the next question: what is
garbled is asked again, what still waits in the wire is thrown away before a question.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from shiming.identity_proofing.connectors.sdt_reader.card_text import TEXT_BYTES
from shiming.identity_proofing.connectors.sdt_reader.frames import (
    ChecksumWrong,
    Command,
    FrameParser,
    Reply,
    encode_command,
)
from shiming.vocabulary.errors import Text, Unavailable

ATTEMPTS_MAX = 3  # of one question whose answer came garbled; a wire that garbles three is broken
ANSWER_S = {Command.READ: 4.0}  # a reading takes some 1.3 s with verification between SAM and card
ANSWER_S_OTHERWISE = 1.0
GARBLED_S = 0.1  # after a garbled frame: time for a true one behind it
PIECE_BYTES_MAX = 4_096
SAM_ID_BYTES = 16
PHOTO_BYTES = 1_024
_LENGTHS_BYTES = 4
_DONE = b"\x00\x00\x90"
_FOUND = b"\x00\x00\x9f"


class Line(Protocol):
    """A wire to a reader; both methods raise ReaderFault PORT_LOST when it is gone."""

    def send(self, content: bytes) -> None:
        """Send all of it."""
        ...

    def receive(self, timeout_s: float) -> bytes:
        """Return what arrived, up to `PIECE_BYTES_MAX` bytes; empty when nothing did in that time."""
        ...


class ReaderFault(Unavailable):
    """Something between us and the card: the code says what, the advice what to do."""

    #: Faults of the card on the plate: the next card may be better. All others are of reader or wire.
    OF_CARDS: ClassVar = frozenset({"CARD_REMOVED", "CARD_NOT_SELECTED", "CARD_READING_LENGTH"})

    def __init__(self, code: str) -> None:
        text, advice = FAULTS[code]
        super().__init__(code, text, advice)


_CABLE = Text(zh="请检查读卡器电源和连线。", en="Check the reader's power and cable.")
_AGAIN = Text(zh="请重新放卡，不要移动。", en="Lay the card down again and leave it there.")
FAULTS: dict[str, tuple[Text, Text]] = {
    "PORT_LOST": (Text(zh="读卡器连接已断开。", en="The connection to the card reader is gone."), _CABLE),
    "READER_SILENT": (Text(zh="读卡器没有应答。", en="The card reader does not answer."), _CABLE),
    "READER_GARBLED": (Text(zh="读卡器应答有误码。", en="The card reader's answers arrive garbled."), _CABLE),
    "READER_NOT_READY": (
        Text(zh="读卡器安全模块不可用。", en="The reader's security module is not ready."),
        Text(zh="请重启读卡器；仍不行时请更换。", en="Restart the reader; replace it if that does not help."),
    ),
    "CARD_REMOVED": (
        Text(zh="卡片在读取过程中被移开。", en="The card was taken away while it was read."),
        _AGAIN,
    ),
    "CARD_NOT_SELECTED": (
        Text(zh="无法选定卡片，可能不止一张。", en="No card could be selected; there may be more than one."),
        Text(zh="请只放一张卡。", en="Lay one card down, alone."),
    ),
    "CARD_READING_LENGTH": (Text(zh="读出的内容长度不对。", en="The reading has a wrong length."), _AGAIN),
}


@dataclass(frozen=True, slots=True)
class RawCard:
    """The two blocks of a card as the reader gives them; a person's, never shown."""

    text: bytes = field(repr=False)
    photo: bytes = field(repr=False)


@dataclass(slots=True)
class SdtReader:
    """A reader behind a line."""

    line: Line
    answer_s: float | None = None  # instead of the usual patience, for tests
    monotonic: Callable[[], float] = time.monotonic

    def check(self) -> None:
        """Return when reader and security module are ready."""
        if self._ask(Command.STATUS).status != _DONE:
            raise ReaderFault("READER_NOT_READY")

    def sam_id(self) -> str:
        """Return the number of the security module, hex: it tells one reader from another."""
        reply = self._ask(Command.SAM_ID)
        if reply.status != _DONE or len(reply.content) != SAM_ID_BYTES:
            raise ReaderFault("READER_NOT_READY")
        return reply.content.hex()

    def find(self) -> bool:
        """Say whether a card lies on the plate."""
        return self._ask(Command.FIND).status in {_FOUND, _DONE}

    def read(self) -> RawCard:
        """Select the card that was found and read it."""
        if self._ask(Command.SELECT).status != _DONE:
            raise ReaderFault("CARD_NOT_SELECTED")
        reply = self._ask(Command.READ)
        if reply.status != _DONE:
            raise ReaderFault("CARD_REMOVED")
        return _split(reply.content)

    def _ask(self, command: Command) -> Reply:
        """Ask until an answer comes whole; a stale one, or noise, is not taken for it."""
        silent = True
        for _ in range(ATTEMPTS_MAX):
            self._discard()
            self.line.send(encode_command(command))
            answer, heard = self._answer(command)
            if answer is not None:
                return answer
            silent = silent and not heard
        raise ReaderFault("READER_SILENT" if silent else "READER_GARBLED")

    def _answer(self, command: Command) -> tuple[Reply | None, bool]:
        """Return the first whole frame within the time of this command, and whether anything was heard."""
        parser, heard = FrameParser(), False
        patience = self.answer_s or ANSWER_S.get(command, ANSWER_S_OTHERWISE)
        deadline = self.monotonic() + patience
        while (left := deadline - self.monotonic()) > 0:
            piece = self.line.receive(left)
            heard = heard or bool(piece)
            for each in parser.feed(piece):
                if isinstance(each, Reply):
                    return each, True
                if isinstance(each, ChecksumWrong):  # most likely the answer itself: ask again soon
                    deadline = min(deadline, self.monotonic() + GARBLED_S)
        whole = (each for each in parser.give_up() if isinstance(each, Reply))
        return next(whole, None), heard

    def _discard(self) -> None:
        """Throw away what still waits in the wire."""
        while self.line.receive(0):
            pass


def _split(content: bytes) -> RawCard:
    """Return the blocks of a reading: two lengths of two bytes each, text, photo."""
    text_length = int.from_bytes(content[:2], "big")
    photo_length = int.from_bytes(content[2:_LENGTHS_BYTES], "big")
    whole = _LENGTHS_BYTES + text_length + photo_length
    if (text_length, photo_length) != (TEXT_BYTES, PHOTO_BYTES) or len(content) != whole:
        raise ReaderFault("CARD_READING_LENGTH")
    return RawCard(content[_LENGTHS_BYTES : _LENGTHS_BYTES + TEXT_BYTES], content[-PHOTO_BYTES:])
