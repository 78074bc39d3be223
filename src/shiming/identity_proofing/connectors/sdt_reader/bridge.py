"""Between a card reader and a session: wait for a card, read it, hand it in, say what happens meanwhile.

Whatever a card, a wire or the network does, the bridge says so (a state with a stable code) and goes on.
"""

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from shiming.identity_proofing.connectors.sdt_reader.card_text import (
    DOCUMENT_TYPE,
    ETHNICITY,
    CardText,
    parse_card_text,
)
from shiming.identity_proofing.connectors.sdt_reader.reader import RawCard, ReaderFault, SdtReader
from shiming.identity_proofing.model.card_reading import UNDECODED, ReaderState
from shiming.identity_proofing.ports import PortraitDecoder
from shiming.vocabulary.errors import BadInput, ShimingError, Unavailable

_LOG = logging.getLogger(__name__)
LOOK_EVERY_S = 0.3  # for a card on the plate
AFTER_FAULT_S = 1.0  # time for the hand that moves the card
ASK_EVERY_S = 1.0  # for a session that wants a reading
HAND_IN_ATTEMPTS_MAX = 3  # a reading is in hand: the network gets more than one chance
#: A session that is over, or is not ours: there is nothing more to read for it.
_OVER = frozenset({"SESSION_CLOSED", "SESSION_EXPIRED", "SESSION_UNKNOWN", "SESSION_RULES_CHANGED",
                   "ATTEMPTS_USED_UP", "CARD_READING_NOT_FORESEEN", "DEVICE_NOT_ENROLLED", "DEVICE_REVOKED",
                   "DEVICE_OTHER_OPERATOR", "SANDBOX_READING_REFUSED"})  # fmt: skip


class NoDecoder:
    """The usual case: nobody here can decode the portrait on a chip."""

    name = UNDECODED

    def decode(self, photo: bytes) -> bytes | None:
        """Return nothing."""
        del photo
        return None


class SessionOffice(Protocol):
    """The server, as far as one session's reader needs it. Both raise ShimingError with the server's code."""

    @property
    def session(self) -> str: ...  # noqa: D102 - its reference

    def tell(self, state: ReaderState, code: str = "") -> None:
        """Say what the reader does."""
        ...

    def hand_in(self, reading: dict[str, Any]) -> None:
        """Hand a reading in."""
        ...


@dataclass(slots=True)
class Bridge:
    """A reader that reads for sessions. `reopen` opens the wire again after it was lost."""

    reader: SdtReader
    reopen: Callable[[], SdtReader]
    decoder: PortraitDecoder = field(default_factory=NoDecoder)
    source: str = "reader"
    pause: Callable[[float], object] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def read_for(self, office: SessionOffice, going_on: Callable[[], bool] = lambda: True) -> bool:
        """Read card after card until one is taken in; False when the session is over, or we are to stop."""
        _tell(office, ReaderState.WAITING)
        while going_on():
            try:
                if not self.reader.find():
                    self.pause(LOOK_EVERY_S)
                    continue
                _tell(office, ReaderState.READING)
                raw = self.reader.read()
                self._hand_in(office, self.reading_of(raw, office.session))
            except ShimingError as fault:
                _LOG.warning("reading failed: %s", fault.code)
                if fault.code in _OVER:
                    return False
                _tell(office, ReaderState.FAULT, fault.code)
                self._recover(fault, going_on)
            else:
                return True
        return False

    def reading_of(self, raw: RawCard, session: str) -> dict[str, Any]:
        """Return a reading as it is handed in: only the fields that are registered."""
        card = parse_card_text(raw.text)
        portrait = self.decoder.decode(raw.photo)
        return {
            "source": self.source,
            "reader": self.reader.sam_id(),
            "read_at": self.now().isoformat(),
            "block_hash": block_hash(session, raw),
            "decoder": self.decoder.name if portrait else UNDECODED,
            "portrait_jpeg": portrait,
            "card": _content(card),
        }

    def _hand_in(self, office: SessionOffice, reading: dict[str, Any]) -> None:
        for attempt in range(1, HAND_IN_ATTEMPTS_MAX):
            try:
                return office.hand_in(reading)
            except Unavailable as problem:
                _LOG.warning("handing in failed: %s", problem.code)
                self.pause(float(attempt))
        return office.hand_in(reading)

    def _recover(self, fault: ShimingError, going_on: Callable[[], bool]) -> None:
        """Leave time after a fault; where the wire is lost, open it until it holds."""
        self.pause(AFTER_FAULT_S)
        lost = isinstance(fault, ReaderFault) and fault.code == "PORT_LOST"
        while lost and going_on():
            try:
                self.reader, lost = self.reopen(), False
            except Unavailable as problem:
                _LOG.warning("the port is still away: %s", problem.code)
                self.pause(AFTER_FAULT_S)


def block_hash(session: str, raw: RawCard) -> str:
    """Bind a reading to the blocks as they were read, in this session only; the ethnicity is left out."""
    text = raw.text[: ETHNICITY.start] + raw.text[ETHNICITY.stop :]
    return "sha256:" + hashlib.sha256(b"\x00".join((session.encode(), text, raw.photo))).hexdigest()


def _content(card: CardText) -> dict[str, Any]:
    return {
        "document_type": DOCUMENT_TYPE,
        "name": card.name,
        "sex": card.sex,
        "birth_date": card.birth_date.isoformat(),
        "address": card.address,
        "number": card.number,
        "valid_from": card.valid_from.isoformat(),
        "valid_to": card.valid_to.isoformat() if card.valid_to else None,
    }


def _tell(office: SessionOffice, state: ReaderState, code: str = "") -> None:
    """Tell the page; a page that hears nothing is no reason to stop reading."""
    try:
        office.tell(state, code)
    except (BadInput, Unavailable) as problem:
        _LOG.warning("the page was not told: %s", problem.code)
