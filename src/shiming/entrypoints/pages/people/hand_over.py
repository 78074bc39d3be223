"""The capture goes to the customer's own phone: a QR code, and how far they are.

GET  /counter/{session}/hand-over          the code, or the offer to make one
POST /counter/{session}/hand-over          make a link
POST /counter/{session}/hand-over/take     take it back: the link opens nothing any more
GET  /counter/{session}/hand-over/state    asked again by script; leads on when it is decided
"""

from typing import Annotated, Any

from fastapi import Path, Request, Response
from sqlalchemy.engine import Connection

from shiming.entrypoints.applicant_links_api import HOME_PATH
from shiming.entrypoints.pages.counter.journey import Standing, Step, step_of
from shiming.entrypoints.pages.counter.standing import counter_platform, facts_of, rules_of, standing_of
from shiming.entrypoints.pages.home.qr_codes import qr_code
from shiming.entrypoints.pages.rendering import fragment, page, see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.identity_proofing.permissions import MayReadSession
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.registrations.model.applicant_links import (
    ApplicantLink,
    ApplicantLinkMade,
    ApplicantLinkRefused,
)
from shiming.registrations.permissions.orders import MayManageOrders
from shiming.registrations.use_cases import applicant_links, orders

router = page_router()
_COOKIE = "shiming_hand_over"  # the token is kept nowhere else; the code is drawn from it again
_TOKEN_CHARACTERS = 43
SessionPath = Annotated[str, Path(max_length=40)]
Managing = Annotated[Asking, asked(MayReadSession, MayManageOrders)]


@router.get("/counter/{session}/hand-over")
def show(request: Request, session: SessionPath, asking: Managing) -> Response:
    """Show the code, or offer to make one."""
    standing = _standing(request, session, asking)
    if _is_over(standing):
        return see_other(standing.url)
    token = request.cookies.get(_COOKIE, "")[:_TOKEN_CHARACTERS]
    return page(request, "people/hand_over.html", _facts(request, standing, token))


@router.post("/counter/{session}/hand-over")
def make(request: Request, session: SessionPath, asking: Managing) -> Response:
    """Make a link; the one before opens nothing any more."""
    standing = _standing(request, session, asking)
    platform = counter_platform(request)

    def work(connection: Connection) -> ApplicantLinkMade | ApplicantLinkRefused:
        order = orders.hold_order(connection, standing.session_id, operator=asking.caller.operator)
        return applicant_links.make_link(
            platform.registrations,
            connection,
            order,
            policy=rules_of(platform),
            now=platform.clock.now(),
        )

    made = transact(platform.engine, work)
    if isinstance(made, ApplicantLinkRefused):
        return see_other(standing.url)
    answer = see_other(f"{standing.url}/hand-over")
    answer.set_cookie(
        _COOKIE,
        made.token,
        max_age=int((made.expires_at - platform.clock.now()).total_seconds()),
        path=f"{standing.url}/hand-over",
        secure=request.app.state.platform.accounts.settings.cookies_secure,
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/counter/{session}/hand-over/take")
def take_back(request: Request, session: SessionPath, asking: Managing) -> Response:
    """Go on at the counter: the link opens nothing any more."""
    standing = _standing(request, session, asking)
    platform = counter_platform(request)

    def work(connection: Connection) -> bool:
        order = orders.hold_order(connection, standing.session_id, operator=asking.caller.operator)
        return applicant_links.revoke_links(platform.registrations, connection, order, platform.clock.now())

    transact(platform.engine, work)
    answer = see_other(standing.url)
    answer.delete_cookie(_COOKIE, path=f"{standing.url}/hand-over")
    return answer


@router.get("/counter/{session}/hand-over/state")
def state(request: Request, session: SessionPath, asking: Managing) -> Response:
    """Say how far the customer is; lead on when the proof is decided."""
    standing = _standing(request, session, asking)
    if _is_over(standing):
        return Response(status_code=204, headers={"hx-redirect": standing.url})
    return fragment(request, "people/hand_over_state.html", _facts(request, standing, ""))


def _standing(request: Request, session: str, asking: Asking) -> Standing:
    standing = standing_of(request, session, asking)
    asking.allow(MayManageOrders(standing.operator))
    return standing


def _is_over(standing: Standing) -> bool:
    """Say whether nothing is captured any more: decided for good, waiting for people, or over."""
    decision = standing.decision
    retried = decision is not None and decision["outcome"] == "Retry"
    return step_of(standing) not in {Step.DOCUMENT, Step.PERSON, Step.DECISION} and not retried


def _facts(request: Request, standing: Standing, token: str) -> dict[str, Any]:
    platform = counter_platform(request)
    with reading(platform.engine) as connection:
        order = standing.order
        latest = applicant_links.find_latest_link(connection, order) if order else None
    usable = latest is not None and latest.closed_at is None and latest.expires_at > standing.now
    link = f"{platform.settings.public_url}{HOME_PATH}/{token}" if usable and token else None
    return facts_of(
        request,
        standing,
        link=link,
        code=qr_code(link, link) if link else None,
        usable=usable,
        expires_at=latest.expires_at if latest and usable else None,
        progress=_progress(standing, latest if usable else None),
    )


def _progress(standing: Standing, link: ApplicantLink | None) -> tuple[tuple[str, bool], ...]:
    """Return what the customer has done, in its order."""
    evidence = standing.status.evidence
    return (
        ("opened", link is not None and link.begun_at is not None),
        ("document", evidence is not None and evidence.document is not None),
        ("person", evidence is not None and evidence.clip is not None),
        ("decided", standing.decision is not None),
    )
