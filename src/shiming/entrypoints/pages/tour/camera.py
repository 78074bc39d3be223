"""A card made for the visitor, so that their own face can be verified against a pretended authority.

GET    /tour/your-card          take the picture; or see the card
POST   /tour/your-card          one frame of the camera (JPEG) becomes the card's portrait
POST   /tour/your-card/delete   everything of it, now
"""

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from shiming.entrypoints.pages.rendering import page, see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.entrypoints.pages.tour.pages import WHY, require_same_site
from shiming.entrypoints.pages.tour.visit import CAMERA_COOKIE, Camera, Visit, visit_of
from shiming.entrypoints.pages.tour.visitor_card import (
    PICTURE_BYTES_MAX,
    decode_picture,
    forget_card,
    make_card,
)
from shiming.infrastructure.http.asking import open_to_all
from shiming.infrastructure.http.body_limits import allow_upload

router = page_router()


@router.get("/tour/your-card", dependencies=[open_to_all(WHY)])
def show_card(request: Request) -> Response:
    """Show how the card is made, or the card."""
    return page(request, "tour/your_card.html", {"has_card": visit_of(request).card is not None})


@router.post("/tour/your-card", dependencies=[open_to_all(WHY)])
async def take_picture(request: Request) -> Response:
    """Make the card of one frame."""
    require_same_site(request)
    allow_upload(request.scope, PICTURE_BYTES_MAX)
    content = await request.body()
    visit = visit_of(request)
    await run_in_threadpool(_make, visit, content)
    visit.use(Camera.MADE_CARD)
    answer = JSONResponse({"next": "/tour/your-card"}, 201)
    answer.set_cookie(CAMERA_COOKIE, Camera.MADE_CARD.value, path="/", httponly=True, samesite="lax")
    return answer


@router.post("/tour/your-card/delete", dependencies=[open_to_all(WHY)])
def delete_card(request: Request) -> Response:
    """Delete the visitor's picture now."""
    require_same_site(request)
    visit = visit_of(request)
    with visit.lock:
        if visit.card is not None:
            forget_card(visit.card, visit.population)
            visit.card = None
    visit.use(Camera.SPECIMEN)
    answer = see_other("/tour/your-card", said="deleted")
    answer.delete_cookie(CAMERA_COOKIE, path="/")
    return answer


def _make(visit: Visit, content: bytes) -> None:
    portrait = decode_picture(content)
    visit.platform.recognition.picture(content)  # refuses what shows no face, or two
    with visit.lock:
        visit.card = make_card(portrait, visit.folder, visit.population)
