"""Whether the person in the clip is the person of the document, and of the authority's record.

Two models vote. Both must agree to pass; both must clearly deny to refuse; everything between is looked
at by people. One claimed person only: there is no list of faces anywhere.
"""

from collections.abc import Iterator

from shiming.identity_proofing.checks.finding import Finding, absent, conclude, failed, unavailable, unclear
from shiming.identity_proofing.model.decision import CheckResult
from shiming.identity_proofing.model.evidence import Evidence, FaceVotes, PortraitAnswer
from shiming.identity_proofing.model.session import EvidenceKind
from shiming.identity_proofing.rules.card_reading import DocumentFacts
from shiming.jurisdictions.model import CheckName, Policy


def check_face_clip_document(evidence: Evidence, policy: Policy) -> CheckResult:
    """Judge the face of the clip against the portrait of the document.

    (1) both pictures are there, the portrait from chip or picture  (2) the face in the clip is large, sharp
    and long enough in view  (3) both votes at or above their threshold pass  (4) both below the review band
    refuse, except with an old portrait  (5) anything else goes to people
    """
    check, limits, votes = CheckName.FACE_CLIP_DOCUMENT.value, policy.thresholds, evidence.face_clip_document
    findings = list(_clip_quality(evidence, policy))
    if votes is None:
        if not findings:  # a good clip, but no portrait to compare it with
            findings.extend(_without_portrait(evidence, policy))
    else:
        findings.extend(_votes(votes, evidence, policy))
    clip = evidence.clip
    return conclude(
        check,
        findings,
        measurements={
            "similarity": votes.similarity if votes else None,
            "second_similarity": votes.second_similarity if votes else None,
            "face_width_px": clip.face_width_px if clip else None,
            "face_sharpness": clip.face_sharpness if clip else None,
            "present_share": clip.present_share if clip else None,
            "portrait_age_years": _portrait_age(evidence),
        },
        thresholds={
            "similarity_min": limits.face_similarity_min,
            "second_similarity_min": limits.face_second_similarity_min,
            "similarity_review_min": limits.face_similarity_review_min,
            "second_similarity_review_min": limits.face_second_similarity_review_min,
            "face_width_px_min": limits.face_width_px_min,
            "face_sharpness_min": limits.face_sharpness_min,
            "present_share_min": limits.present_share_min,
            "portrait_age_years_review_min": limits.portrait_age_years_review_min,
        },
    )


def check_face_clip_authority(evidence: Evidence, policy: Policy) -> CheckResult:
    """Judge the face of the clip against the authority's portrait of the claimed person, compared there."""
    citation = policy.authority.attributes.citation
    answer = evidence.authority.portrait if evidence.authority else PortraitAnswer.NOT_COMPARED
    findings: list[Finding] = []
    if answer is PortraitAnswer.MISMATCH:
        findings.append(failed("FACE_AUTHORITY_MISMATCH", citation))
    elif answer is PortraitAnswer.NOT_COMPARED:
        findings.append(unavailable("AUTHORITY_NOT_ASKED", citation))
    return conclude(CheckName.FACE_CLIP_AUTHORITY.value, findings, measurements={"portrait": answer.value})


def _clip_quality(evidence: Evidence, policy: Policy) -> Iterator[Finding]:
    clip, limits, again = evidence.clip, policy.thresholds, EvidenceKind.CLIP
    if clip is None:
        yield absent("NO_CLIP", limits.face_similarity_min.citation, again)
        return
    if clip.face_sharpness is None or clip.face_sharpness < limits.face_sharpness_min.value:
        yield unclear("CLIP_QUALITY", limits.face_sharpness_min.citation, again)
    if clip.face_width_px < limits.face_width_px_min.value:
        yield unclear("CLIP_QUALITY", limits.face_width_px_min.citation, again)
    if clip.present_share < limits.present_share_min.value:
        yield unclear("CLIP_QUALITY", limits.present_share_min.citation, again)


def _votes(votes: FaceVotes, evidence: Evidence, policy: Policy) -> Iterator[Finding]:
    limits, second = policy.thresholds, votes.second_similarity
    if second is None:
        yield unavailable("FACE_MODEL_UNAVAILABLE", limits.face_second_similarity_min.citation)
        return
    if (
        votes.similarity >= limits.face_similarity_min.value
        and second >= limits.face_second_similarity_min.value
    ):
        return
    denied = (
        votes.similarity < limits.face_similarity_review_min.value
        and second < limits.face_second_similarity_review_min.value
    )
    if denied and not _portrait_is_old(evidence, policy):
        yield failed("FACE_MISMATCH", limits.face_similarity_min.citation)
    else:
        yield unclear("FACE_UNCLEAR", limits.face_similarity_review_min.citation)


def _without_portrait(evidence: Evidence, policy: Policy) -> Iterator[Finding]:
    """Judge a clip for which neither chip nor picture has given a portrait.

    After a reading of the chip the authority's own portrait of that number stands in for it; without that
    answer nothing does, and it cannot be photographed into existence: people look.
    """
    citation, shown = policy.thresholds.face_similarity_min.citation, evidence.document
    undecoded = evidence.card_reading is not None and not (shown and shown.front.portrait_present)
    if not undecoded:
        yield absent("PORTRAIT_NOT_FOUND", citation, EvidenceKind.DOCUMENT)
    elif evidence.authority is None or evidence.authority.portrait is not PortraitAnswer.MATCH:
        yield unavailable("PORTRAIT_UNDECODED", citation)


def _portrait_age(evidence: Evidence) -> float | None:
    facts = DocumentFacts.of(evidence)
    return facts.portrait_age_years if facts else None


def _portrait_is_old(evidence: Evidence, policy: Policy) -> bool:
    age = _portrait_age(evidence)
    return age is not None and age >= policy.thresholds.portrait_age_years_review_min.value
