"""Builders of evidence for tests of identity proofing: a genuine session, and what to change about it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from shiming.identity_proofing.model.challenge import ChallengeOrigin, Language
from shiming.identity_proofing.model.evidence import (
    AuthorityAnswer,
    AuthorityEvidence,
    ChallengeEvidence,
    ClipEvidence,
    DigitsEvidence,
    DocumentEvidence,
    Evidence,
    FaceVotes,
    PortraitAnswer,
    SideEvidence,
)
from shiming.identity_proofing.model.session import EvidenceKind
from shiming.jurisdictions.model import Channel, Cited, DigitsMode, Gesture, Policy, Route
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.recognition.measurements import (
    AttackSigns,
    ClipEvent,
    ClipEventKind,
    CopySigns,
    DocumentKind,
    ModelUse,
)

ON = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
STEPS = (Gesture.TURN_LEFT, Gesture.BLINK, Gesture.TURN_RIGHT)


@cache
def a_policy() -> Policy:
    return policy_on(read_pack("cn"), ON)


def changed(policy: Policy, section: str, **values: Any) -> Policy:
    """Return the policy with other values in one section, cited as before."""
    part = getattr(policy, section)
    updates = {
        name: getattr(part, name).model_copy(update={"value": value}) for name, value in values.items()
    }
    return policy.model_copy(update={section: part.model_copy(update=updates)})


def cited(value: Any) -> Cited[Any]:
    return a_policy().caps["cards"].lines_per_holder_max.model_copy(update={"value": value})


def turn(side: str, start: float, degrees: float = 32.0, length: float = 1.0) -> ClipEvent:
    return ClipEvent(ClipEventKind(f"turn_{side}"), start, start + length, degrees)


def blink(at: float) -> ClipEvent:
    return ClipEvent(ClipEventKind.BLINK, at, at + 0.15)


def a_side(**changes: Any) -> SideEvidence:
    genuine = SideEvidence(
        kind=DocumentKind.RESIDENT_ID_FRONT,
        number_checksum=True,
        mrz_check_digits=None,
        cross_checks={"birth_date": True, "sex": True},
        fields_read=("address", "birth_date", "name", "number", "sex"),
        portrait_present=True,
        cards_seen=1,
        sharpness=300.0,
        brightness=150.0,
        contrast=50.0,
        glare_share=0.01,
        card_width_px=900,
        cut_edges=(),
        copy_signs=CopySigns(0.05, 0.02, 0.0),
        models=(ModelUse("ocr", "6", "ab" * 32),),
    )
    return replace(genuine, **changes)


def a_back(**changes: Any) -> SideEvidence:
    return a_side(
        **{
            "kind": DocumentKind.RESIDENT_ID_BACK,
            "number_checksum": None,
            "cross_checks": {},
            "fields_read": ("issuer", "valid_from", "valid_to"),
            "portrait_present": False,
            **changes,
        }
    )


def a_document(**changes: Any) -> DocumentEvidence:
    genuine = DocumentEvidence(
        document_type="resident_id",
        front=a_side(),
        back=a_back(),
        days_to_expiry=900,
        long_term=False,
        portrait_age_years=4.2,
        age_years=33,
    )
    return replace(genuine, **changes)


def attack_signs(**changes: Any) -> AttackSigns:
    live = AttackSigns(
        passive_live_score=0.93,
        frozen_share=0.01,
        loop_distance=0.05,
        planar_score=0.1,
        moire=0.05,
        frame_edges=0.02,
        same_person_min=0.82,
        same_person_second_min=0.88,
        time_gap_s_max=0.04,
        faces_max=1,
    )
    return replace(live, **changes)


def a_clip(**changes: Any) -> ClipEvidence:
    genuine = ClipEvidence(
        events=(turn("left", 1.0), blink(3.0), turn("right", 4.5)),
        attack_signs=attack_signs(),
        face_width_px=230.0,
        face_sharpness=120.0,
        present_share=1.0,
        duration_s=7.0,
        has_audio=True,
        models=(ModelUse("face_mesh", "1", "cd" * 32),),
    )
    return replace(genuine, **changes)


def a_challenge(**changes: Any) -> ChallengeEvidence:
    genuine = ChallengeEvidence(
        id="CHL-0081-0G3G-50C7-1",
        origin=ChallengeOrigin.DRAWN,
        steps=STEPS,
        prompts_s=None,
        digits_length=6,
        digits_mode=DigitsMode.SPOKEN,
        drawn_at=NOW,
        expires_at=NOW + timedelta(seconds=120),
        received_at=NOW + timedelta(seconds=30),
        known=True,
        altered=False,
        used_before=False,
        other_session=False,
    )
    return replace(genuine, **changes)


def a_digits_reading(**changes: Any) -> DigitsEvidence:
    return replace(
        DigitsEvidence(DigitsMode.SPOKEN, Language.MANDARIN, 6, score=-2.0, voiced_units=6), **changes
    )


def an_answer(**changes: Any) -> AuthorityEvidence:
    match = AuthorityEvidence(AuthorityAnswer.MATCH, PortraitAnswer.MATCH, "TRX-1", validity_confirmed=True)
    return replace(match, **changes)


def evidence_with(**changes: Any) -> Evidence:
    """Return the evidence of a genuine session, with changes."""
    attempts: Mapping[EvidenceKind, int] = dict.fromkeys(EvidenceKind, 1)
    genuine = Evidence(
        session_id="SES-0081-0G3G-50C7-1",
        channel=Channel.SHOP,
        route=Route.STANDARD,
        subject="adult",
        on=ON,
        attempts=attempts,
        document=a_document(),
        clip=a_clip(),
        face_clip_document=FaceVotes(0.81, 0.86),
        digits=a_digits_reading(),
        challenge=a_challenge(),
        authority=an_answer(),
    )
    return replace(genuine, **changes)
