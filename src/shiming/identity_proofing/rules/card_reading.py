"""From a reading of a chip to an identity, to figures, and to the reasons why it does not count."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shiming.identity_proofing.model.card_reading import CardReading
from shiming.identity_proofing.model.claimed_identity import ClaimedIdentity
from shiming.identity_proofing.model.evidence import (
    CardReadingEvidence,
    DocumentEvidence,
    Evidence,
    FieldComparison,
)
from shiming.identity_proofing.model.session import Session
from shiming.identity_proofing.rules.document_reading import number_agrees, number_holds, same_number
from shiming.jurisdictions.model import Policy

#: A reader's clock may be off by as much as a proof of its device may be.
CLOCKS_APART = timedelta(seconds=60)
BETWEEN = "card_reading~document"
_DAYS_PER_YEAR = 365.25


def refusal_of(
    reading: CardReading, session: Session, policy: Policy, device: str | None, now: datetime
) -> str | None:
    """Return why a reading is not taken; None when it is.

    (1) the pack takes readings of this document  (2) an enrolled device signed it, where the pack asks
    (3) it was made in this session  (4) the number holds its own check
    """
    rules = policy.card_reader
    if rules is None or reading.document_type not in rules.documents.value:
        return "CARD_READING_NOT_FORESEEN"
    if rules.device_signed.value and device is None:
        return "CARD_READING_UNSIGNED"
    if not session.opened_at - CLOCKS_APART <= reading.read_at <= now + CLOCKS_APART:
        return "CARD_READING_STALE"
    holds = number_holds(reading.document_type, reading.number)
    return "CARD_NUMBER_INVALID" if holds is False else None


def identity_of_reading(reading: CardReading) -> ClaimedIdentity:
    """Return who the card says its holder is."""
    return ClaimedIdentity(
        document_type=reading.document_type,
        number=reading.number,
        name=reading.name,
        birth_date=reading.birth_date,
        sex=reading.sex,
        valid_from=reading.valid_from,
        valid_to=reading.valid_to,
        long_term=reading.valid_to is None,
        address=reading.address,
    )


def record_card_reading(
    reading: CardReading, on: date, *, device: str | None, portrait_present: bool
) -> CardReadingEvidence:
    """Return the figures of a reading; dates become distances from `on`."""
    kind, number, born = reading.document_type, reading.number, reading.birth_date
    read = ("name", "sex", "birth_date", "address", "number", "valid_from", "valid_to")
    return CardReadingEvidence(
        document_type=kind,
        number_checksum=number_holds(kind, number),
        cross_checks=number_agrees(kind, number, born, reading.sex),
        fields_read=read,
        days_to_expiry=(reading.valid_to - on).days if reading.valid_to else None,
        long_term=reading.valid_to is None,
        portrait_age_years=round((on - reading.valid_from).days / _DAYS_PER_YEAR, 2),
        age_years=on.year - born.year - ((on.month, on.day) < (born.month, born.day)),
        portrait_present=portrait_present,
        decoder=reading.decoder,
        reader=reading.reader,
        device=device,
        block_hash=reading.block_hash,
        read_at=reading.read_at,
    )


def compare_with_photo(card: ClaimedIdentity, photo: ClaimedIdentity) -> FieldComparison:
    """Compare the number on the chip with that in the picture: it tells whether both are of one card.

    Names are not compared: the chip's is right, and a misread one in a picture refuses nobody.
    """
    same = same_number(card.number or "", photo.number) if photo.number else None
    if same is False and number_holds(card.document_type, photo.number or "") is False:
        same = None  # the picture was misread, which is no contradiction
    return FieldComparison("number", BETWEEN, same)


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """Dates and age of a document, from the chip where it was read, else from the pictures."""

    days_to_expiry: int | None
    long_term: bool
    portrait_age_years: float | None
    age_years: int | None

    @classmethod
    def of(cls, evidence: Evidence) -> "DocumentFacts | None":
        """Return what is known; None when neither chip nor picture was given."""
        source: CardReadingEvidence | DocumentEvidence | None = evidence.card_reading or evidence.document
        if source is None:
            return None
        return cls(source.days_to_expiry, source.long_term, source.portrait_age_years, source.age_years)


def reading_required(evidence: Evidence, policy: Policy) -> bool:
    """Say whether this document has to be read by a reader here and was not."""
    rules = policy.card_reader
    if rules is None or evidence.card_reading or evidence.channel not in rules.required_channels.value:
        return False
    if evidence.document is not None:
        return evidence.document.document_type in rules.documents.value
    may_show = set(policy.documents[evidence.subject].accepted.value)
    return not rules.photo_kept.value and bool(may_show.intersection(rules.documents.value))


def photo_missing(evidence: Evidence, policy: Policy) -> bool:
    """Say whether a picture of the document is missing: a chip replaces it only where no copy is kept."""
    if evidence.document is not None:
        return False
    rules = policy.card_reader
    return evidence.card_reading is None or rules is None or rules.photo_kept.value
