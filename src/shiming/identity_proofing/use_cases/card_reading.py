"""Take a reading of a card's chip into a session."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from shiming.identity_proofing import held_pieces, reader_states
from shiming.identity_proofing.errors import refused
from shiming.identity_proofing.held_forms import identity_bytes, identity_of, image_bytes
from shiming.identity_proofing.model.card_reading import CardReading, ReaderState
from shiming.identity_proofing.model.session import EvidenceKind, Session, StepRefused
from shiming.identity_proofing.permissions import MayConductSession
from shiming.identity_proofing.rules.card_reading import (
    compare_with_photo,
    identity_of_reading,
    record_card_reading,
    refusal_of,
)
from shiming.identity_proofing.use_cases import steps
from shiming.identity_proofing.use_cases.card_photos import (
    IDENTITY,
    PHOTO_IDENTITY,
    PHOTO_PORTRAIT,
    PORTRAIT,
    reading_before,
    require_same_reading,
)
from shiming.identity_proofing.use_cases.desk import Desk, going_on, held_of, require_step, take_in
from shiming.identity_proofing.use_cases.steps import Step
from shiming.recognition.measurements import Image
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.masking import mask_identity_number, mask_name
from shiming.vocabulary.permissions import asks, inside


@inside("an enrolled device posts it; the route verifies its signature and its operator")
def take_card_reading(desk: Desk, session_id: str, reading: CardReading, device: str | None) -> Session:
    """Take in what a reader read; it goes before what pictures show.

    (1) the session goes on and the rules take such a reading  (2) a decoded portrait is a picture
    (3) what was read from a picture before is kept beside it and compared  (4) identity and portrait that
    count are the chip's; without a decoded portrait the picture's goes on
    """
    session, policy = going_on(desk, session_id)
    code = refusal_of(reading, session, policy, device, desk.tools.clock.now())
    if code is not None:
        raise refused(code)
    require_step(desk, session, policy, EvidenceKind.CARD_READING, f"{reading.block_hash}/{reading.decoder}")
    portrait = _portrait(desk, reading)
    before = reading_before(desk, session_id)
    photo = _photo(desk, session_id, (PHOTO_IDENTITY, PHOTO_PORTRAIT) if before else (IDENTITY, PORTRAIT))
    identity = identity_of_reading(reading)
    evidence = record_card_reading(reading, desk.on, device=device, portrait_present=portrait is not None)
    seen = photo.get(PHOTO_IDENTITY)
    comparisons = (compare_with_photo(identity, identity_of(seen)),) if seen else ()
    pieces: dict[str, bytes | Path] = {IDENTITY: identity_bytes(identity), **photo}
    if portrait is not None:
        pieces[PORTRAIT] = image_bytes(portrait)
    elif PHOTO_PORTRAIT in photo:
        pieces[PORTRAIT] = photo[PHOTO_PORTRAIT]

    def take(step: Step) -> Session | StepRefused:
        require_same_reading(step, before)
        held_pieces.drop_present(step.connection, session_id, IDENTITY, PORTRAIT)
        taken = steps.submit_card_reading(step, evidence, comparisons)
        reader_states.tell(
            step.connection,
            session_id,
            reader_states.Told(ReaderState.READ, device=device),
            desk.tools.clock.now(),
        )
        return taken

    return take_in(desk, session, policy, pieces, take)


@dataclass(frozen=True, slots=True)
class ReadingSeen:
    """What was read from a chip, masked. `valid_to` None: long-term."""

    name: str
    number: str
    valid_to: date | None
    portrait: bool
    device: str | None


@asks(MayConductSession)
def show_reading(desk: Desk, session_id: str) -> ReadingSeen:
    """Return what was read in this session; BadInput (CARD_READING_UNKNOWN) before anything was."""
    found = reading_before(desk, session_id)
    if found is None:
        raise refused("CARD_READING_UNKNOWN")
    return ReadingSeen(
        name=mask_name(found.identity.name or ""),
        number=mask_identity_number(found.identity.number or ""),
        valid_to=found.identity.valid_to,
        portrait=found.evidence.portrait_present,
        device=found.evidence.device,
    )


def _portrait(desk: Desk, reading: CardReading) -> Image | None:
    if reading.portrait_jpeg is None or desk.tools.read_picture is None:
        return None
    try:
        return desk.tools.read_picture(reading.portrait_jpeg)
    except BadInput:
        raise refused("CARD_PORTRAIT_UNUSABLE") from None


def _photo(desk: Desk, session_id: str, names: tuple[str, str]) -> Mapping[str, bytes]:
    """Return what was read from a picture, under the names it is held by beside a reading."""
    held = held_of(desk, session_id, names)
    beside = dict(zip(names, (PHOTO_IDENTITY, PHOTO_PORTRAIT), strict=True))
    return {beside[name]: b"".join(content) for name, content in held.items()}
