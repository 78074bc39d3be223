"""Who waits for people to look, the longest first."""

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from shiming.entrypoints.pages.desk.desk_page import desk_page
from shiming.entrypoints.pages.review.words import term
from shiming.entrypoints.pages.routing import page_router
from shiming.identity_proofing.api_platform import desk_of, platform_of
from shiming.identity_proofing.api_reviews import REVIEWS, place_of
from shiming.identity_proofing.model.reasons import catalogue
from shiming.identity_proofing.permissions import MayReviewSession
from shiming.identity_proofing.rules.reviewing import staff_needed
from shiming.identity_proofing.use_cases.reviewing import list_waiting
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.page import PageAsked, paged
from shiming.jurisdictions.model import Route

router = page_router()
Reviewing = Annotated[Asking, asked(MayReviewSession)]


@router.get("/desk/reviews")
def show_queue(
    request: Request,
    asking: Reviewing,
    asked_page: Annotated[PageAsked, paged(REVIEWS)],
    route: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Show the sessions that wait for people, oldest first; `route` narrows it."""
    operator = asking.caller.operator
    asking.allow(MayReviewSession(operator or ""))
    platform, desk = platform_of(request), desk_of(request)
    policy, now = desk.policies("", desk.on), platform.clock.now()
    only = Route(route) if route in {each.value for each in Route} else None
    with reading(platform.engine) as connection:
        found = list_waiting(
            connection,
            now,
            operator=operator,
            route=only,
            after=place_of(asked_page),
            limit=asked_page.size + 1,
        )
    listing = asked_page.listing(found, key=lambda each: (each.waiting_since.isoformat(), each.session_id))
    facts = {
        "waiting": [
            {
                "session": each,
                "needed": staff_needed(each.route, policy).value,
                "minutes": int((now - each.waiting_since).total_seconds() // 60),
                "hours_left": max(0, int((each.decide_before - now).total_seconds() // 3600)),
                "route": term(f"Route.{each.route.value}"),
                "channel": term(f"Channel.{each.channel.value}"),
                "reasons": [catalogue()[code][0] for code in each.reasons if code in catalogue()],
            }
            for each in listing["items"]
        ],
        "next": listing["next"],
        "first_page": asked_page.after is None,
        "routes": [(each.value, term(f"Route.{each.value}")) for each in policy.routes],
        "route": only.value if only else "",
    }
    return desk_page(request, asking, "review/queue.html", facts)
