"""From check results to one decision: everything is collected, nothing is guessed.

Failed evidence refuses, unclear evidence asks again or goes to people, and only required checks that all
passed verify. No path from an absent or unavailable required check leads to Verified.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shiming.identity_proofing.model.decision import (
    Adjudication,
    CheckOutcome,
    CheckResult,
    Decision,
    NeedsReview,
    NotVerified,
    Reason,
    Retry,
    Reviewer,
    Verified,
)
from shiming.identity_proofing.model.reasons import reason
from shiming.identity_proofing.model.session import EvidenceKind
from shiming.identity_proofing.rules.requirements import advisory_checks, required_checks
from shiming.identity_proofing.rules.sessions import attempts_max
from shiming.identity_proofing.rules.vouching import route_offered
from shiming.jurisdictions.model import AfterAttempts, Channel, CheckName, Policy, Route, UnreachableOutcome


@dataclass(frozen=True, slots=True)
class _OfferedIn:
    """Where somebody applies, and which way they went."""

    channel: Channel
    route: Route


_MISSED = frozenset({CheckOutcome.ABSENT, CheckOutcome.UNAVAILABLE, CheckOutcome.UNCLEAR})


def adjudicate(
    results: Sequence[CheckResult],
    policy: Policy,
    channel: Channel,
    route: Route,
    attempts: Mapping[EvidenceKind, int],
) -> Adjudication:
    """Decide a session.

    (1) no checks at all is a refusal  (2) a required check without a result is absent
    (3) a required check that failed refuses  (4) what can be given again is asked for again
    (5) what stays unclear, and advisory checks that speak against the person, go to people
    (6) what people found when they looked counts: against the person always, for them where the pack lets
        people settle a doubt  (7) otherwise the person is verified
    """
    required = required_checks(policy, channel, route)
    if not results:
        return Adjudication(NotVerified((_no_checks(policy, channel),)), (), required)
    by_name = {result.check: result for result in results}
    demanded = [by_name.get(name) or _absent(name, policy, channel) for name in required]
    looked = by_name.get(CheckName.ASSISTED_REVIEW.value)
    if looked is not None and looked not in demanded:
        demanded.append(looked)
    advisory = [by_name[name] for name in advisory_checks(policy, channel, route) if name in by_name]
    known = {result.check for result in demanded}
    checks = (*demanded, *(result for result in results if result.check not in known))
    offered = _OfferedIn(channel, route)
    return Adjudication(_decide(demanded, advisory, policy, offered, attempts), checks, required)


def _decide(
    demanded: Sequence[CheckResult],
    advisory: Sequence[CheckResult],
    policy: Policy,
    at: _OfferedIn,
    attempts: Mapping[EvidenceKind, int],
) -> Decision:
    if failed := [r for r in demanded if r.outcome is CheckOutcome.FAILED]:
        return NotVerified(_reasons(failed))
    settled = _settled(demanded, policy)
    missed = [r for r in demanded if r.outcome in _MISSED and r.check not in settled]
    if again := _ask_again(missed, policy, at, attempts):
        return again
    against = [
        r
        for r in advisory
        if r.outcome in {CheckOutcome.FAILED, CheckOutcome.UNCLEAR} and r.check not in settled
    ]
    if missed or against:
        return NeedsReview(_reasons((*missed, *against)), _reviewer(missed, against, policy))
    return Verified(policy.routes[at.route].level.value)


def _settled(demanded: Sequence[CheckResult], policy: Policy) -> frozenset[str]:
    """Return the checks whose doubt people have settled: unclear ones of those that the pack names.

    What failed was refused before; what is absent or could not be measured is no doubt that a look settles.
    """
    looked = any(
        r.check == CheckName.ASSISTED_REVIEW.value and r.outcome is CheckOutcome.PASSED for r in demanded
    )
    if not looked or policy.assisted_review.settles is None:
        return frozenset()
    missing = {r.check for r in demanded if r.outcome in {CheckOutcome.ABSENT, CheckOutcome.UNAVAILABLE}}
    return frozenset(check.value for check in policy.assisted_review.settles.value) - missing


def _ask_again(
    missed: Sequence[CheckResult], policy: Policy, at: _OfferedIn, attempts: Mapping[EvidenceKind, int]
) -> Retry | None:
    """Return what to ask for again: first the document, then the clip, then the digits; None if nothing."""
    for kind in EvidenceKind:
        asked = [result for result in missed if result.retry == kind.value]
        if not asked:
            continue
        used = attempts.get(kind, 0)
        left = attempts_max(policy, kind) - used
        if left > 0:
            return Retry(kind.value, left, _reasons(asked))
        after, citation = _after_attempts(policy, kind)
        routes = _other_routes(policy, at, used)
        if after is AfterAttempts.OTHER_ROUTE and routes:
            used_up = reason("ATTEMPTS_USED_UP", citation)
            return Retry("other_route", len(routes), (*_reasons(asked), used_up), routes)
    return None


def _after_attempts(policy: Policy, kind: EvidenceKind) -> tuple[AfterAttempts, str]:
    rules = {
        EvidenceKind.CARD_READING: policy.attempts.after_document,
        EvidenceKind.DOCUMENT: policy.attempts.after_document,
        EvidenceKind.CLIP: policy.attempts.after_clip,
        EvidenceKind.DIGITS: policy.attempts.after_digits,
    }
    return rules[kind].value, rules[kind].citation


def _other_routes(policy: Policy, at: _OfferedIn, used: int) -> tuple[str, ...]:
    return tuple(
        name.value
        for name, rules in policy.routes.items()
        if name is not at.route
        and rules.offer_after_attempts.value <= used
        and route_offered(policy, at.channel, name)
    )


def _reviewer(missed: Sequence[CheckResult], against: Sequence[CheckResult], policy: Policy) -> Reviewer:
    """Only when nothing but the authority's silence is in the way may the program wait for it alone."""
    only_authority = not against and all(
        r.check == CheckName.AUTHORITY.value and r.outcome is CheckOutcome.UNAVAILABLE for r in missed
    )
    queue = policy.authority.unreachable_outcome.value is UnreachableOutcome.QUEUE
    return Reviewer.AUTHORITY_QUEUE if only_authority and queue else Reviewer.STAFF


def _reasons(results: Iterable[CheckResult]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reason for result in results for reason in result.reasons))


def _absent(name: str, policy: Policy, channel: Channel) -> CheckResult:
    why = reason("EVIDENCE_ABSENT", policy.channels[channel].required_checks.citation)
    return CheckResult(name, CheckOutcome.ABSENT, (why,))


def _no_checks(policy: Policy, channel: Channel) -> Reason:
    return reason("NO_CHECKS", policy.channels[channel].required_checks.citation)
