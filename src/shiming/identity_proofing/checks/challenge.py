"""Whether this is the question that we asked this person a moment ago, and its first answer."""

from collections.abc import Iterator

from shiming.identity_proofing.checks.finding import Finding, absent, conclude, failed, unclear
from shiming.identity_proofing.model.decision import CheckResult
from shiming.identity_proofing.model.evidence import ChallengeEvidence, Evidence
from shiming.identity_proofing.model.session import EvidenceKind
from shiming.identity_proofing.rules.requirements import CHALLENGE
from shiming.jurisdictions.model import Policy

_AGAIN = EvidenceKind.CLIP


def check_challenge(evidence: Evidence, policy: Policy) -> CheckResult:
    """Judge the challenge, not its answer.

    (1) there is one  (2) we gave it out, unaltered, in this session  (3) it was not used before
    (4) it was answered within its life  (5) it asks for what the route of the session asks for
    """
    challenge, life = evidence.challenge, policy.challenge.life_seconds
    if challenge is None:
        return conclude(CHALLENGE, [absent("CHALLENGE_ABSENT", life.citation, _AGAIN)])
    return conclude(
        CHALLENGE,
        list(_findings(challenge, evidence, policy)),
        measurements={
            "id": challenge.id,
            "origin": challenge.origin.value,
            "age_s": round((challenge.received_at - challenge.drawn_at).total_seconds(), 3),
            "known": challenge.known,
            "altered": challenge.altered,
            "used_before": challenge.used_before,
            "other_session": challenge.other_session,
        },
        thresholds={"life_seconds": life},
    )


def _findings(challenge: ChallengeEvidence, evidence: Evidence, policy: Policy) -> Iterator[Finding]:
    citation = policy.challenge.life_seconds.citation
    refused = (
        (not challenge.known, "CHALLENGE_UNKNOWN"),
        (challenge.altered, "CHALLENGE_ALTERED"),
        (challenge.other_session, "CHALLENGE_OTHER_SESSION"),
        (challenge.used_before, "CHALLENGE_REPLAYED"),
    )
    yield from (failed(code, citation) for applies, code in refused if applies)
    age = (challenge.received_at - challenge.drawn_at).total_seconds()
    if challenge.received_at > challenge.expires_at or age > policy.challenge.life_seconds.value or age < 0:
        yield unclear("CHALLENGE_STALE", citation, _AGAIN)
    route = policy.routes[evidence.route]
    if (
        not set(challenge.steps) <= set(route.gestures.value)
        or challenge.digits_mode is not route.digits.value
    ):
        yield unclear("CHALLENGE_WRONG_ROUTE", route.gestures.citation, _AGAIN)
