"""Enhanced reviews and holders above a cap, over HTTP.

POST /v1/orders/{session}/review                ask for the review that REVIEW_REQUIRED names
GET  /v1/registration-reviews                   that wait for a decision, oldest first
GET  /v1/registration-reviews/{review}
POST /v1/registration-reviews/{review}/decision by somebody else than who asked
GET  /v1/holders-over-cap                       to be verified again; none is cut
"""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotency_key, idempotent
from shiming.infrastructure.http.page import PageAsked, paged
from shiming.infrastructure.http.problems import problem_responses
from shiming.registrations.api.line_platform import line_platform, refused
from shiming.registrations.api.order_schemas import (
    HolderOverCap,
    HoldersOverCap,
    ReviewDecided,
    Reviews,
    ReviewShown,
)
from shiming.registrations.api.orders import OrderSession
from shiming.registrations.model.ordering import OrderRefused, Review
from shiming.registrations.permissions.orders import (
    MayDecideReview,
    MayListOverCap,
    MayManageOrders,
    MayReadOrder,
)
from shiming.registrations.use_cases import orders, places, reviews
from shiming.vocabulary.errors import BadInput, Text

router = APIRouter(tags=["orders"])

ReviewId = Annotated[str, Path(max_length=40, examples=["REV-0082-0C20-A1G7-D"])]
Deciding = Annotated[Asking, asked(MayDecideReview)]
_REVIEWS, _OVER_CAP = "registration_reviews", "holders_over_cap"
_OVER_CAP_KEYS = 3


@router.post(
    "/v1/orders/{session}/review",
    status_code=201,
    response_model=ReviewShown,
    responses=problem_responses(404),
)
def ask_review(
    request: Request,
    session: OrderSession,
    asking: Annotated[Asking, asked(MayManageOrders)],
    key: Annotated[str | None, idempotency_key()],
) -> Response:
    """Ask for the enhanced review of an order; the one that waits already is returned."""
    asking.allow(MayManageOrders(asking.caller.operator or ""))
    platform = line_platform(request)
    now = platform.clock.now()

    def work(connection: Connection) -> Answer:
        order = orders.hold_order(connection, session, operator=asking.caller.operator)
        by = _person(asking)
        review = reviews.ask_review(platform.registrations, connection, order, by=by, now=now)
        return Answer.of(201, _shown(review), location=f"/v1/registration-reviews/{review.review_id}")

    return idempotent(platform.engine, asking.caller.reference, key, hash_of(request, b""), work, now=now)


@router.get("/v1/registration-reviews", response_model=Reviews)
def list_reviews(
    request: Request, asking: Deciding, page: Annotated[PageAsked, paged(_REVIEWS)]
) -> dict[str, Any]:
    """List the reviews that wait for a decision, oldest first."""
    operator = asking.caller.operator
    asking.allow(MayDecideReview(operator or ""))
    with reading(line_platform(request).engine) as connection:
        found = reviews.list_waiting(connection, operator=operator, after=_after(page), limit=page.size + 1)
    items = [_shown(review) for review in found]
    return page.listing(items, key=lambda each: (each.asked_at.isoformat(), each.id))


@router.get("/v1/registration-reviews/{review}", responses=problem_responses(404))
def read_review(
    request: Request, review: ReviewId, asking: Annotated[Asking, asked(MayReadOrder)]
) -> ReviewShown:
    """Return a review."""
    asking.allow(MayReadOrder(asking.caller.operator or ""))
    return _shown(_find(request, review, asking))


@router.post("/v1/registration-reviews/{review}/decision", responses=problem_responses(404, 409))
def decide_review(request: Request, review: ReviewId, wanted: ReviewDecided, asking: Deciding) -> ReviewShown:
    """Let one more line pass, or not; refused with REVIEW_REFUSED for who asked, and when it is decided."""
    asking.allow(MayDecideReview(asking.caller.operator or ""))
    platform = line_platform(request)
    _find(request, review, asking)
    outcome = transact(
        platform.engine,
        lambda connection: reviews.decide_review(
            platform.registrations,
            connection,
            review,
            wanted.decision,
            by=_person(asking),
            why=wanted.why,
            policy=platform.registration_policy,
            now=platform.clock.now(),
        ),
    )
    if isinstance(outcome, OrderRefused):
        text = Text(zh="不能作出该核查结论。", en="This review cannot be decided so.")
        raise refused("REVIEW_REFUSED", text, outcome.refusals)
    return _shown(outcome)


@router.get("/v1/holders-over-cap", response_model=HoldersOverCap)
def list_over_cap(
    request: Request,
    asking: Annotated[Asking, asked(MayListOverCap)],
    page: Annotated[PageAsked, paged(_OVER_CAP)],
) -> dict[str, Any]:
    """List holders with more lines than the cap of today, from before it or from another register."""
    operator = asking.caller.operator
    asking.allow(MayListOverCap(operator or ""))
    platform = line_platform(request)
    with reading(platform.engine) as connection:
        found = places.list_over_cap(
            connection,
            platform.registration_policy,
            operator=operator,
            after=_keys(page),
            limit=page.size + 1,
        )
    items = [
        HolderOverCap(subject=each.subject, cap=each.cap_name, scope=each.cap_scope, lines=each.active)
        for each in found
    ]
    return page.listing(items, key=lambda each: (each.cap, each.scope, each.subject))


def _person(asking: Asking) -> str:
    """Return the key of the human being; of a program its reference."""
    caller = asking.caller
    return caller.person_key if caller.kind == "staff" else caller.reference


def _find(request: Request, review_id: str, asking: Asking) -> Review:
    with reading(line_platform(request).engine) as connection:
        found = reviews.find_review(connection, review_id)
    if found is None or asking.caller.operator not in {None, found.operator}:
        raise reviews.review_unknown()
    return found


def _shown(review: Review) -> ReviewShown:
    return ReviewShown(
        id=review.review_id,
        session=review.session_id,
        operator=review.operator,
        asked_at=review.asked_at,
        decided_at=review.decided_at,
        decision=review.decision,
        why=review.why,
    )


def _after(page: PageAsked) -> tuple[datetime, str] | None:
    match page.after:
        case None:
            return None
        case (str(at), str(review_id)):
            try:
                return datetime.fromisoformat(at), review_id
            except ValueError:
                pass
    raise _cursor_invalid()


def _keys(page: PageAsked) -> tuple[str, ...] | None:
    if page.after is None:
        return None
    keys = tuple(key for key in page.after if isinstance(key, str))
    if len(keys) != _OVER_CAP_KEYS:
        raise _cursor_invalid()
    return keys


def _cursor_invalid() -> BadInput:
    return BadInput("CURSOR_INVALID", Text(zh="分页游标无效。", en="This is no cursor of this list."))
