"""How people fare on each way: pass rate and time, with intervals, so that parity can be seen."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from shiming.entrypoints.pages.desk.desk_page import desk_page
from shiming.entrypoints.pages.review.plots import WIDTH, IntervalPlot, on_axis
from shiming.entrypoints.pages.review.words import term
from shiming.entrypoints.pages.routing import page_router
from shiming.identity_proofing.api_platform import desk_of, platform_of
from shiming.identity_proofing.model.figures import RouteFigures
from shiming.identity_proofing.permissions import MayReadFigures
from shiming.identity_proofing.rules.route_figures import ENDED_MIN
from shiming.identity_proofing.use_cases.figures import DAYS, DAYS_MAX, route_figures
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked
from shiming.vocabulary.errors import Text

router = page_router()
SPANS = (30, DAYS, 365)


@dataclass(frozen=True, slots=True)
class RouteShown:
    """A route with its name and where its intervals lie."""

    figures: RouteFigures
    name: Text
    rate: IntervalPlot | None
    time: IntervalPlot | None


@router.get("/desk/routes")
def show_figures(
    request: Request,
    asking: Annotated[Asking, asked(MayReadFigures)],
    days: Annotated[int, Query(ge=1, le=DAYS_MAX)] = DAYS,
) -> Response:
    """Show pass rate and time to decision by route."""
    operator = asking.caller.operator
    asking.allow(MayReadFigures(operator or ""))
    platform, desk = platform_of(request), desk_of(request)
    with reading(platform.engine) as connection:
        found = route_figures(
            connection, desk.policies("", desk.on), platform.clock.now(), operator=operator, days=days
        )
    longest = max((each.seconds_median.high for each in found if each.seconds_median), default=1.0)
    facts = {
        "routes": [_shown(each, longest) for each in found],
        "days": days,
        "spans": SPANS,
        "ended_min": ENDED_MIN,
        "longest": longest,
        "width": WIDTH,
    }
    return desk_page(request, asking, "review/figures.html", facts)


def _shown(found: RouteFigures, longest: float) -> RouteShown:
    return RouteShown(
        figures=found,
        name=term(f"Route.{found.route}"),
        rate=on_axis(found.pass_rate, 0.0, 1.0) if found.pass_rate else None,
        time=on_axis(found.seconds_median, 0.0, longest) if found.seconds_median else None,
    )
