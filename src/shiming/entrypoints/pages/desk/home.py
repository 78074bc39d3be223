"""The first page of the desk: what waits for who is signed in."""

from typing import Annotated

from fastapi import Request
from fastapi.responses import Response

from shiming.accounts.permissions import MayReadOwnAccount
from shiming.entrypoints.pages.desk.desk_page import desk_page
from shiming.entrypoints.pages.desk.waiting import what_waits
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.http.asking import Asking, asked

router = page_router()


@router.get("/desk")
def home(request: Request, asking: Annotated[Asking, asked(MayReadOwnAccount)]) -> Response:
    """Show what waits."""
    asking.allow(MayReadOwnAccount())
    heaps = what_waits(request, asking)
    return desk_page(
        request,
        asking,
        "desk/home.html",
        {
            "waiting": [each for each in heaps if each.count],
            "empty": [each for each in heaps if not each.count],
        },
    )
