"""The pages of the proof by a link, for every kind of link: document, person, result, stop.

GET  /{kind}/{token}/document    the camera on the document
GET  /{kind}/{token}/person      the live clip
GET  /{kind}/{token}/other-way   other ways to prove oneself
GET  /{kind}/{token}/result      what came of it
POST /{kind}/{token}/result      decide (script posts this by itself)
GET  /{kind}/{token}/stop        "this was not me"
"""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from shiming.entrypoints.link_steps import LinkKind
from shiming.entrypoints.pages.capture.views import Capture, document_step, person_step
from shiming.entrypoints.pages.equal_paths.other_way import (
    OtherWay,
    WayForm,
    other_way_page,
    take_other_way,
)
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.home.dead_links import LinkToken
from shiming.entrypoints.pages.home.journey import Journey, Step, home_platform
from shiming.entrypoints.pages.preferences import preferences_of
from shiming.entrypoints.pages.rendering import page, see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.identity_proofing.api_platform import desk_of
from shiming.identity_proofing.use_cases import stepwise
from shiming.infrastructure.http.asking import open_to_all
from shiming.jurisdictions.model import Policy
from shiming.registrations.model.lines import Line
from shiming.vocabulary.errors import BadInput, ShimingError
from shiming.vocabulary.refusals import Refusal

FindJourney = Callable[[Request, str], Journey]
#: Another request of the same link was faster; the page shows what it came to.
_OVERTAKEN = frozenset({"SESSION_CLOSED", "SESSION_CHANGED", "SESSION_EXPIRED", "STEP_OUT_OF_ORDER"})
#: The address is the permission: no page of a link is kept by a browser or told to another site.
UNKEPT = {"cache-control": "no-store", "referrer-policy": "no-referrer"}


def link_pages(prefix: str, kind: LinkKind, find: FindJourney) -> APIRouter:
    """Return the pages of the proof below `prefix/{token}`; `find` raises for a link that does not work."""
    router, gate = page_router(), [open_to_all(kind.why_open)]

    def document(request: Request, token: LinkToken) -> Response:
        """Show the camera on the document."""
        return _camera(request, find(request, token), Step.DOCUMENT)

    def person(request: Request, token: LinkToken) -> Response:
        """Show the live clip."""
        return _camera(request, find(request, token), Step.PERSON)

    def other_way(request: Request, token: LinkToken) -> Response:
        """Show what one can do instead."""
        return unkept(other_way_page(request, _other_way(find(request, token))))

    def choose_way(
        request: Request, token: LinkToken, wanted: Annotated[Filled[WayForm], form(WayForm)]
    ) -> Response:
        """Take the way that was chosen."""
        return unkept(take_other_way(request, _other_way(find(request, token)), wanted))

    def result(request: Request, token: LinkToken) -> Response:
        """Show what came of the proof."""
        return _result(request, find(request, token))

    def decide(request: Request, token: LinkToken) -> Response:
        """Have the session decided, and show what came of it."""
        return _decide(request, kind, token, find)

    for name, method, verb in (
        ("document", "GET", document),
        ("person", "GET", person),
        ("other-way", "GET", other_way),
        ("other-way", "POST", choose_way),
        ("result", "GET", result),
        ("result", "POST", decide),
    ):
        router.add_api_route(f"{prefix}/{{token}}/{name}", verb, methods=[method], dependencies=gate)
    return router


def shown(
    request: Request,
    template: str,
    facts: dict[str, Any],
    journey: Journey | None = None,
    *,
    status: int = 200,
) -> Response:
    """Return a page that is kept nowhere."""
    more = {} if journey is None else facts_of(request, journey)
    return unkept(page(request, template, {**more, **facts}, status=status))


def unkept(answer: Response) -> Response:
    """Let no browser keep an answer, and no other site learn its address."""
    for name, value in UNKEPT.items():
        answer.headers[name] = value
    return answer


def facts_of(request: Request, journey: Journey) -> dict[str, Any]:
    """Return what every page of a journey shows."""
    number = journey.order.identifier if journey.order else None
    return {
        "journey": journey,
        "base": journey.base,
        "operator_name": home_platform(request).operator_name(journey.standing.operator),
        "number_masked": number.masked() if number else None,
    }


def documents_of(request: Request, policy: Policy, category: str) -> list[str]:
    """Return what may be shown as a document, in the words of the page."""
    rules = policy.documents.get(category)
    language = preferences_of(request).language
    return [policy.names[name].in_language(language) for name in (rules.accepted.value if rules else ())]


def line_facts(line: Line) -> dict[str, Any]:
    """Return what its holder sees of a line."""
    return {"line": line, "number": line.number.reveal("shown to its holder")}


def _result(request: Request, journey: Journey) -> Response:
    found = journey.standing.decision
    if journey.step in {Step.DOCUMENT, Step.PERSON, Step.START} and found is None:
        return see_other(journey.base if journey.step is Step.START else f"{journey.base}/{journey.step}")
    return result_page(request, journey)


def result_page(request: Request, journey: Journey, *, refusals: tuple[Refusal, ...] = ()) -> Response:
    """Return the page of what came of the proof; `refusals`: why it cannot begin again."""
    facts = {
        "decision": journey.standing.decision,
        "bar": journey.bar(Step.RESULT),
        "refusals": refusals,
        "late": journey.late,
        "unsettled": journey.unsettled,
        "left": {kind.value: left for kind, left in journey.standing.status.left.items()},
        "going_on": f"{journey.base}/contract" if Step.CONTRACT in journey.shown else None,
    }
    return shown(request, "home/result.html", facts, journey, status=409 if refusals else 200)


def _is_elsewhere(journey: Journey) -> bool:
    """Say whether nothing can be given any more: decided, over, or on to the contract."""
    session = journey.standing.status.session
    return session.state.is_final or journey.standing.now >= session.expires_at


def _camera(request: Request, journey: Journey, step: Step) -> Response:
    if _is_elsewhere(journey):
        return see_other(f"{journey.base}/result")
    capture = Capture(
        journey.standing.session_id,
        base=journey.api,
        next_url=f"{journey.base}/{'person' if step is Step.DOCUMENT else 'result'}",
        back_url=f"{journey.base}/{'document' if step is Step.PERSON else ''}".rstrip("/"),
        other_way_url=f"{journey.base}/other-way",
        language=preferences_of(request).language,
        session_url=f"{journey.api}/proof",
        document_url=f"{journey.base}/document",
        above="home/above.html",
        facts={"journey": journey, "base": journey.base, "bar": journey.bar(step)},
    )
    return unkept((document_step if step is Step.DOCUMENT else person_step)(request, capture))


def _decide(request: Request, kind: LinkKind, token: str, find: FindJourney) -> Response:
    desk, session = desk_of(request, authority=request.app.state.authority), kind.session_of(request, token)
    try:
        with request.app.state.spool.room() as room:
            stepwise.decide(desk, session, room)
    except BadInput as error:
        if error.code not in _OVERTAKEN:
            raise
    journey = find(request, token)
    result = f"{journey.base}/result"
    if journey.standing.verified:  # by now or before: what follows from it may still be missing
        try:
            kind.verified(request, token)
        except ShimingError as problem:
            return shown(request, "home/not_registered.html", {"error": problem, "again": result}, status=409)
    return see_other(result)


def _other_way(journey: Journey) -> OtherWay:
    return OtherWay(
        journey.standing.session_id,
        base=journey.base,
        live=f"{journey.base}/person",
        document=f"{journey.base}/document",
        back=f"{journey.base}/person",
    )
