"""When a finding by eye may be taken, and when enough people have looked."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from shiming.identity_proofing.model.evidence import Evidence, RefereeEvidence, StaffReview
from shiming.identity_proofing.model.review import Finding
from shiming.identity_proofing.model.session import Session
from shiming.jurisdictions.model import Cited, Policy, Route


def refuse_finding(session: Session, finding: Finding, now: datetime) -> str | None:
    """Return the code of why a finding cannot be taken; None when it can.

    (1) the session waits for people  (2) its time is not over  (3) the ground says the same as the answers
    """
    if session.state.is_final or session.waiting_since is None:
        return "REVIEW_NOT_AWAITED"
    if now >= session.expires_at:
        return "SESSION_EXPIRED"
    if finding.ground.is_for is not (finding.same_person and finding.document_genuine):
        return "REVIEW_GROUND_CONTRADICTS"
    return None


def refuse_beside_referee(
    session: Session, staff: str, referee: RefereeEvidence | None, policy: Policy
) -> str | None:
    """Return why a finding cannot be taken on the route of a referee: they come first, and others look."""
    if session.route is not Route.REFEREE or policy.referee is None:
        return None
    if referee is None:
        return "REFEREE_FIRST"
    named = policy.referee.served_by_another.value and staff == referee.named_by
    return "REFEREE_NAMED_BY_YOU" if named else None


def people_who_looked(reviews: Iterable[StaffReview]) -> frozenset[str]:
    """Return the people who have answered, each once."""
    return frozenset(review.staff for review in reviews)


def enough_looked(reviews: Sequence[StaffReview], policy: Policy) -> bool:
    """Say whether as many people have answered as the pack asks for, whatever they answered.

    One person's no does not end it: a second one looks before anybody is refused.
    """
    rules = policy.assisted_review
    looked = len(people_who_looked(reviews)) if rules.different_people.value else len(reviews)
    return looked >= rules.staff_min.value


def enough_for(evidence: Evidence, policy: Policy) -> bool:
    """Say whether enough people have answered for this session's route.

    Beside a referee fewer are needed to agree. A no is looked at by as many as without one.
    """
    against = any(not (each.same_person and each.document_genuine) for each in evidence.reviews)
    if against or evidence.referee is None or not _with_referee(evidence, policy):
        return enough_looked(evidence.reviews, policy)
    looked = people_who_looked(reviews_that_count(evidence, policy))
    return len(looked) >= staff_needed(evidence.route, policy).value


def staff_needed(route: Route, policy: Policy) -> Cited[int]:
    """Return how many members of staff have to agree on a route."""
    if route is Route.REFEREE and policy.referee is not None:
        return policy.referee.staff_min
    return policy.assisted_review.staff_min


def reviews_that_count(evidence: Evidence, policy: Policy) -> tuple[StaffReview, ...]:
    """Return the findings that count: where the pack says so, not of whoever named the referee."""
    rules, referee = policy.referee, evidence.referee
    if rules is None or referee is None or not _with_referee(evidence, policy):
        return evidence.reviews
    barred = referee.named_by if rules.served_by_another.value else None
    return tuple(review for review in evidence.reviews if review.staff != barred)


def _with_referee(evidence: Evidence, policy: Policy) -> bool:
    return evidence.route is Route.REFEREE and policy.referee is not None
