"""What waits for people, and how people fare on each route.

GET /v1/proofing-reviews   sessions that wait for two people to look, the longest first
GET /v1/proofing-figures   pass rate and time to decision by route, with intervals; nobody is in it
"""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from shiming.identity_proofing.api_platform import desk_of, platform_of
from shiming.identity_proofing.model.figures import Interval, RouteFigures
from shiming.identity_proofing.model.review import WaitingSession
from shiming.identity_proofing.permissions import MayReadFigures, MayReadSession
from shiming.identity_proofing.rules.route_figures import ENDED_MIN
from shiming.identity_proofing.use_cases.figures import DAYS, DAYS_MAX, route_figures
from shiming.identity_proofing.use_cases.reviewing import list_waiting
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.page import Listing, PageAsked, paged
from shiming.jurisdictions.model import Channel, Route
from shiming.vocabulary.errors import BadInput, Text

router = APIRouter(tags=["proofing sessions"])
REVIEWS = "proofing_reviews"


class WaitingShown(BaseModel):
    """A session that people have to look at."""

    session: str
    operator: str | None
    channel: Channel
    route: Route
    category: str
    waiting_since: datetime
    decide_before: datetime
    looked: int = Field(description="How many people have answered.")
    reasons: list[str] = Field(description="Codes of the latest decision.")


class WaitingPage(Listing):
    """Sessions that people have to look at, the one that waits longest first."""

    items: list[WaitingShown]


class IntervalShown(BaseModel):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


class RouteShown(BaseModel):
    """One route; without figures where fewer sessions ended than `ended_min`."""

    route: str
    enough: bool
    ended: int | None
    verified: int | None
    refused: int | None
    undecided: int | None
    pass_rate: IntervalShown | None
    seconds_median: IntervalShown | None
    parity: str


class FiguresShown(BaseModel):
    """Pass rate and time to decision by route. Rates: Wilson; medians: order statistics; parity: Newcombe."""

    days: int
    ended_min: int
    routes: list[RouteShown]


@router.get("/v1/proofing-reviews", response_model=WaitingPage)
def list_reviews(
    request: Request,
    asking: Annotated[Asking, asked(MayReadSession)],
    page: Annotated[PageAsked, paged(REVIEWS)],
    route: Annotated[Route | None, Query(description="Only this route.")] = None,
) -> dict[str, Any]:
    """List the sessions that wait for people to look, the one that waits longest first."""
    operator = asking.caller.operator
    asking.allow(MayReadSession(operator or ""))
    platform = platform_of(request)
    with reading(platform.engine) as connection:
        found = list_waiting(
            connection,
            platform.clock.now(),
            operator=operator,
            route=route,
            after=place_of(page),
            limit=page.size + 1,
        )
    items = [_shown(each) for each in found]
    return page.listing(items, key=lambda each: (each.waiting_since.isoformat(), each.session))


@router.get("/v1/proofing-figures")
def read_figures(
    request: Request,
    asking: Annotated[Asking, asked(MayReadFigures)],
    days: Annotated[int, Query(ge=1, le=DAYS_MAX)] = DAYS,
) -> FiguresShown:
    """Return pass rate and time to decision by route, with intervals; fewer than the minimum are left out."""
    operator = asking.caller.operator
    asking.allow(MayReadFigures(operator or ""))
    platform, desk = platform_of(request), desk_of(request)
    with reading(platform.engine) as connection:
        found = route_figures(
            connection, desk.policies("", desk.on), platform.clock.now(), operator=operator, days=days
        )
    return FiguresShown(days=days, ended_min=ENDED_MIN, routes=[_figures(each) for each in found])


def place_of(page: PageAsked) -> tuple[datetime, str] | None:
    """Return where a page of the queue begins."""
    match page.after:
        case None:
            return None
        case (str(at), str(session)):
            try:
                return datetime.fromisoformat(at), session
            except ValueError:
                pass
    raise BadInput("CURSOR_INVALID", Text(zh="分页游标无效。", en="This is no cursor of this list."))


def _shown(waiting: WaitingSession) -> WaitingShown:
    return WaitingShown(
        session=waiting.session_id,
        operator=waiting.operator or None,
        channel=waiting.channel,
        route=waiting.route,
        category=waiting.category,
        waiting_since=waiting.waiting_since,
        decide_before=waiting.decide_before,
        looked=waiting.looked,
        reasons=list(waiting.reasons),
    )


def _figures(found: RouteFigures) -> RouteShown:
    return RouteShown(
        route=found.route,
        enough=found.enough,
        ended=found.ended,
        verified=found.verified,
        refused=found.refused,
        undecided=found.undecided,
        pass_rate=_interval(found.pass_rate),
        seconds_median=_interval(found.seconds_median),
        parity=found.parity.value,
    )


def _interval(found: Interval | None) -> IntervalShown | None:
    return None if found is None else IntervalShown(value=found.value, low=found.low, high=found.high)
