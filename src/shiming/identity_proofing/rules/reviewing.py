"""When a finding by eye may be taken, and when enough people have looked."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from shiming.identity_proofing.model.evidence import StaffReview
from shiming.identity_proofing.model.review import Finding
from shiming.identity_proofing.model.session import Session
from shiming.jurisdictions.model import Policy


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
