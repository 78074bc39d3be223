"""Whether the digits of the challenge were given. Against replay only: this is no recognition of a speaker.

Never refuses by itself. What was not heard or not understood is asked for again, then another route is
offered: nobody is turned away for a voice or a dialect.
"""

from shiming.identity_proofing.checks.finding import Finding, absent, conclude, unavailable, unclear
from shiming.identity_proofing.model.decision import CheckResult
from shiming.identity_proofing.model.evidence import DigitsEvidence, Evidence
from shiming.identity_proofing.model.session import EvidenceKind
from shiming.jurisdictions.model import CheckName, DigitsMode, Policy

_AGAIN = EvidenceKind.DIGITS


def check_digits(evidence: Evidence, policy: Policy) -> CheckResult:
    """Judge the digits.

    (1) the challenge asked for digits of the policy's length  (2) something was given, in the way asked for
    (3) tapped digits are the same; of spoken ones the count fits and the score of the claimed string is
    high enough
    """
    check, given, limits = CheckName.DIGITS.value, evidence.digits, policy.thresholds
    return conclude(
        check,
        _findings(evidence, policy),
        measurements={
            "mode": given.mode.value if given else None,
            "score": given.score if given else None,
            "voiced_units": given.voiced_units if given else None,
            "expected_length": given.expected_length if given else None,
            "same": given.same if given else None,
        },
        thresholds={
            "score_accept_min": limits.digits_score_accept_min,
            "score_retry_min": limits.digits_score_retry_min,
            "units_difference_max": limits.digits_units_difference_max,
        },
    )


def _findings(evidence: Evidence, policy: Policy) -> list[Finding]:
    given, asked = evidence.digits, evidence.challenge
    citation = policy.thresholds.digits_score_accept_min.citation
    length = policy.challenge.digits_length
    if asked is None or asked.digits_length < length.value:
        return [absent("CHALLENGE_ABSENT", length.citation, _AGAIN)]
    if given is None or given.expected_length != asked.digits_length or given.mode is not asked.digits_mode:
        return [absent("DIGITS_ABSENT", citation, _AGAIN)]
    if given.mode is DigitsMode.TAPPED:
        return [] if given.same else [unclear("DIGITS_MISMATCH", citation, _AGAIN)]
    return _spoken(given, policy)


def _spoken(given: DigitsEvidence, policy: Policy) -> list[Finding]:
    limits = policy.thresholds
    accept, ask_again = limits.digits_score_accept_min, limits.digits_score_retry_min
    if given.voiced_units is None or given.voiced_units == 0:
        return [absent("DIGITS_ABSENT", accept.citation, _AGAIN)]
    if given.score is None:
        return [unavailable("DIGITS_MODEL_UNAVAILABLE", accept.citation)]
    difference = abs(given.voiced_units - given.expected_length)
    if difference > limits.digits_units_difference_max.value or given.score < ask_again.value:
        return [unclear("DIGITS_MISMATCH", accept.citation, _AGAIN)]
    return [] if given.score >= accept.value else [unclear("DIGITS_UNCLEAR", ask_again.citation, _AGAIN)]
