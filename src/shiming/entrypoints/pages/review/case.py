"""One session to compare by eye: pictures one by one, the figures, a person's own finding."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Path, Request
from fastapi.responses import Response
from pydantic import BaseModel

from shiming.entrypoints.pages.desk.desk_page import desk_page
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.preferences import preferences_of
from shiming.entrypoints.pages.rendering import see_other
from shiming.entrypoints.pages.review import words
from shiming.entrypoints.pages.review.platform import look_tools, operator_name
from shiming.entrypoints.pages.review.plots import WIDTH, FigurePlot, plain_figures, plots_of
from shiming.entrypoints.pages.routing import page_router
from shiming.identity_proofing.api import SessionId
from shiming.identity_proofing.api_platform import desk_of, platform_of, reference_of, status_of
from shiming.identity_proofing.errors import refused
from shiming.identity_proofing.model.decision import CheckResult
from shiming.identity_proofing.model.review import Finding, ReviewGround
from shiming.identity_proofing.permissions import MayReviewSession
from shiming.identity_proofing.rules.reviewing import refuse_beside_referee, staff_needed
from shiming.identity_proofing.use_cases.review_pictures import PICTURES, Look, held_piece_of, open_picture
from shiming.identity_proofing.use_cases.reviewing import ReviewCase, give_finding, review_case, reviewer_of
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked
from shiming.privacy.model import AccessRequest, Purpose
from shiming.privacy.use_cases.copies import Marking
from shiming.vocabulary.errors import BadInput

router = page_router()
Reviewing = Annotated[Asking, asked(MayReviewSession)]
Picture = Annotated[str, Path(pattern=r"^[a-z_0-9]{1,20}$")]
YesNo = Literal["yes", "no"]


class FindingForm(BaseModel):
    """What one person found. No free text: it would end up naming somebody."""

    same_person: YesNo
    document_genuine: YesNo
    ground: ReviewGround


class LookForm(BaseModel):
    """Why one picture is opened."""

    purpose: Purpose


@dataclass(frozen=True, slots=True)
class CheckShown:
    """A check with its plots and the figures that have no limit."""

    check: CheckResult
    plots: tuple[FigurePlot, ...]
    plain: tuple[tuple[str, Any], ...]


@router.get("/desk/reviews/{session}")
def show_case(request: Request, session: SessionId, asking: Reviewing) -> Response:
    """Show one session; no picture is opened by that."""
    return _page(request, asking, _allowed(request, session, asking))


@router.post("/desk/reviews/{session}/pictures/{picture}")
def show_picture(
    request: Request,
    session: SessionId,
    picture: Picture,
    asking: Reviewing,
    wanted: Annotated[Filled[LookForm], form(LookForm)],
) -> Response:
    """Open one picture: a marked copy, on record with its purpose; the person sees who looked."""
    reference = _allowed(request, session, asking)
    if wanted.value is None:
        raise refused("REVIEW_PICTURE_UNKNOWN")
    desk, platform = desk_of(request), platform_of(request)
    operator = status_of(desk, platform, reference).operator
    look = Look(
        reference,
        picture,
        AccessRequest(asking.caller.reference, wanted.value.purpose, reference),
        Marking(operator_name(request, operator), platform.today()),
    )
    with request.app.state.heavy_work.turn():
        copy = open_picture(desk, look_tools(request), look)
    headers = {
        "cache-control": "no-store",
        "content-disposition": f'inline; filename="{reference}-{picture}.jpg"',
        "x-content-type-options": "nosniff",
    }
    return Response(copy, media_type="image/jpeg", headers=headers)


@router.post("/desk/reviews/{session}/finding")
def take_finding(
    request: Request,
    session: SessionId,
    asking: Reviewing,
    wanted: Annotated[Filled[FindingForm], form(FindingForm)],
) -> Response:
    """Take a person's finding; the one that makes enough decides the session."""
    reference = _allowed(request, session, asking)
    if asking.caller.kind != "staff":
        raise refused("STAFF_ONLY")
    if wanted.value is None:
        return _page(request, asking, reference, {**wanted.again()}, status=422)
    finding = Finding(
        reviewer_of(asking.caller.person_key),
        wanted.value.same_person == "yes",
        wanted.value.document_genuine == "yes",
        wanted.value.ground,
    )
    desk = desk_of(request, authority=request.app.state.authority)
    try:
        with request.app.state.spool.room() as room:
            decided = give_finding(desk, reference, finding, room)
    except BadInput as problem:
        if problem.code != "REVIEW_GROUND_CONTRADICTS":
            raise
        said = problem.text.in_language(preferences_of(request).language)
        again = {**wanted.again(), "mistakes": {"ground": said}}
        return _page(request, asking, reference, again, status=422)
    return see_other(f"/desk/reviews/{reference}", said="decided" if decided else "answered")


def _allowed(request: Request, session: str, asking: Asking) -> str:
    """Return the reference of a session that the caller may review; another operator's is not found."""
    status = status_of(desk_of(request), platform_of(request), session)
    asking.allow(MayReviewSession(status.operator))
    return status.session.id


def _page(
    request: Request,
    asking: Asking,
    reference: str,
    more: dict[str, Any] | None = None,
    *,
    status: int = 200,
) -> Response:
    desk, platform = desk_of(request), platform_of(request)
    with reading(platform.engine) as connection:
        case = review_case(desk, connection, reference_of(reference))
    facts = {**_facts(case, asking), "now": platform.clock.now(), **(more or {})}
    return desk_page(request, asking, "review/case.html", facts, status=status)


def _facts(case: ReviewCase, asking: Asking) -> dict[str, Any]:
    session, authority = case.session, case.evidence.authority
    people = asking.caller.kind == "staff"
    staff = reviewer_of(asking.caller.person_key) if people else ""
    waits = session.waiting_since is not None and not session.state.is_final
    beside = refuse_beside_referee(session, staff, case.evidence.referee, case.policy)
    return {
        "case": case,
        "session": session,
        "words": words,
        "width": WIDTH,
        "needed": staff_needed(session.route, case.policy).value,
        "awaits_referee": waits and beside == "REFEREE_FIRST",
        "named_referee": waits and beside == "REFEREE_NAMED_BY_YOU",
        "waits": waits and beside is None,
        "answered": people and case.looked_already(staff),
        "pictures": [(name, words.PICTURES[name], held_piece_of(name) in case.pieces) for name in PICTURES],
        "authority_portrait": words.AUTHORITY_PORTRAIT[
            authority.portrait.value if authority else "not_compared"
        ],
        "checks": [
            CheckShown(check, plots_of(check), plain_figures(check)) for check in case.adjudication.checks
        ],
        "outcome": case.decided.receipt["decision"]["outcome"]
        if case.decided and case.decided.receipt
        else "",
        "grounds_for": [(each.value, text) for each, text in words.GROUNDS.items() if each.is_for],
        "grounds_against": [(each.value, text) for each, text in words.GROUNDS.items() if not each.is_for],
        "purposes": words.purposes(),
        "default_purpose": words.default_purpose(),
    }
