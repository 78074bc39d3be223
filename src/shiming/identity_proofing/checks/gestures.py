"""Whether the person did what was asked, in its order and in time."""

from shiming.identity_proofing.checks.finding import Finding, absent, conclude, failed, unclear
from shiming.identity_proofing.model.decision import CheckResult
from shiming.identity_proofing.model.evidence import Evidence
from shiming.identity_proofing.model.session import EvidenceKind
from shiming.identity_proofing.rules.gesture_sequence import GestureVerdict, judge_gestures
from shiming.jurisdictions.model import CheckName, Policy

_AGAIN = EvidenceKind.CLIP


def check_gestures(evidence: Evidence, policy: Policy) -> CheckResult:
    """Judge the gestures of the clip against those of the challenge.

    (1) there is a clip, as long as the steps need  (2) there are steps
    (3) they happened as asked (`rules.gesture_sequence`)
    """
    check, clip, rules = CheckName.GESTURES.value, evidence.clip, policy.challenge
    citation = rules.turn_degrees_min.citation
    if clip is None:
        return conclude(check, [absent("NO_CLIP", citation, _AGAIN)])
    if evidence.challenge is None or not evidence.challenge.steps:
        return conclude(check, [absent("CHALLENGE_ABSENT", citation, _AGAIN)])
    findings: list[Finding] = []
    if not rules.clip_seconds_min.value <= clip.duration_s <= rules.clip_seconds_max.value:
        findings.append(unclear("CLIP_LENGTH", rules.clip_seconds_min.citation, _AGAIN))
    challenge = evidence.challenge
    verdict = judge_gestures(challenge.steps, clip.events, challenge.prompts_s, rules)
    findings.extend(_finding(verdict, policy))
    return conclude(
        check,
        findings,
        measurements={
            "asked": ",".join(step.value for step in challenge.steps),
            "seen": ",".join(_shown(event.kind.value, event.degrees) for event in clip.events),
            "verdict": verdict.value,
            "duration_s": clip.duration_s,
            "prompts_known": challenge.prompts_s is not None,
        },
        thresholds={
            "turn_degrees_min": rules.turn_degrees_min,
            "turn_held_seconds_min": rules.turn_held_seconds_min,
            "response_seconds_min": rules.response_seconds_min,
            "response_seconds_max": rules.response_seconds_max,
            "clip_seconds_min": rules.clip_seconds_min,
            "clip_seconds_max": rules.clip_seconds_max,
        },
    )


def _finding(verdict: GestureVerdict, policy: Policy) -> list[Finding]:
    """Refuse turns that contradict what was asked; ask again for what was left out or overlooked."""
    rules = policy.challenge
    if verdict is GestureVerdict.MATCHED:
        return []
    if verdict is GestureVerdict.WRONG_ORDER:
        return [failed("GESTURES_WRONG_ORDER", rules.opposite_turn_allowed.citation)]
    code, citation = {
        GestureVerdict.MISPLACED: ("GESTURES_WRONG_ORDER", rules.turn_degrees_min.citation),
        GestureVerdict.TOO_SMALL: ("GESTURES_TOO_SMALL", rules.turn_degrees_min.citation),
        GestureVerdict.MISSING: ("GESTURES_MISSING", rules.turn_degrees_min.citation),
        GestureVerdict.OUT_OF_TIME: ("GESTURES_OUT_OF_TIME", rules.response_seconds_max.citation),
    }[verdict]
    return [unclear(code, citation, _AGAIN)]


def _shown(kind: str, degrees: float | None) -> str:
    return kind if degrees is None else f"{kind}:{degrees:.0f}"
