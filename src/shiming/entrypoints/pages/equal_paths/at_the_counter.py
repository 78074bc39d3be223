"""Other ways at the counter: the clerk opens the page for the person, or turns the screen to them."""

from typing import Annotated

from fastapi import Request
from fastapi.responses import Response

from shiming.entrypoints.pages.equal_paths.other_way import OtherWay, WayForm, other_way_page, take_other_way
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.routing import page_router
from shiming.identity_proofing.api import SessionId
from shiming.identity_proofing.api_platform import desk_of, platform_of, status_of
from shiming.identity_proofing.permissions import MayConductSession
from shiming.infrastructure.http.asking import Asking, asked

router = page_router()
Conducting = Annotated[Asking, asked(MayConductSession)]


@router.get("/counter/{session}/other-way")
def show_ways(request: Request, session: SessionId, asking: Conducting) -> Response:
    """Show the other ways of a session."""
    return other_way_page(request, _context(request, session, asking))


@router.post("/counter/{session}/other-way")
def take_way(
    request: Request,
    session: SessionId,
    asking: Conducting,
    wanted: Annotated[Filled[WayForm], form(WayForm)],
) -> Response:
    """Take another way."""
    return take_other_way(request, _context(request, session, asking), wanted)


def _context(request: Request, session: str, asking: Asking) -> OtherWay:
    status = status_of(desk_of(request), platform_of(request), session)
    asking.allow(MayConductSession(status.operator))
    reference = status.session.id
    base = f"/counter/{reference}"
    return OtherWay(
        session=reference,
        base=base,
        live=f"{base}/live",
        document=f"{base}/document",
        back=base,
        people=f"/desk/reviews/{reference}",
        staff=True,
        referee=f"{base}/referee",
    )
