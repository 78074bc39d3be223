"""Whether it is one person from the first frame of the clip to the last."""

from shiming.identity_proofing.checks.finding import Finding, absent, conclude, failed, unavailable, unclear
from shiming.identity_proofing.model.decision import CheckResult
from shiming.identity_proofing.model.evidence import ClipEvidence, Evidence
from shiming.identity_proofing.model.session import EvidenceKind
from shiming.jurisdictions.model import CheckName, Policy
from shiming.recognition.measurements import ClipEventKind


def check_same_person(evidence: Evidence, policy: Policy) -> CheckResult:
    """Judge the identity of every segment of the clip against the neutral one.

    (1) there is a clip  (2) both votes of the weakest segment pass  (3) both votes against it refuse
    (4) one against it, or a vote that is missing, goes to people
    """
    check, clip, limits = CheckName.SAME_PERSON.value, evidence.clip, policy.thresholds
    if clip is None:
        return conclude(check, [absent("NO_CLIP", limits.same_person_min.citation, EvidenceKind.CLIP)])
    return conclude(
        check,
        _findings(clip, policy),
        measurements={
            "same_person_min": clip.attack_signs.same_person_min,
            "same_person_second_min": clip.attack_signs.same_person_second_min,
        },
        thresholds={
            "same_person_min": limits.same_person_min,
            "same_person_second_min": limits.same_person_second_min,
        },
    )


def _findings(clip: ClipEvidence, policy: Policy) -> list[Finding]:
    limits, signs = policy.thresholds, clip.attack_signs
    citation = limits.same_person_min.citation
    votes = (signs.same_person_min, signs.same_person_second_min)
    if votes == (None, None):
        return [unclear("PERSON_UNCLEAR", citation)]
    first = votes[0] is not None and votes[0] < limits.same_person_min.value
    second = votes[1] is not None and votes[1] < limits.same_person_second_min.value
    if (first and second) or any(e.kind is ClipEventKind.IDENTITY_CHANGE for e in clip.events):
        return [failed("CLIP_SPLICED", citation)]
    if first or second:
        return [unclear("PERSON_UNCLEAR", citation)]
    return [unavailable("FACE_MODEL_UNAVAILABLE", citation)] if None in votes else []
