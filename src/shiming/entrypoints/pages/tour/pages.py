"""The tour itself: where to begin, and which camera the pages see.

GET  /tour                    the places that a visitor may take
POST /tour/camera             choose what the camera shows
GET  /tour/case               whether a customer waits for the reviewer by now
GET  /tour/go/{place}         to a place of staff, once signed in; POST: to a customer's
GET  /tour/specimens/{name}   the pictures and the clip that the pretended camera shows
"""

from typing import Annotated

from fastapi import Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel

from shiming.entrypoints.pages.account.visitor import visitor
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.rendering import fragment, page, see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.entrypoints.pages.tour.online_order import link_of_online_order
from shiming.entrypoints.pages.tour.specimens import files_of
from shiming.entrypoints.pages.tour.stations import STATIONS, camera_at
from shiming.entrypoints.pages.tour.visit import CAMERA_COOKIE, Camera, Visit, camera_of, visit_of
from shiming.entrypoints.tour_case import CaseState
from shiming.infrastructure.http.asking import open_to_all
from shiming.vocabulary.errors import BadInput, Text

WHY = "the tour is a rehearsal with invented people, on this machine alone"
router = page_router()


class CameraForm(BaseModel):
    """What the camera shows from now on."""

    camera: Camera


@router.get("/tour", dependencies=[open_to_all(WHY)])
def show_tour(request: Request) -> Response:
    """Show the stations."""
    visitor(request)  # who is signed in sees their own menu here too
    visit, camera = visit_of(request), camera_of(request)
    chosen = None if camera is Camera.STRANGER else camera
    facts = {"camera": chosen, "has_card": visit.card is not None, "folder": str(visit.folder)}
    return page(request, "tour/tour.html", {**facts, "case": _case(visit)})


@router.get("/tour/case", dependencies=[open_to_all(WHY)])
def show_case(request: Request) -> Response:
    """Say whether a customer waits for the reviewer by now."""
    return fragment(request, "tour/case.html", {"case": _case(visit_of(request))})


@router.get("/tour/go/{place}", dependencies=[open_to_all(WHY)])
def go_signed_in(request: Request, place: str) -> Response:
    """Go to a place where staff work; `/sign-in/password` leads here."""
    if place not in STATIONS or STATIONS[place].path is None:
        return see_other("/tour")
    return _go(request, place)


@router.post("/tour/go/{place}", dependencies=[open_to_all(WHY)])
def go_as_customer(request: Request, place: str) -> Response:
    """Order online, and open the customer's link."""
    require_same_site(request)
    return _go(request, place) if place in STATIONS else see_other("/tour")


@router.post("/tour/camera", dependencies=[open_to_all(WHY)])
def choose_camera(request: Request, filled: Annotated[Filled[CameraForm], form(CameraForm)]) -> Response:
    """Choose what the camera shows; kept in the visitor's own browser."""
    require_same_site(request)
    wanted = filled.value
    if wanted is None:
        return see_other("/tour")
    if wanted.camera is Camera.MADE_CARD and visit_of(request).card is None:
        return see_other("/tour/your-card")
    return _with_camera(see_other("/tour", said="camera_chosen"), request, wanted.camera)


@router.get("/tour/specimens/{name}", dependencies=[open_to_all(WHY)])
def specimen(request: Request, name: str) -> Response:
    """Return what the pretended camera shows."""
    visit = visit_of(request)
    known = files_of(visit.card, visit.sims_shown)
    visit.sims_shown += name == "sim"
    if name not in known:
        raise BadInput("ROUTE_UNKNOWN", Text(zh="没有这个地址。", en="There is nothing at this address."))
    return FileResponse(known[name], headers={"cache-control": "no-store"})


def _case(visit: Visit) -> CaseState:
    return CaseState.FAILED if visit.case is None else visit.case.state


def _go(request: Request, place: str) -> Response:
    station = STATIONS[place]
    path = station.path or link_of_online_order(visit_of(request).platform)
    camera = camera_at(station, camera_of(request))
    if camera is Camera.MADE_CARD and visit_of(request).card is None:
        camera = Camera.SPECIMEN  # it was deleted
    return _with_camera(see_other(path), request, camera)


def _with_camera(answer: Response, request: Request, camera: Camera) -> Response:
    visit_of(request).use(camera)
    answer.set_cookie(CAMERA_COOKIE, camera.value, path="/", httponly=True, samesite="lax")
    return answer


def require_same_site(request: Request) -> None:
    """Refuse what another site's page sends; nobody is signed in here whose token could be asked for."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise BadInput(
            "TOUR_OTHER_SITE",
            Text(zh="请求来自其他网站。", en="This request comes from another site."),
            Text(zh="请在导览页面中操作。", en="Do it on the page of the tour."),
        )
