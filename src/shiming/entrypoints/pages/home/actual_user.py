"""The pages of an actual user's link: which line of which organisation, yes, and the proof.

GET  /u/{token}     what will happen
POST /u/{token}     "yes, this is my line": opens the session
"""

from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict

from shiming.entrypoints.link_steps_api import ACTUAL_USERS
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.home.dead_links import Giver, LinkToken, dead_link
from shiming.entrypoints.pages.home.journey import Journey, home_platform, proof_of, rules_of
from shiming.entrypoints.pages.home.link_pages import documents_of, link_pages, shown
from shiming.entrypoints.pages.rendering import see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.identity_proofing.errors import refused as proofing_refused
from shiming.identity_proofing.use_cases.challenges import Application
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import open_to_all
from shiming.jurisdictions.model import Channel, Route
from shiming.registrations.api.organisation_platform import desk_of, enterprise_platform
from shiming.registrations.model.enterprise_lines import ActualUserLink, EnterpriseRefused
from shiming.registrations.model.registration import VERIFIED
from shiming.registrations.rules.actual_users import SESSIONS_PER_LINK_MAX, decide_link
from shiming.registrations.store.actual_user_links import find_link
from shiming.registrations.store.orders import find_proving_session
from shiming.registrations.use_cases import actual_user_links
from shiming.registrations.use_cases.link_tokens import hash_token
from shiming.vocabulary.refusals import Refusal

GATE = [open_to_all(ACTUAL_USERS.why_open)]
_CONFLICT, _INVALID = 409, 422
_ADULT = "adult"
own = page_router()


class Yes(BaseModel):
    """They saw organisation and number, and it is theirs to use."""

    model_config = ConfigDict(extra="ignore")
    confirmed: bool


def journey_of(request: Request, token: str) -> Journey:
    """Return how far an actual user came; a used link shows what came of it."""
    link, done = _link(request, token)
    if link.session_id is None:
        raise proofing_refused("STEP_OUT_OF_ORDER")  # the session is opened by the user's yes
    return Journey(
        base=f"/u/{token}",
        api=f"{ACTUAL_USERS.prefix}/{token}",
        standing=proof_of(request, link.session_id, None, None),
        expires_at=link.expires_at,
        begun=True,
        at_home=not done,
        again=not done and link.sessions < SESSIONS_PER_LINK_MAX,
    )


@own.get(ACTUAL_USERS.prefix + "/{token}", dependencies=GATE)
def from_message(token: LinkToken) -> Response:
    """Lead the browser of somebody who opened the address in their message to its page."""
    return see_other(f"/u/{token}")


@own.get("/u/{token}", dependencies=GATE)
def start(request: Request, token: LinkToken) -> Response:
    """Say for which organisation and line the link is, and what will happen."""
    link, done = _link(request, token)
    return see_other(f"/u/{token}/result") if done else _start(request, token, link)


@own.post("/u/{token}", dependencies=GATE)
def say_yes(request: Request, token: LinkToken, wanted: Annotated[Filled[Yes], form(Yes)]) -> Response:
    """Open the session of the link, or go on with the one that is open."""
    link, _ = _link(request, token)
    if wanted.value is None or not wanted.value.confirmed:
        return _start(request, token, link, unticked=True)
    platform = enterprise_platform(request)
    desk, proofing = desk_of(platform), request.app.state.platform.proofing_tools()
    application = Application(Channel.ONLINE, Route.STANDARD, _ADULT, link.operator)
    wish = actual_user_links.Wish(application, confirmed=True)
    opened = transact(
        platform.engine,
        lambda connection: actual_user_links.open_link_session(desk, proofing, connection, token, wish),
    )
    if isinstance(opened, EnterpriseRefused):
        return _start(request, token, link, refusals=opened.refusals)
    return see_other(f"/u/{token}/{journey_of(request, token).step}")


def _link(request: Request, token: str) -> tuple[ActualUserLink, bool]:
    """Return a link, and whether it has proven its user; raise why it does not work."""
    platform = home_platform(request)
    with reading(platform.engine) as connection:
        link = find_link(connection, hash_token(token))
        proof = find_proving_session(connection, link.session_id) if link and link.session_id else None
    done = link is not None and link.closed_at is not None and proof is not None and proof.outcome == VERIFIED
    refusals = decide_link(link, rules_of(platform), now=platform.clock.now())
    if link is None or (refusals and not done):
        raise dead_link(refusals, Giver.ORGANISATION)
    return link, done


def _start(
    request: Request,
    token: str,
    link: ActualUserLink,
    *,
    refusals: tuple[Refusal, ...] = (),
    unticked: bool = False,
) -> Response:
    platform = enterprise_platform(request)
    with reading(platform.engine) as connection:
        seen = actual_user_links.show_link(desk_of(platform), connection, token)
    if isinstance(seen, EnterpriseRefused):
        raise dead_link(seen.refusals, Giver.ORGANISATION)
    facts: dict[str, Any] = {
        "link": seen,
        "action": f"/u/{token}",
        "operator_name": home_platform(request).operator_name(link.operator),
        "documents": documents_of(request, rules_of(home_platform(request)), _ADULT),
        "refusals": refusals,
        "unticked": unticked,
    }
    status = _CONFLICT if refusals else _INVALID if unticked else 200
    return shown(request, "home/user_start.html", facts, status=status)


router = page_router()
router.include_router(own)
router.include_router(link_pages("/u", ACTUAL_USERS, journey_of))
