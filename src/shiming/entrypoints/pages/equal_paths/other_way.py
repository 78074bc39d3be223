"""The page of other ways, for every journey that proves a person.

A journey mounts two routes at `{base}/other-way`, asks its own question (or exchanges its token), and calls:

    GET   return other_way_page(request, OtherWay(session_id, base="/a/TOKEN", live="/a/TOKEN/live",
                                                  document="/a/TOKEN/document", back="/a/TOKEN"))
    POST  wanted: Annotated[Filled[WayForm], form(WayForm)]
          return take_other_way(request, the same OtherWay, wanted)

`take_other_way` changes the session's route, without an attempt and without a reason, and leads on: to
`live` with `?language=cmn|eng` (the language that the digits are asked in; the page that draws the challenge
passes it on), or, where people decide, to `people`; without `people` the person is told how to come to a
shop, on the same page. Where there is no document yet it leads to `document`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel

from shiming.entrypoints.pages.equal_paths.way_words import LANGUAGES, WAYS, saying_of
from shiming.entrypoints.pages.forms import Filled
from shiming.entrypoints.pages.rendering import page, see_other
from shiming.identity_proofing.api_platform import desk_of, platform_of, status_of
from shiming.identity_proofing.errors import refused
from shiming.identity_proofing.model.challenge import Language
from shiming.identity_proofing.rules.equal_ways import Way, equal_ways, people_decide
from shiming.identity_proofing.use_cases.route_taking import take_other_route
from shiming.identity_proofing.use_cases.stepwise import SessionStatus
from shiming.infrastructure.database import transact
from shiming.jurisdictions.model import DigitsMode, Route

_TEMPLATE = "equal_paths/other_way.html"


@dataclass(frozen=True, slots=True)
class OtherWay:
    """Where a journey's pages are. `staff`: a member of staff serves; `people`: where people look.

    `referee`: where somebody is proven who vouches; without it that way is not offered here.
    """

    session: str
    base: str
    live: str
    document: str
    back: str
    people: str | None = None
    staff: bool = False
    referee: str | None = None


class WayForm(BaseModel):
    """What was chosen. Nothing asks why."""

    way: Route
    language: Language = Language.MANDARIN


def other_way_page(request: Request, context: OtherWay, wrong: Filled[WayForm] | None = None) -> Response:
    """Show what one can do instead; all of it leads to the same level."""
    desk = desk_of(request)
    status = status_of(desk, platform_of(request), context.session)
    policy = desk.policies(status.session.pack_id, desk.on)
    ways = [way for way in equal_ways(status.session, policy) if _offered(context, way.route)]
    facts = {
        "context": context,
        "session": status.session,
        "options": [_option(way, staff=context.staff) for way in ways if way.open and not way.by_people],
        "people": [_option(way, staff=context.staff) for way in ways if way.by_people],
        "languages": LANGUAGES,
        "spoken": any(way.digits is DigitsMode.SPOKEN for way in ways),
        "current": WAYS[status.session.route].title,
        "waiting": people_decide(policy, status.session),
        "closed": status.session.state.is_final,
        **(wrong.again() if wrong else {}),
    }
    return page(request, _TEMPLATE, facts, status=422 if wrong else 200)


def take_other_way(request: Request, context: OtherWay, wanted: Filled[WayForm]) -> Response:
    """Take the way that was chosen and lead on."""
    if wanted.value is None:
        return other_way_page(request, context, wanted)
    desk, platform, way = desk_of(request), platform_of(request), wanted.value.way
    if not _offered(context, way):
        raise refused("REFEREE_NOT_FORESEEN")
    session_id = status_of(desk, platform, context.session).session.id
    transact(platform.engine, lambda connection: take_other_route(desk, connection, session_id, way))
    after = status_of(desk, platform, context.session)
    if "document" not in _given(after):
        return see_other(context.document)
    policy = desk.policies(after.session.pack_id, desk.on)
    if after.session.route is Route.REFEREE and context.referee is not None:
        return see_other(context.referee)
    if people_decide(policy, after.session):
        return see_other(context.people or f"{context.base}/other-way", said="people_look")
    joint = "&" if "?" in context.live else "?"
    return see_other(f"{context.live}{joint}language={wanted.value.language.value}")


def _offered(context: OtherWay, way: Route) -> bool:
    return way is not Route.REFEREE or context.referee is not None


def _option(way: Way, *, staff: bool) -> tuple[str, object, object]:
    return way.route.value, WAYS[way.route].title, saying_of(way, staff=staff)


def _given(status: SessionStatus) -> Sequence[str]:
    return ("document",) if status.evidence is not None and status.evidence.document is not None else ()
