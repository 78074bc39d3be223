"""The customer's own page of a confirmation: one large number, one code, yes or "this is wrong".

GET  /v1/confirmations/{token}         programs get JSON at the same address
POST /v1/confirmations/{token}/yes
POST /v1/confirmations/{token}/wrong   nothing is recorded: the clerk is told by the customer
"""

from fastapi import Request, Response

from shiming.entrypoints.pages.home.dead_links import Giver, LinkToken, dead_link
from shiming.entrypoints.pages.home.journey import home_platform
from shiming.entrypoints.pages.home.link_pages import shown
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import open_to_all
from shiming.registrations.api.confirmations import (
    LINK_PATH,
    WHY_OPEN,
    asked_by_link,
    yes_by_link,
)
from shiming.registrations.model.confirmation import ConfirmationShown, Confirmed, NotConfirmed
from shiming.registrations.use_cases.confirmations import find_contract_party

router = page_router()
GATE = [open_to_all(WHY_OPEN)]
_PAGE = "home/confirmation.html"


@router.get(LINK_PATH + "/{token}", dependencies=GATE)
def question(request: Request, token: LinkToken) -> Response:
    """Show what is opened, in large print, and the code."""
    found = asked_by_link(request, token)
    if isinstance(found, NotConfirmed):
        raise dead_link(found.refusals, Giver.CLERK)
    return _asked(request, token, found)


@router.post(LINK_PATH + "/{token}/yes", dependencies=GATE)
def say_yes(request: Request, token: LinkToken) -> Response:
    """Take the yes."""
    found = yes_by_link(request, token)
    if isinstance(found, NotConfirmed):
        raise dead_link(found.refusals, Giver.CLERK)
    return shown(request, _PAGE, {"state": "confirmed", "matter": found.matter, "number": _number(found)})


@router.post(LINK_PATH + "/{token}/wrong", dependencies=GATE)
def say_wrong(request: Request, token: LinkToken) -> Response:
    """Tell the customer what to do when number or count are not theirs; without a yes nothing is opened."""
    return shown(request, _PAGE, {"state": "wrong", "back": f"{LINK_PATH}/{token}"})


def _asked(request: Request, token: str, found: ConfirmationShown) -> Response:
    matter, platform = found.matter, home_platform(request)
    with reading(platform.engine) as connection:
        party = find_contract_party(connection, matter)
    facts = {
        "state": "asked",
        "matter": matter,
        "number": _number(found),
        "party": party,
        "operator_name": platform.operator_name(matter.operator),
        "code": found.code,
        "expires_at": found.expires_at,
        "base": f"{LINK_PATH}/{token}",
    }
    return shown(request, _PAGE, facts)


def _number(found: ConfirmationShown | Confirmed) -> str | None:
    identifier = found.matter.identifier
    return None if identifier is None else identifier.reveal("shown to the customer who confirms it")
