"""What a card reader hands in and what a page sees of it."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Base64Bytes, BaseModel, ConfigDict, Field

from shiming.identity_proofing.model.card_reading import UNDECODED, CardReading, ReaderState
from shiming.identity_proofing.use_cases.card_reading import ReadingSeen

SANDBOX = "sandbox"
PORTRAIT_BYTES_MAX = 300_000  # a chip's portrait has 102 by 126 pixels: some 10 000 as JPEG
DeviceReference = Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{5,40}$")]
_Code = Annotated[str, Field(pattern=r"^([A-Z][A-Z_]{2,39})?$")]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class CardContent(_Asked):
    """The fields of the card that are registered; `valid_to` null: long-term. There is no ethnicity."""

    document_type: str = Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")
    name: str = Field(min_length=1, max_length=60, repr=False)
    sex: Literal["male", "female"] | None = None
    birth_date: date = Field(repr=False)
    address: str = Field(min_length=1, max_length=200, repr=False)
    number: str = Field(pattern=r"^[0-9A-Z]{4,40}$", repr=False)
    valid_from: date
    valid_to: date | None


class ReadingWanted(_Asked):
    """A reading: the fields, and what binds them to the blocks on the chip and to the reader.

    `block_hash`: SHA-256 over the session's reference, the text block without its ethnicity, and the photo.
    """

    source: Literal["reader", "sandbox"] = "reader"
    reader: str = Field(pattern=r"^[0-9a-f]{8,64}$", description="Number of the reader's security module.")
    read_at: AwareDatetime
    block_hash: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    decoder: str = Field(UNDECODED, pattern=r"^[a-z][a-z0-9._-]{0,39}$")
    portrait_jpeg: Base64Bytes | None = Field(None, max_length=PORTRAIT_BYTES_MAX, repr=False)
    card: CardContent = Field(repr=False)

    def reading(self) -> CardReading:
        """Return the reading as the model has it."""
        card = self.card
        return CardReading(
            reader=self.reader,
            read_at=self.read_at,
            block_hash=self.block_hash,
            decoder=self.decoder,
            document_type=card.document_type,
            name=card.name,
            sex=card.sex,
            birth_date=card.birth_date,
            address=card.address,
            number=card.number,
            valid_from=card.valid_from,
            valid_to=card.valid_to,
            portrait_jpeg=self.portrait_jpeg,
        )


class WantedReader(_Asked):
    """Which device is asked for a reading."""

    device: DeviceReference


class StateTold(_Asked):
    """What a reader does; `code` names a fault."""

    state: Literal[ReaderState.WAITING, ReaderState.READING, ReaderState.FAULT]
    code: _Code = ""


class SessionForReader(BaseModel):
    """The session that wants a reading; null: none."""

    session: str | None


class CardShown(BaseModel):
    """What was read, masked; `portrait`: whether the chip's portrait could be decoded."""

    name: str
    number: str
    valid_to: date | None
    long_term: bool
    portrait: bool
    device: str | None

    @classmethod
    def of(cls, seen: ReadingSeen) -> Self:
        """Return what a page sees."""
        return cls(
            name=seen.name,
            number=seen.number,
            valid_to=seen.valid_to,
            long_term=seen.valid_to is None,
            portrait=seen.portrait,
            device=seen.device,
        )
