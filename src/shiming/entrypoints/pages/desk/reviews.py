"""Enhanced reviews: look again before a holder gets one more line than the cap, and decide."""

from datetime import datetime
from typing import Annotated

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from shiming.entrypoints.pages.desk.desk_page import (
    Refused,
    Shown,
    desk_page,
    platform_of,
    table_page,
    tried,
)
from shiming.entrypoints.pages.desk.tables import Column, Table, gather
from shiming.entrypoints.pages.desk.words import word
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.rendering import see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.registrations.api.reviews import ReviewId
from shiming.registrations.model.ordering import Review, ReviewDecision
from shiming.registrations.permissions.orders import MayDecideReview
from shiming.registrations.use_cases import orders, places, reviews
from shiming.vocabulary.errors import Text

router = page_router()
Deciding = Annotated[Asking, asked(MayDecideReview)]
HOLDERS_SHOWN_MAX = 100

#: Why a review ended so, as the code that is kept, by the decision that it goes with.
PASSED = {
    "family_lines_shown": Text(zh="确为家庭成员使用", en="Lines of the family, shown"),
    "business_need_shown": Text(zh="确有经营需要", en="Need of a business, shown"),
    "device_lines_shown": Text(zh="确为物联设备使用", en="Lines of devices, shown"),
}
DECLINED = {
    "need_not_shown": Text(zh="未能说明用途", en="No need was shown"),
    "lines_passed_on": Text(zh="疑似转借他人", en="Lines seem to be passed on"),
    "fraud_suspected": Text(zh="涉嫌诈骗", en="Fraud is suspected"),
}

TABLE: Table[Review] = Table(
    "registration-reviews",
    Text(zh="待核查", en="Reviews that wait"),
    (
        Column(
            "id",
            Text(zh="编号", en="Reference"),
            lambda review: review.review_id,
            href=lambda review: f"/desk/registration-reviews/{review.review_id}",
        ),
        Column("session", Text(zh="核验会话", en="Session"), lambda review: review.session_id, look="code"),
        Column("operator", Text(zh="运营企业", en="Operator"), lambda review: review.operator),
        Column("asked", Text(zh="申请时间", en="Asked"), lambda review: review.asked_at),
    ),
    empty=Text(zh="没有待核查的事项。", en="No review waits."),
    order="asked",
)


class DecisionForm(BaseModel):
    """How a review ends, and why."""

    model_config = ConfigDict(extra="ignore")
    decision: ReviewDecision
    why: str

    @property
    def fits(self) -> bool:
        """Whether the reason goes with the decision."""
        return self.why in (PASSED if self.decision is ReviewDecision.PASSED else DECLINED)


@router.get("/desk/registration-reviews")
def list_reviews(request: Request, asking: Deciding) -> Response:
    """List the reviews that wait, oldest first."""
    operator = asking.caller.operator
    asking.allow(MayDecideReview(operator or ""))
    platform = platform_of(request)

    def fetch(after: tuple[datetime, str] | None, limit: int) -> tuple[Review, ...]:
        with reading(platform.engine) as connection:
            return reviews.list_waiting(connection, operator=operator, after=after, limit=limit)

    rows = gather(fetch, lambda review: (review.asked_at, review.review_id))
    with reading(platform.engine) as connection:
        over = places.list_over_cap(
            connection,
            platform.registration_policy,
            operator=operator,
            after=None,
            limit=HOLDERS_SHOWN_MAX,
        )
    return table_page(request, asking, "desk/reviews.html", Shown(TABLE, rows), {"over_cap": over})


@router.get("/desk/registration-reviews/{review}")
def show_review(request: Request, review: ReviewId, asking: Deciding) -> Response:
    """Show a review and the order that it is about."""
    return _shown(request, asking, _find(request, asking, review))


@router.post("/desk/registration-reviews/{review}/decision")
def decide(
    request: Request,
    review: ReviewId,
    asking: Deciding,
    wanted: Annotated[Filled[DecisionForm], form(DecisionForm)],
) -> Response:
    """Let one more line pass, or not; somebody else than who asked decides."""
    found, platform = _find(request, asking, review), platform_of(request)
    chosen = wanted.value
    if chosen is None or not chosen.fits:
        return _shown(request, asking, found, wanted=wanted)
    caller = asking.caller
    refused = tried(
        lambda: transact(
            platform.engine,
            lambda connection: reviews.decide_review(
                platform.registrations,
                connection,
                found.review_id,
                chosen.decision,
                by=caller.person_key if caller.kind == "staff" else caller.reference,
                why=chosen.why,
                policy=platform.registration_policy,
                now=platform.clock.now(),
            ),
        )
    )
    if refused:
        return _shown(request, asking, found, refused=refused)
    return see_other("/desk/registration-reviews", said="decided")


def _find(request: Request, asking: Asking, review_id: str) -> Review:
    asking.allow(MayDecideReview(asking.caller.operator or ""))
    with reading(platform_of(request).engine) as connection:
        found = reviews.find_review(connection, review_id)
    if found is None or asking.caller.operator not in {None, found.operator}:
        raise reviews.review_unknown()
    return found


def _shown(
    request: Request,
    asking: Asking,
    found: Review,
    *,
    refused: Refused | None = None,
    wanted: Filled[DecisionForm] | None = None,
) -> Response:
    with reading(platform_of(request).engine) as connection:
        order = orders.find_order(connection, found.session_id, operator=asking.caller.operator)
    facts = {
        "review": found,
        "order": order,
        "product": word(order.product_class) if order else None,
        "kind": word(order.kind) if order else None,
        "channel": word(order.channel) if order else None,
        "passed": PASSED,
        "declined": DECLINED,
        "own": found.asked_by in {asking.caller.person_key, asking.caller.reference},
        "decision": word(found.decision) if found.decision else None,
        "refused": refused,
        "mistaken": wanted is not None,
    }
    status = 422 if wanted else 409 if refused else 200
    return desk_page(request, asking, "desk/review.html", facts, status=status)
