"""The first page: staff go to their work, customers learn that they need a link; nothing personal is here."""

from fastapi import Request, Response

from shiming.entrypoints.pages.account.visitor import must_enrol, visitor
from shiming.entrypoints.pages.rendering import page, see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.http.asking import open_to_all

router = page_router()


@router.get("/", dependencies=[open_to_all("whoever comes by sees where to go")])
def home(request: Request) -> Response:
    """Show where to go from here."""
    asking = visitor(request)
    if asking is not None and must_enrol(asking):
        return see_other("/passkey")
    return page(request, "account/home.html", {"signed_in": asking is not None})
