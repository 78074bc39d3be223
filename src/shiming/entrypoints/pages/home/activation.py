"""From the contract to the line, by the applicant's link: the card comes, a code is read back, it works.

GET  /a/{token}/activation            waiting for the card; the card has come; being switched on; works
POST /a/{token}/activation            the last digits of the card
GET  /a/{token}/activation/{code}     what is confirmed, in large print, with the code
POST /a/{token}/activation/{code}     the code, read back: the line is registered
GET  /a/{token}/receipt.pdf
"""

from typing import Annotated, Any

from fastapi import Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection

from shiming.entrypoints.link_steps import TOKEN
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.home.applicant_journey import CONFLICT, GATE, INVALID, address_of, journey_of
from shiming.entrypoints.pages.home.dead_links import LinkToken
from shiming.entrypoints.pages.home.journey import Journey, Step, home_platform, rules_of
from shiming.entrypoints.pages.home.link_pages import (
    line_facts,
    shown,
    unkept,
)
from shiming.entrypoints.pages.rendering import fragment, see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import transact
from shiming.registrations.model.applicant_links import ApplicantLinkRefused
from shiming.registrations.model.confirmation import CodeIssued, Confirmed, NotConfirmed
from shiming.registrations.model.registration import LineRegistered, RegisterLine, RegistrationRefused
from shiming.registrations.rules.applicant_links import asks_for_card
from shiming.registrations.use_cases import applicant_links, confirmations, orders
from shiming.registrations.use_cases.paper_receipts import PaperWords, issue_paper_receipt
from shiming.registrations.use_cases.registering import register_line
from shiming.vocabulary.refusals import Refusal

router = page_router()
CodeToken = Annotated[str, Path(pattern=TOKEN)]


class CardShown(BaseModel):
    """The last digits printed on the card; none where nothing is printed."""

    model_config = ConfigDict(extra="ignore")
    last: str = Field(default="", pattern=r"^([0-9]{4})?$")


class CodeReadBack(BaseModel):
    """The code, read back from the same page."""

    model_config = ConfigDict(extra="ignore")
    code: str = Field(pattern=r"^[0-9 ]{4,24}$")


@router.get("/a/{token}/activation", dependencies=GATE)
def activation(request: Request, token: LinkToken) -> Response:
    """Show how far the line is; asked again by script while it is being switched on."""
    journey = journey_of(request, token)
    if journey.step is not Step.ACTIVATION:
        return see_other(address_of(journey))
    if request.headers.get("hx-target") == "line-state" and journey.line is not None:
        facts = {"journey": journey, "base": journey.base, **line_facts(journey.line)}
        return unkept(fragment(request, "home/line_state.html", facts))
    return _activation(request, journey)


@router.post("/a/{token}/activation", dependencies=GATE)
def card_has_come(
    request: Request, token: LinkToken, wanted: Annotated[Filled[CardShown], form(CardShown)]
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


@router.get("/a/{token}/activation/{code}", dependencies=GATE)
def show_code(request: Request, token: LinkToken, code: CodeToken) -> Response:
    """Show exactly what is confirmed, and the code to read back."""
    journey = journey_of(request, token)
    return _activation(request, journey) if journey.line else _code_page(request, journey, code)


@router.post("/a/{token}/activation/{code}", dependencies=GATE)
def read_back(
    request: Request,
    token: LinkToken,
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


@router.get("/a/{token}/receipt.pdf", dependencies=GATE)
def receipt(request: Request, token: LinkToken) -> Response:
    """Return the receipt of the line for its holder."""
    journey = journey_of(request, token)
    if journey.line is None:
        return see_other(address_of(journey))
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
