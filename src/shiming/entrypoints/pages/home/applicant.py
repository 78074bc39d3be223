"""An order on the applicant's own phone: at home from the start to the line, at the counter the proof alone.

GET  /a/{token}                       what will happen, and "begin"
POST /a/{token}                       begin
GET  /a/{token}/contract              the terms, and consent
POST /a/{token}/contract
GET  /a/{token}/activation            waiting for the card; the card has come; being switched on; works
POST /a/{token}/activation            the last digits of the card
GET  /a/{token}/activation/{code}     what is confirmed, in large print, with the code
POST /a/{token}/activation/{code}     the code, read back: the line is registered
GET  /a/{token}/receipt.pdf
POST /a/{token}/stop                  "this was not me"
"""

from typing import Annotated, Any

from fastapi import Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection

from shiming.entrypoints.applicant_links_api import (
    APPLICANTS,
    WHY_OPEN,
    begin_at_home,
    stop_at_home,
)
from shiming.entrypoints.link_steps import TOKEN, Token
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.home.journey import Journey, Step, home_platform, proof_of, rules_of
from shiming.entrypoints.pages.home.link_pages import (
    documents_of,
    line_facts,
    link_pages,
    shown,
    told,
    unkept,
)
from shiming.entrypoints.pages.preferences import preferences_of
from shiming.entrypoints.pages.rendering import fragment, see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import open_to_all
from shiming.jurisdictions.model import Channel
from shiming.registrations.model.applicant_links import ApplicantLinkRefused, CardAwaited
from shiming.registrations.model.confirmation import CodeIssued, Confirmed, NotConfirmed
from shiming.registrations.model.registration import LineRegistered, RegisterLine, RegistrationRefused
from shiming.registrations.model.terms import AcceptTerms, TermsRefused
from shiming.registrations.rules.applicant_links import asks_for_card
from shiming.registrations.use_cases import applicant_links, confirmations, orders
from shiming.registrations.use_cases.paper_receipts import PaperWords, issue_paper_receipt
from shiming.registrations.use_cases.registering import register_line
from shiming.registrations.use_cases.terms import accept_terms, find_terms_in_force
from shiming.vocabulary.refusals import Refusal

GATE = [open_to_all(WHY_OPEN)]
CONFLICT, INVALID = 409, 422
CodeToken = Annotated[str, Path(pattern=TOKEN)]


class Consent(BaseModel):
    """Yes to the terms that were shown."""

    model_config = ConfigDict(extra="ignore")
    agree: bool
    version: str = Field(max_length=40)
    content_hash: str = Field(max_length=80)


class CardShown(BaseModel):
    """The last digits printed on the card; none where nothing is printed."""

    model_config = ConfigDict(extra="ignore")
    last: str = Field(default="", pattern=r"^([0-9]{4})?$")


class CodeReadBack(BaseModel):
    """The code, read back from the same page."""

    model_config = ConfigDict(extra="ignore")
    code: str = Field(pattern=r"^[0-9 ]{4,24}$")


def journey_of(request: Request, token: str) -> Journey:
    """Return how far somebody came by a link; raise why one does not work, in the words of its bearer."""
    platform = home_platform(request)
    with reading(platform.engine) as connection:
        found = applicant_links.find_at_home(
            connection, token, policy=rules_of(platform), now=platform.clock.now()
        )
    if isinstance(found, ApplicantLinkRefused):
        raise told(found.refusals)
    return Journey(
        base=f"/a/{token}",
        api=f"{APPLICANTS.prefix}/{token}",
        standing=proof_of(request, found.link.session_id, found.order, found.line),
        expires_at=found.link.expires_at,
        begun=found.link.begun_at is not None,
        order=found.order,
        line=found.line,
        at_home=found.order.channel is Channel.ONLINE,
    )


own = page_router()


@own.get("/a/{token}", dependencies=GATE)
def start(request: Request, token: Token) -> Response:
    """Say what will be opened, by whom, what is needed, how long it takes, what happens with the data."""
    journey = journey_of(request, token)
    facts = {
        "documents": documents_of(request, journey.standing.policy, journey.standing.status.session.subject),
        "going_on": f"{journey.base}/{journey.step}" if journey.step is not Step.START else None,
        "expires_at": journey.expires_at,
    }
    return shown(request, "home/start.html", facts, journey)


@own.post("/a/{token}", dependencies=GATE)
def begin(request: Request, token: Token) -> Response:
    """Begin: the time of the session runs from here."""
    begin_at_home(request, token)
    return see_other(f"/a/{token}/{journey_of(request, token).step}")


@own.post("/a/{token}/stop", dependencies=GATE)
def stop(request: Request, token: Token) -> Response:
    """Delete what was handed in and give the order up."""
    stopped = stop_at_home(request, token)
    return shown(request, "home/stopped.html", {"deleted": stopped.deleted})


@own.get("/a/{token}/stop", dependencies=GATE)
def ask_to_stop(request: Request, token: Token) -> Response:
    """Say what stopping means before it happens."""
    journey = journey_of(request, token)
    return shown(request, "home/stop.html", {"decided": journey.standing.decision is not None}, journey)


@own.get("/a/{token}/contract", dependencies=GATE)
def contract(request: Request, token: Token) -> Response:
    """Show the terms in force."""
    journey = journey_of(request, token)
    if journey.step is not Step.CONTRACT:
        return see_other(_address(journey))
    return _contract(request, journey)


@own.post("/a/{token}/contract", dependencies=GATE)
def agree(request: Request, token: Token, wanted: Annotated[Filled[Consent], form(Consent)]) -> Response:
    """Take the consent; from here the order waits for its card."""
    journey = journey_of(request, token)
    if wanted.value is None or not wanted.value.agree:
        return _contract(request, journey, wanted)
    platform, said = home_platform(request), wanted.value
    language = preferences_of(request).language

    def work(connection: Connection) -> TermsRefused | ApplicantLinkRefused | CardAwaited:
        accepted = accept_terms(
            platform.registrations,
            connection,
            AcceptTerms(journey.standing.session_id, said.version, said.content_hash, language),
            operator=journey.standing.operator,
            policy=rules_of(platform).contracts,
            today=platform.today(),
            now=platform.clock.now(),
        )
        if isinstance(accepted, TermsRefused):
            return accepted
        return applicant_links.await_card(
            platform.registrations,
            connection,
            token,
            policy=rules_of(platform),
            registration=platform.registration_policy,
            now=platform.clock.now(),
        )

    outcome = transact(platform.engine, work)
    if not isinstance(outcome, CardAwaited):
        return _contract(request, journey, refusals=outcome.refusals)
    return see_other(f"{journey.base}/activation")


@own.get("/a/{token}/activation", dependencies=GATE)
def activation(request: Request, token: Token) -> Response:
    """Show how far the line is; asked again by script while it is being switched on."""
    journey = journey_of(request, token)
    if journey.step is not Step.ACTIVATION:
        return see_other(_address(journey))
    if request.headers.get("hx-target") == "line-state" and journey.line is not None:
        facts = {"journey": journey, "base": journey.base, **line_facts(journey.line)}
        return unkept(fragment(request, "home/line_state.html", facts))
    return _activation(request, journey)


@own.post("/a/{token}/activation", dependencies=GATE)
def card_has_come(
    request: Request, token: Token, wanted: Annotated[Filled[CardShown], form(CardShown)]
) -> Response:
    """Take the last digits of the card; when they are right, a code is made for what is confirmed."""
    journey = journey_of(request, token)
    if wanted.value is None:
        return _activation(request, journey, wanted)
    platform, last = home_platform(request), wanted.value.last

    def work(connection: Connection) -> ApplicantLinkRefused | CodeIssued | NotConfirmed:
        rules, now = rules_of(platform), platform.clock.now()
        found = applicant_links.show_card(connection, token, last, policy=rules, now=now)
        if isinstance(found, ApplicantLinkRefused):
            return found
        return confirmations.issue_code(
            platform.registrations,
            connection,
            found.order.session_id,
            operator=found.order.operator,
            policy=rules.contracts,
            now=now,
        )

    made = transact(platform.engine, work)
    if isinstance(made, CodeIssued):
        return see_other(f"{journey.base}/activation/{made.link_token}")
    left = made.left if isinstance(made, ApplicantLinkRefused) else None
    return _activation(request, journey, wanted, refusals=made.refusals, left=left)


@own.get("/a/{token}/activation/{code}", dependencies=GATE)
def show_code(request: Request, token: Token, code: CodeToken) -> Response:
    """Show exactly what is confirmed, and the code to read back."""
    journey = journey_of(request, token)
    return _activation(request, journey) if journey.line else _code_page(request, journey, code)


@own.post("/a/{token}/activation/{code}", dependencies=GATE)
def read_back(
    request: Request,
    token: Token,
    code: CodeToken,
    wanted: Annotated[Filled[CodeReadBack], form(CodeReadBack)],
) -> Response:
    """Take the code that was read back; the line is registered, and switched on by the network."""
    journey = journey_of(request, token)
    if journey.line is not None:
        return see_other(f"{journey.base}/activation")
    if wanted.value is None:
        return _code_page(request, journey, code, wanted)
    outcome = transact(
        home_platform(request).engine,
        lambda connection: _register(request, connection, journey, wanted.value.code),  # type: ignore[union-attr]
    )
    if isinstance(outcome, LineRegistered):
        return see_other(f"{journey.base}/activation")
    if isinstance(outcome, NotConfirmed):
        return _code_page(
            request, journey, code, wanted, refusals=outcome.refusals, left=outcome.attempts_left
        )
    return _activation(request, journey, refusals=outcome.refusals)


@own.get("/a/{token}/receipt.pdf", dependencies=GATE)
def receipt(request: Request, token: Token) -> Response:
    """Return the receipt of the line for its holder."""
    journey = journey_of(request, token)
    if journey.line is None:
        return see_other(_address(journey))
    platform, line = home_platform(request), journey.line
    words = PaperWords(rules_of(platform), platform.operator_name)
    issued = transact(
        platform.engine,
        lambda connection: issue_paper_receipt(
            platform.registrations, connection, line.line_id, words, now=platform.clock.now()
        ),
    )
    name = {"content-disposition": f'attachment; filename="receipt-{line.line_id}.pdf"'}
    return unkept(Response(issued.pdf if issued else b"", media_type="application/pdf", headers=name))


def _register(
    request: Request, connection: Connection, journey: Journey, code: str
) -> LineRegistered | NotConfirmed | RegistrationRefused:
    """Confirm, then register: a wrong code counts, a refused registration leaves the confirmation."""
    platform, order = home_platform(request), journey.order
    if order is None or order.identifier is None:  # a code is made for a number only
        raise orders.order_unknown()
    said = confirmations.confirm_line(
        platform.registrations,
        connection,
        order.session_id,
        "".join(code.split()),
        operator=order.operator,
        policy=rules_of(platform).contracts,
        now=platform.clock.now(),
    )
    if not isinstance(said, Confirmed):
        return said
    return register_line(
        platform.registrations,
        connection,
        RegisterLine(order.operator, order.identifier, order.session_id),
        policy=platform.registration_policy,
        now=platform.clock.now(),
    )


def _contract(
    request: Request,
    journey: Journey,
    wanted: Filled[Consent] | None = None,
    *,
    refusals: tuple[Refusal, ...] = (),
) -> Response:
    platform = home_platform(request)
    with reading(platform.engine) as connection:
        published = find_terms_in_force(connection, journey.standing.operator, platform.today())
    facts = {
        "bar": journey.bar(Step.CONTRACT),
        "published": published,
        "refusals": refusals,
        "unticked": wanted is not None,
    }
    status = CONFLICT if refusals else INVALID if wanted else 200
    return shown(request, "home/contract.html", facts, journey, status=status)


def _activation(
    request: Request,
    journey: Journey,
    wanted: Filled[CardShown] | None = None,
    *,
    refusals: tuple[Refusal, ...] = (),
    left: int | None = None,
) -> Response:
    order = journey.order
    facts: dict[str, Any] = {
        "bar": journey.bar(Step.ACTIVATION),
        "refusals": refusals,
        "left": left,
        "until": order.delivery_until if order else None,
        "asks_for_card": order is not None and asks_for_card(order),
        "card_sent": order is None or not order.kind.has_sim or order.iccid is not None,
        **(line_facts(journey.line) if journey.line else {}),
        **(wanted.again() if wanted else {}),
    }
    status = CONFLICT if refusals else INVALID if wanted else 200
    return shown(request, "home/activation.html", facts, journey, status=status)


def _code_page(
    request: Request,
    journey: Journey,
    code: str,
    wanted: Filled[CodeReadBack] | None = None,
    *,
    refusals: tuple[Refusal, ...] = (),
    left: int | None = None,
) -> Response:
    platform = home_platform(request)
    asked = transact(
        platform.engine,
        lambda connection: confirmations.show_confirmation(
            platform.registrations,
            connection,
            code,
            policy=rules_of(platform).contracts,
            now=platform.clock.now(),
        ),
    )
    if isinstance(asked, NotConfirmed):
        return _activation(request, journey, refusals=asked.refusals)
    matter = asked.matter
    facts = {
        "bar": journey.bar(Step.ACTIVATION),
        "number": matter.identifier.reveal("shown to its holder") if matter.identifier else "",
        "lines": matter.lines,
        "code": asked.code,
        "code_token": code,
        "refusals": refusals,
        "left": left,
        **(wanted.again() if wanted else {}),
    }
    status = CONFLICT if refusals else INVALID if wanted else 200
    return shown(request, "home/read_back.html", facts, journey, status=status)


def _address(journey: Journey) -> str:
    """Return the page of what comes next."""
    return journey.base if journey.step is Step.START else f"{journey.base}/{journey.step}"


router = page_router()
router.include_router(own)
router.include_router(link_pages("/a", APPLICANTS, journey_of))
