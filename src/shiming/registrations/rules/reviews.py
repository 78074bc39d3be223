"""Decide whether somebody may decide an enhanced review: once, and never the one who asked."""

from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.model.ordering import Review
from shiming.vocabulary.refusals import Refusal


def decide_review_of(review: Review, *, by: str, citation: str) -> tuple[Refusal, ...]:
    """Return every reason why this person cannot decide this review."""
    refusals = []
    if review.decision is not None:
        refusals.append(Refusal(OrderRefusal.REVIEW_DECIDED, citation))
    if review.asked_by == by:
        refusals.append(Refusal(OrderRefusal.REVIEW_OWN, citation))
    return tuple(refusals)
