"""Whether the clip shows a living person, or something held in front of the camera.

Hard where the evidence is plain - a picture that stands still, repeats itself or moves as a plane. A gap in
time is a cut, or a slow telephone that lost frames: another challenge tells. Advisory signs (screen
structure, the passive model) and what could not be measured go to people.
"""

from collections.abc import Iterator

from shiming.identity_proofing.checks.finding import Finding, absent, conclude, failed, unavailable, unclear
from shiming.identity_proofing.model.decision import CheckOutcome, CheckResult
from shiming.identity_proofing.model.evidence import Evidence
from shiming.identity_proofing.model.session import EvidenceKind
from shiming.identity_proofing.rules.challenge_drawing import TURNS
from shiming.jurisdictions.model import CheckName, Policy
from shiming.recognition.measurements import AttackSigns

_AGAIN = EvidenceKind.CLIP


def check_presentation_attack(evidence: Evidence, policy: Policy) -> CheckResult:
    """Judge the signs of an attack.

    (1) there is a clip  (2) it does not stand still  (3) it does not repeat  (4) it is not cut
    (5) the face moves as a head does  (6) one face only  (7) no signs of a screen  (8) the passive model
    does not object
    """
    check, clip, limits = CheckName.PRESENTATION_ATTACK.value, evidence.clip, policy.thresholds
    if clip is None:
        return conclude(check, [absent("NO_CLIP", limits.frozen_share_max.citation, _AGAIN)])
    signs = clip.attack_signs
    turned = evidence.challenge is not None and bool(TURNS & set(evidence.challenge.steps))
    findings = [*_plain_signs(signs, policy), *_shape(signs, policy, turned=turned)]
    if any(finding.outcome is CheckOutcome.FAILED for finding in findings):
        findings.insert(0, failed("LIVENESS_FAILED", limits.frozen_share_max.citation))
    return conclude(
        check,
        [*findings, *_advisory_signs(signs, policy)],
        measurements=signs.to_json(),
        thresholds={
            "frozen_share_max": limits.frozen_share_max,
            "loop_distance_min": limits.loop_distance_min,
            "time_gap_s_max": limits.time_gap_s_max,
            "planar_score_max": limits.planar_score_max,
            "faces_max": limits.faces_max,
            "moire_review_min": limits.clip_moire_review_min,
            "frame_edges_review_min": limits.clip_frame_edges_review_min,
            "passive_live_review_max": limits.passive_live_review_max,
        },
    )


def _plain_signs(signs: AttackSigns, policy: Policy) -> Iterator[Finding]:
    limits = policy.thresholds
    if signs.frozen_share > limits.frozen_share_max.value:
        yield failed("CLIP_FROZEN", limits.frozen_share_max.citation)
    if signs.loop_distance is None:
        yield unavailable("LIVENESS_UNAVAILABLE", limits.loop_distance_min.citation)
    elif signs.loop_distance < limits.loop_distance_min.value:
        yield failed("CLIP_REPEATED", limits.loop_distance_min.citation)
    if signs.time_gap_s_max > limits.time_gap_s_max.value:
        yield unclear("CLIP_CUT", limits.time_gap_s_max.citation, _AGAIN)
    if signs.faces_max > limits.faces_max.value:
        yield unclear("SECOND_FACE", limits.faces_max.citation, _AGAIN)


def _shape(signs: AttackSigns, policy: Policy, *, turned: bool) -> Iterator[Finding]:
    """Only a turned head shows whether it is flat; without turns there is nothing to measure."""
    limit = policy.thresholds.planar_score_max
    if signs.planar_score is None:
        if turned:
            yield unavailable("LIVENESS_UNAVAILABLE", limit.citation)
    elif signs.planar_score > limit.value:
        yield failed("FLAT_PICTURE", limit.citation)


def _advisory_signs(signs: AttackSigns, policy: Policy) -> Iterator[Finding]:
    limits = policy.thresholds
    for sign, limit in (
        (signs.moire, limits.clip_moire_review_min),
        (signs.frame_edges, limits.clip_frame_edges_review_min),
    ):
        if sign is None:
            yield unavailable("LIVENESS_UNAVAILABLE", limit.citation)
        elif sign >= limit.value:
            yield unclear("SCREEN_SIGNS", limit.citation)
    passive = signs.passive_live_score
    if passive is None:
        yield unavailable("LIVENESS_UNAVAILABLE", limits.passive_live_review_max.citation)
    elif passive <= limits.passive_live_review_max.value:
        yield unclear("LIVENESS_UNCLEAR", limits.passive_live_review_max.citation)
