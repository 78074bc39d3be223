"""The journey's address, the two captures, the decision and its result.

GET  /counter/{session}            leads to the step that is next; the back button cannot lead past a decision
GET  /counter/{session}/document
GET  /counter/{session}/person
GET  /counter/{session}/decision   asks by itself; without script by a button
POST /counter/{session}/decision
GET  /counter/{session}/result
POST /counter/{session}/restart    an expired session once more, with its number and card where they are free
"""

from typing import Annotated

from fastapi import Path, Request, Response

from shiming.entrypoints.pages.counter.captures import capture_step
from shiming.entrypoints.pages.counter.journey import Standing, Step, bar_of, step_of
from shiming.entrypoints.pages.counter.outcome import outcome_of
from shiming.entrypoints.pages.counter.restarting import restart
from shiming.entrypoints.pages.counter.short_lived import forget, name_of, remember_name
from shiming.entrypoints.pages.counter.standing import facts_of, standing_of
from shiming.entrypoints.pages.rendering import page, see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.identity_proofing import held_pieces
from shiming.identity_proofing.api_platform import desk_of
from shiming.identity_proofing.held_forms import identity_of
from shiming.identity_proofing.permissions import MayConductSession, MayDecideSession, MayReadSession
from shiming.identity_proofing.use_cases import stepwise
from shiming.infrastructure.http.asking import Asking, asked
from shiming.registrations.permissions.numbers import MayReserveNumber
from shiming.registrations.permissions.orders import MayManageOrders
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.masking import mask_name

router = page_router()

#: What another request did meanwhile: the state leads on, whoever was faster.
_OVERTAKEN = frozenset({"SESSION_CLOSED", "SESSION_CHANGED", "SESSION_EXPIRED", "STEP_OUT_OF_ORDER"})
#: A step of the proof can be looked at while the proof is going on, never after it.
_GIVING = frozenset({Step.DOCUMENT, Step.PERSON, Step.DECISION})

SessionPath = Annotated[str, Path(max_length=40)]
Reading = Annotated[Asking, asked(MayReadSession)]
Conducting = Annotated[Asking, asked(MayReadSession, MayConductSession)]


@router.get("/counter/{session}")
def where(request: Request, session: SessionPath, asking: Reading) -> Response:
    """Lead to the step that is next, or say that the journey is over."""
    standing = standing_of(request, session, asking)
    step = step_of(standing)
    if step is not Step.OVER:
        return see_other(f"{standing.url}/{step.value}")
    return page(request, "counter/over.html", facts_of(request, standing, bar=bar_of(step, step)))


@router.get("/counter/{session}/document")
def document(request: Request, session: SessionPath, asking: Conducting) -> Response:
    """Take the document."""
    standing = standing_of(request, session, asking)
    asking.allow(MayConductSession(standing.status.operator))
    if not _may_give(standing):
        return see_other(standing.url)
    return capture_step(request, standing, Step.DOCUMENT)


@router.get("/counter/{session}/person")
@router.get("/counter/{session}/live")
def person(request: Request, session: SessionPath, asking: Conducting) -> Response:
    """Take the live clip."""
    standing = standing_of(request, session, asking)
    asking.allow(MayConductSession(standing.status.operator))
    if not _may_give(standing) or step_of(standing) is Step.DOCUMENT:
        return see_other(standing.url)
    answer = capture_step(request, standing, Step.PERSON)
    return _with_name(answer, request, standing, _masked_name(desk_of(request), standing))


@router.get("/counter/{session}/decision")
def show_deciding(request: Request, session: SessionPath, asking: Reading) -> Response:
    """Show that the decision is on its way."""
    standing = standing_of(request, session, asking)
    step = step_of(standing)
    if step is not Step.DECISION:
        return see_other(standing.url)
    return page(request, "counter/decision.html", facts_of(request, standing, bar=bar_of(step, step)))


@router.post("/counter/{session}/decision")
def decide(
    request: Request,
    session: SessionPath,
    asking: Annotated[Asking, asked(MayReadSession, MayDecideSession)],
) -> Response:
    """Ask the authority and decide; whoever asks twice is led to the one decision."""
    standing = standing_of(request, session, asking)
    asking.allow(MayDecideSession(standing.status.operator))
    desk = desk_of(request, authority=request.app.state.authority)
    masked = _masked_name(desk, standing)
    try:
        with request.app.state.spool.room() as room:
            stepwise.decide(desk, standing.session_id, room)
    except BadInput as error:
        if error.code not in _OVERTAKEN:
            raise
    return _with_name(_lead(request, f"{standing.url}/result"), request, standing, masked)


@router.get("/counter/{session}/result")
def result(request: Request, session: SessionPath, asking: Reading) -> Response:
    """Show the decision in plain words, and what can be done next."""
    standing = standing_of(request, session, asking)
    if standing.decision is None:
        return see_other(standing.url)
    step = step_of(standing)
    facts = facts_of(
        request,
        standing,
        bar=bar_of(Step.RESULT, step),
        outcome=outcome_of(standing),
        masked_name=name_of(request),
        next_step=step,
        awaits_proxy=standing.awaits_proxy,
    )
    return page(request, "counter/result.html", facts)


@router.post("/counter/{session}/restart")
def start_again(
    request: Request,
    session: SessionPath,
    asking: Annotated[Asking, asked(MayReadSession, MayConductSession, MayManageOrders, MayReserveNumber)],
) -> Response:
    """Open a new session for the same order; number and card go over where they are still free."""
    standing = standing_of(request, session, asking)
    for question in (MayConductSession, MayManageOrders, MayReserveNumber):
        asking.allow(question(standing.operator))
    if standing.line is not None:
        return see_other(standing.url)
    answer = see_other(restart(request, standing))
    forget(answer, request, standing)
    return answer


def _may_give(standing: Standing) -> bool:
    """Say whether anything more may be given: not after a decision, but for one that asks for it."""
    step, decision = step_of(standing), standing.decision
    asked_again = decision is not None and not standing.status.session.state.is_final
    return step in _GIVING or (step is Step.RESULT and asked_again)


def _masked_name(desk: stepwise.Desk, standing: Standing) -> str | None:
    """Return the applicant's name, masked, while what was read of the document is still held."""
    held = held_pieces.open_pieces(desk.holding, desk.begin, standing.session_id, ("identity",))
    if "identity" not in held:
        return None
    name = identity_of(b"".join(held["identity"])).name
    return mask_name(name) if name else None


def _with_name(answer: Response, request: Request, standing: Standing, masked: str | None) -> Response:
    if masked:  # after the decision nothing here knows it any more
        remember_name(answer, request, standing, masked)
    return answer


def _lead(request: Request, url: str) -> Response:
    """Lead the browser on: HTMX would put the next page into this one."""
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"hx-redirect": url})
    return see_other(url)
