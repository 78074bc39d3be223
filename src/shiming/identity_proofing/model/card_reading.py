"""What a reader program says of a card, and how far it is with it."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from shiming.vocabulary.masking import mask_identity_number, mask_name

UNDECODED = "unavailable"  # nobody could decode the portrait on the chip


class ReaderState(StrEnum):
    """What the reader of a session does."""

    WANTED = "wanted"  # the counter asked for a reading; no reader has taken it up yet
    WAITING = "waiting_for_card"
    READING = "reading"
    READ = "read"
    FAULT = "fault"


@dataclass(frozen=True, slots=True, repr=False)
class CardReading:
    """A reading as it was handed in. `valid_to` None: long-term."""

    reader: str
    read_at: datetime
    block_hash: str
    decoder: str
    document_type: str
    name: str
    sex: str | None
    birth_date: date
    address: str
    number: str
    valid_from: date
    valid_to: date | None
    portrait_jpeg: bytes | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return (
            f"CardReading({self.document_type}, {mask_identity_number(self.number)}, {mask_name(self.name)})"
        )
