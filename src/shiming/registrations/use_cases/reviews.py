"""Enhanced reviews: staff look again before a holder gets one more line than the cap."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from shiming.infrastructure.outbox import Event, emit
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.registrations.events.orders import REVIEW_ASKED, REVIEW_DECIDED
from shiming.registrations.model.ordering import OrderRefused, Review, ReviewDecision
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.permissions.orders import MayDecideReview, MayManageOrders, MayReadOrder
from shiming.registrations.rules.reviews import decide_review_of
from shiming.registrations.store import reviews as store
from shiming.registrations.store.orders import change_order
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import asks, inside


@asks(MayManageOrders)
def ask_review(
    tools: RegistrationTools, connection: Connection, order: LineOrder, *, by: str, now: datetime
) -> Review:
    """Ask for the review of an order; the one that waits already is returned.

    `order`: as `orders.hold_order` returned it; `by`: the key of the person who asks.
    """
    waiting = store.find_waiting(connection, order.session_id)
    if waiting is not None:
        return waiting
    review_id = tools.privacy.new_reference("REV")
    review = Review(review_id, order.session_id, order.operator, asked_by=by, asked_at=now)
    store.add_review(connection, review)
    _tell(tools, connection, review, REVIEW_ASKED, now)
    return review


@asks(MayDecideReview)
def decide_review(
    tools: RegistrationTools,
    connection: Connection,
    review_id: str,
    decision: ReviewDecision,
    *,
    by: str,
    why: str,
    policy: RegistrationPolicy,
    now: datetime,
) -> Review | OrderRefused:
    """Decide a review that another person asked for; an order that passes carries its reference."""
    review = store.find_review(connection, review_id, for_update=True)
    if review is None:
        raise review_unknown()
    refusals = decide_review_of(review, by=by, citation=policy.session_citation)
    if refusals:
        return OrderRefused(refusals)
    store.decide(connection, review_id, decision, by=by, why=why, now=now)
    if decision is ReviewDecision.PASSED:
        change_order(connection, review.session_id, review=review_id)
    decided = store.find_review(connection, review_id)
    if decided is None:
        raise review_unknown()
    _tell(tools, connection, decided, REVIEW_DECIDED, now)
    return decided


@asks(MayReadOrder)
def find_review(connection: Connection, review_id: str) -> Review | None:
    """Return a review."""
    return store.find_review(connection, review_id)


@asks(MayDecideReview)
def list_waiting(
    connection: Connection, *, operator: str | None, after: Sequence[Any] | None = None, limit: int
) -> tuple[Review, ...]:
    """Return the reviews that wait for a decision, oldest first."""
    return store.list_waiting(connection, operator=operator, after=after, limit=limit)


@inside("shared by the verbs and the edge")
def review_unknown() -> BadInput:
    """Return the error for a review that is not there."""
    return BadInput(
        "REVIEW_UNKNOWN",
        Text(zh="没有这个核查。", en="There is no such review."),
        Text(zh="请核对编号。", en="Compare the reference."),
    )


def _tell(tools: RegistrationTools, connection: Connection, review: Review, kind: str, now: datetime) -> None:
    facts: dict[str, Fact] = {
        "review": review.review_id,
        "session": review.session_id,
        "asked_by": review.asked_by,
        "decided_by": review.decided_by,
        "decision": review.decision and review.decision.value,
        "why": review.why,
    }
    record(connection, tools.privacy.keys, kind=kind, facts=facts, now=now, operator=review.operator)
    emit(
        connection,
        Event(kind, review.review_id, review.operator, now, {"session": review.session_id}),
    )
