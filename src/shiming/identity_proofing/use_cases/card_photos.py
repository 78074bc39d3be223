"""The pieces held of a document, where its chip may have been read before or after it was photographed.

`identity` and `portrait` are always those that count. Where a reading of the chip counts, what was read from
the picture is held beside them (`photo_identity`, `photo_portrait`), to be compared with the next reading.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

from shiming.identity_proofing import store
from shiming.identity_proofing.errors import refused
from shiming.identity_proofing.held_forms import identity_bytes, identity_of, image_bytes
from shiming.identity_proofing.model.claimed_identity import ClaimedIdentity, DeclaredIdentity
from shiming.identity_proofing.model.evidence import CardReadingEvidence
from shiming.identity_proofing.rules.card_reading import compare_with_photo
from shiming.identity_proofing.rules.document_reading import compare_with_declared
from shiming.identity_proofing.use_cases.desk import Desk, held_of
from shiming.identity_proofing.use_cases.measuring import MeasuredDocument
from shiming.identity_proofing.use_cases.steps import Step
from shiming.vocabulary.permissions import inside

IDENTITY, PORTRAIT = "identity", "portrait"
PHOTO_IDENTITY, PHOTO_PORTRAIT = "photo_identity", "photo_portrait"
_INSIDE = inside("part of taking a document in, which asks")


@dataclass(frozen=True, slots=True)
class ReadingBefore:
    """The reading that counts, with the identity on the chip."""

    evidence: CardReadingEvidence
    identity: ClaimedIdentity = field(repr=False)


@_INSIDE
def reading_before(desk: Desk, session_id: str) -> ReadingBefore | None:
    """Return the reading of the chip that counts in this session."""
    with desk.begin() as connection:
        evidence = store.find_evidence(connection, session_id)
    if evidence is None or evidence.card_reading is None:
        return None
    held = held_of(desk, session_id, (IDENTITY,))
    if IDENTITY not in held:  # pragma: no cover - held and recorded in one transaction
        return None
    return ReadingBefore(evidence.card_reading, identity_of(b"".join(held[IDENTITY])))


@_INSIDE
def require_same_reading(step: Step, reading: ReadingBefore | None) -> None:
    """Refuse a picture that was measured beside another reading than the one that counts now."""
    if step.evidence().card_reading != (reading.evidence if reading else None):
        raise refused("SESSION_CHANGED")


@_INSIDE
def beside_reading(
    measured: MeasuredDocument, declared: DeclaredIdentity, reading: ReadingBefore | None
) -> tuple[MeasuredDocument, dict[str, bytes | Path]]:
    """Return the document with its comparisons, and the pieces to hold of what was read from the picture.

    What was declared is compared with the chip where there is a reading: a picture is more often misread.
    """
    identity_name, portrait_name = (PHOTO_IDENTITY, PHOTO_PORTRAIT) if reading else (IDENTITY, PORTRAIT)
    pieces: dict[str, bytes | Path] = {identity_name: identity_bytes(measured.identity)}
    if measured.portrait is not None:
        pieces[portrait_name] = image_bytes(measured.portrait)
    if reading is None:
        return measured, pieces
    if measured.portrait is not None and not reading.evidence.portrait_present:
        pieces[PORTRAIT] = image_bytes(measured.portrait)  # the chip has given none
    comparisons = (
        *compare_with_declared(reading.identity, declared),
        compare_with_photo(reading.identity, measured.identity),
    )
    return replace(measured, comparisons=comparisons), pieces


@_INSIDE
def replaced_by_photo(reading: ReadingBefore | None) -> tuple[str, ...]:
    """Return the pieces that a new picture replaces, or takes away."""
    if reading is None:
        return IDENTITY, PORTRAIT
    from_chip = reading.evidence.portrait_present
    return (PHOTO_IDENTITY, PHOTO_PORTRAIT) if from_chip else (PHOTO_IDENTITY, PHOTO_PORTRAIT, PORTRAIT)
