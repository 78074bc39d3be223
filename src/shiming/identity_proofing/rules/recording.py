"""From measurements to the plain figures that decisions rest on and receipts keep.

Figures are rounded here, once: what is decided on is what is written down, so a replay sees the same.
"""

import math
from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any, TypeVar

from shiming.identity_proofing.model.challenge import Challenge, ChallengeOrigin, ChallengeRecord
from shiming.identity_proofing.model.evidence import (
    ChallengeEvidence,
    ClipEvidence,
    DigitsEvidence,
    DigitsReading,
    DocumentEvidence,
    FaceVotes,
    SideEvidence,
)
from shiming.identity_proofing.rules.document_reading import ReadDocument
from shiming.jurisdictions.model import DigitsMode
from shiming.recognition.measurements import ClipMeasurement, DocumentMeasurement, FaceComparison

DECIMALS = 6
_DAYS_PER_YEAR = 365.25
T = TypeVar("T")


def record_document(read: ReadDocument, on: date) -> DocumentEvidence:
    """Return the figures of a document; dates become distances from `on`."""
    who = read.identity
    return DocumentEvidence(
        document_type=who.document_type,
        front=_side(read.front),
        back=_side(read.back) if read.back else None,
        days_to_expiry=(who.valid_to - on).days if who.valid_to else None,
        long_term=who.long_term,
        portrait_age_years=_years(who.valid_from, on),
        age_years=_whole_years(who.birth_date, on),
    )


def record_clip(clip: ClipMeasurement) -> ClipEvidence:
    """Return the figures of a live clip."""
    quality = clip.face.quality
    return ClipEvidence(
        events=tuple(_rounded(event) for event in clip.events),
        attack_signs=_rounded(clip.attack_signs),
        face_width_px=_figure(clip.face.width_px_median) or 0.0,
        face_sharpness=_figure(quality.sharpness) if quality else None,
        present_share=_figure(clip.face.present_share) or 0.0,
        duration_s=_figure(clip.duration_s) or 0.0,
        has_audio=clip.has_audio,
        models=clip.models,
    )


def record_faces(comparison: FaceComparison) -> FaceVotes:
    """Return the two votes on one pair of pictures."""
    return FaceVotes(
        similarity=_figure(comparison.similarity) or 0.0,
        second_similarity=_figure(comparison.second_similarity),
        models=comparison.models,
    )


def record_spoken_digits(reading: DigitsReading, challenge: Challenge) -> DigitsEvidence:
    """Return the figures of spoken digits."""
    return DigitsEvidence(
        mode=DigitsMode.SPOKEN,
        language=challenge.language,
        expected_length=len(challenge.digits),
        score=_figure(reading.score),
        voiced_units=reading.voiced_units,
        models=reading.models,
    )


def record_unheard_digits(challenge: Challenge) -> DigitsEvidence:
    """Record that something was said and no model could listen: unavailable, which is not absent."""
    length = len(challenge.digits)
    return DigitsEvidence(DigitsMode.SPOKEN, challenge.language, length, score=None, voiced_units=length)


def record_tapped_digits(tapped: str, challenge: Challenge) -> DigitsEvidence:
    """Record whether the digits tapped are those asked for; the digits themselves are not kept."""
    return DigitsEvidence(
        mode=DigitsMode.TAPPED,
        language=challenge.language,
        expected_length=len(challenge.digits),
        same=tapped == challenge.digits,
    )


def record_challenge(
    challenge: Challenge,
    record: ChallengeRecord | None,
    content_hash: str,
    session_id: str,
    received_at: datetime,
) -> ChallengeEvidence:
    """Compare the challenge that came back with what the server remembers of it."""
    chosen_by_hand = challenge.id is None and challenge.origin is ChallengeOrigin.CHOSEN
    return ChallengeEvidence(
        id=challenge.id,
        origin=challenge.origin,
        steps=challenge.steps,
        prompts_s=tuple(round(p, DECIMALS) for p in challenge.prompts_s) if challenge.prompts_s else None,
        digits_length=len(challenge.digits),
        digits_mode=challenge.digits_mode,
        drawn_at=challenge.drawn_at,
        expires_at=challenge.expires_at,
        received_at=received_at,
        known=record is not None or chosen_by_hand,
        altered=record is not None and record.content_hash != content_hash,
        used_before=record is not None and record.used_at is not None,
        other_session=record is not None and record.session_id != session_id,
    )


def _side(side: DocumentMeasurement) -> SideEvidence:
    quality = _rounded(side.quality)
    return SideEvidence(
        kind=side.kind,
        number_checksum=side.number_checksum,
        mrz_check_digits=side.mrz_check_digits,
        cross_checks=dict(sorted(side.cross_checks.items())),
        fields_read=tuple(sorted(name for name, value in side.fields.items() if value)),
        portrait_present=side.portrait is not None,
        cards_seen=side.cards_seen,
        sharpness=quality.sharpness,
        brightness=quality.brightness,
        contrast=quality.contrast,
        glare_share=quality.glare_share,
        card_width_px=quality.object_width_px,
        cut_edges=quality.cut_edges,
        copy_signs=_rounded(side.copy_signs),
        models=side.models,
    )


def _whole_years(since: date | None, on: date) -> int | None:
    if since is None:
        return None
    return on.year - since.year - ((on.month, on.day) < (since.month, since.day))


def _years(since: date | None, on: date) -> float | None:
    return None if since is None else round((on - since).days / _DAYS_PER_YEAR, 2)


def _rounded(record: T) -> T:
    """Return the record with its floats rounded; NaN, which JSON cannot say, becomes None."""
    floats = {f.name: getattr(record, f.name) for f in fields(record)}  # type: ignore[arg-type]  # a dataclass
    changed: dict[str, Any] = {n: _figure(v) for n, v in floats.items() if isinstance(v, float)}
    return replace(record, **changed)  # type: ignore[type-var]  # a dataclass


def _figure(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(float(value), DECIMALS)
