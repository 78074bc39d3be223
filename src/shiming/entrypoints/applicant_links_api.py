"""Links that hand one order and its proof to the applicant's own phone, over HTTP.

POST   /v1/orders/{session}/applicant-link     a link; its token is told once
DELETE /v1/orders/{session}/applicant-link     let no link of the order open anything any more
GET    /v1/applicant-links/{token}             what is ordered, and how far it came
POST   /v1/applicant-links/{token}/session     begin: the time of the session runs from here, or runs again
POST   /v1/applicant-links/{token}/stop        "this was not me": evidence deleted, order given up

The steps of the proof stand below the same link (`link_steps`); nobody signs in.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy.engine import Connection

from shiming.entrypoints.link_steps import Token, link_steps
from shiming.identity_proofing.api_platform import desk_of, platform_of, status_of
from shiming.identity_proofing.use_cases.waiting import begin_waiting_session, leave_session
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked, open_to_all
from shiming.infrastructure.http.problems import Refusal as Refused
from shiming.infrastructure.http.problems import problem_responses
from shiming.registrations.api.line_platform import line_platform, rules_of
from shiming.registrations.api.line_platform import refused as line_refused
from shiming.registrations.api.orders import OrderSession
from shiming.registrations.model.applicant_links import ApplicantLinkRefused, AtHome
from shiming.registrations.permissions.orders import MayManageOrders
from shiming.registrations.use_cases import applicant_links, orders
from shiming.registrations.use_cases.beginning_again import begin_again
from shiming.vocabulary.errors import Text

WHY_OPEN = "the token in the path has 256 random bits and is the permission, for one session and its order"
HOME_PATH = "/a"
Managing = Annotated[Asking, asked(MayManageOrders)]
_GATE = [open_to_all(WHY_OPEN)]
_UNKEPT = {"cache-control": "no-store", "referrer-policy": "no-referrer"}  # the address is the permission


class ApplicantLinkShown(BaseModel):
    """A new link, to be sent to the applicant or shown as a QR code; it cannot be read again."""

    session: str
    link: str
    expires_at: datetime


class ApplicantLinkRevoked(BaseModel):
    """Whether there was a link that worked."""

    session: str
    revoked: bool


class OrderAtHome(BaseModel):
    """What the bearer of a link sees; the number is masked until they confirm it."""

    session: str
    operator: str
    channel: str
    kind: str
    product_class: str
    number: str | None
    terms_accepted: bool
    card_awaited_until: datetime | None
    outcome: str | None
    line_status: str | None
    expires_at: datetime


class SessionBegun(BaseModel):
    """The session, and when its time is over."""

    session: str
    expires_at: datetime


class Stopped(BaseModel):
    """The order is given up. `deleted`: nothing that was handed in is left."""

    session: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class ApplicantLinks:
    """Links of applicants: each for one session and its order."""

    prefix: str = "/v1/applicant-links"
    why_open: str = WHY_OPEN

    def session_of(self, request: Request, token: str) -> str:
        """Return the session of a link that works."""
        return at_home(request, token).link.session_id

    def verified(self, request: Request, token: str) -> None:
        """Do nothing: at the counter the clerk goes on, at home the applicant does."""


APPLICANTS = ApplicantLinks()
router = APIRouter()
made_by_staff = APIRouter(prefix="/v1/orders", tags=["orders"])
by_token = APIRouter(prefix=APPLICANTS.prefix, tags=["applicants"])


@made_by_staff.post(
    "/{session}/applicant-link",
    status_code=201,
    responses=problem_responses(404, 409),
)
def make_link(request: Request, session: OrderSession, asking: Managing) -> ApplicantLinkShown:
    """Make a link for the applicant's own phone; the one before opens nothing any more.

    No Idempotency-Key keeps it: what is kept for a repeat holds no token.
    """
    asking.allow(MayManageOrders(asking.caller.operator or ""))
    platform = line_platform(request)
    now = platform.clock.now()

    def work(connection: Connection) -> ApplicantLinkShown:
        order = orders.hold_order(connection, session, operator=asking.caller.operator)
        made = applicant_links.make_link(
            platform.registrations, connection, order, policy=rules_of(platform), now=now
        )
        if isinstance(made, ApplicantLinkRefused):
            raise refused(made)
        link = f"{request.app.state.platform.settings.public_url}{HOME_PATH}/{made.token}"
        return ApplicantLinkShown(session=session, link=link, expires_at=made.expires_at)

    return transact(platform.engine, work)


@made_by_staff.delete("/{session}/applicant-link", responses=problem_responses(404))
def revoke_links(request: Request, session: OrderSession, asking: Managing) -> ApplicantLinkRevoked:
    """Let no link of this order open anything any more."""
    asking.allow(MayManageOrders(asking.caller.operator or ""))
    platform = line_platform(request)

    def work(connection: Connection) -> bool:
        order = orders.hold_order(connection, session, operator=asking.caller.operator)
        return applicant_links.revoke_links(platform.registrations, connection, order, platform.clock.now())

    return ApplicantLinkRevoked(session=session, revoked=transact(platform.engine, work))


@by_token.get("/{token}", response_model=OrderAtHome, responses=problem_responses(409), dependencies=_GATE)
def read_link(request: Request, token: Token) -> Response:
    """Show what is ordered by whom, and how far it came; nothing happens."""
    found = at_home(request, token)
    order, line = found.order, found.line
    body = OrderAtHome(
        session=order.session_id,
        operator=order.operator,
        channel=order.channel.value,
        kind=order.kind.value,
        product_class=order.product_class.value,
        number=order.identifier.masked() if order.identifier else None,
        terms_accepted=order.terms is not None,
        card_awaited_until=order.delivery_until,
        outcome=found.session.outcome,
        line_status=line.status.value if line else None,
        expires_at=found.link.expires_at,
    )
    return Response(body.model_dump_json(), headers=_UNKEPT, media_type="application/json")


@by_token.post("/{token}/session", responses=problem_responses(409), dependencies=_GATE)
def begin(request: Request, token: Token) -> SessionBegun:
    """Begin: the time of the session runs from here; where it ran out, again with a new session."""
    begun = begin_at_home(request, token)
    if isinstance(begun, ApplicantLinkRefused):
        raise refused(begun)
    return begun


@by_token.post("/{token}/stop", responses=problem_responses(409), dependencies=_GATE)
def stop(request: Request, token: Token) -> Stopped:
    """Stop: what was handed in is deleted, the order is given up, the link opens nothing any more."""
    return stop_at_home(request, token)


def at_home(request: Request, token: str) -> AtHome:
    """Return what a link that works is about; raise the refusal of one that does not."""
    platform = line_platform(request)
    with reading(platform.engine) as connection:
        found = applicant_links.find_at_home(
            connection, token, policy=rules_of(platform), now=platform.clock.now()
        )
    if isinstance(found, ApplicantLinkRefused):
        raise refused(found)
    return found


def begin_at_home(request: Request, token: str) -> SessionBegun | ApplicantLinkRefused:
    """Let the time of the session begin now, and note that its applicant did.

    A session that waited untouched begins itself; one that ran out of time makes place for a new one.
    """
    found = at_home(request, token)
    proofing, platform = platform_of(request), line_platform(request)
    rules, tools = rules_of(platform), proofing.proofing_tools()

    def work(connection: Connection) -> None:
        begin_waiting_session(tools, connection, found.link.session_id, rules)
        applicant_links.note_begun(connection, found, now=proofing.clock.now())

    def again(connection: Connection) -> AtHome | ApplicantLinkRefused:
        now = platform.clock.now()
        return begin_again(platform.registrations, tools, connection, token, policy=rules, now=now)

    transact(proofing.engine, work)
    begun = transact(proofing.engine, again)
    if isinstance(begun, ApplicantLinkRefused):
        return begun
    session = status_of(desk_of(request), proofing, begun.link.session_id).session
    return SessionBegun(session=session.id, expires_at=session.expires_at)


def stop_at_home(request: Request, token: str) -> Stopped:
    """Give the order up for its applicant, then delete what was handed in."""
    platform = line_platform(request)
    stopped = transact(
        platform.engine,
        lambda connection: applicant_links.stop(
            platform.registrations, connection, token, policy=rules_of(platform), now=platform.clock.now()
        ),
    )
    if isinstance(stopped, ApplicantLinkRefused):
        raise refused(stopped)
    session = stopped.link.session_id
    return Stopped(session=session, deleted=leave_session(desk_of(request), session))


def refused(outcome: ApplicantLinkRefused) -> Refused:
    """Return the problem of a link that does not work, or not for this step."""
    text = Text(zh="此链接不能使用。", en="This link cannot be used for this.")
    return line_refused("APPLICANT_LINK_REFUSED", text, outcome.refusals)


router.include_router(made_by_staff)
router.include_router(by_token)
router.include_router(link_steps(APPLICANTS, "applicants"))
