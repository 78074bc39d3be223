"""The customer confirms what is opened, over HTTP.

POST /v1/orders/{session}/confirmation-code    a code for the customer's own device; never in the answer
POST /v1/orders/{session}/confirmation         the code that the customer read back
GET  /v1/confirmations/{token}                 on the customer's device: what is opened, and the code
POST /v1/confirmations/{token}/yes             confirm there

The link is given to the terminal as text to be shown as a QR code; the customer opens it by their own camera.
Browsers get a page at the same address (`entrypoints.pages.home.confirmation`), programs get JSON.
"""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked, open_to_all
from shiming.infrastructure.http.for_programs import ForPrograms
from shiming.infrastructure.http.problems import problem_responses
from shiming.registrations.api.contract_platform import (
    ContractPlatform,
    SessionId,
    contract_platform,
    contract_policy,
    operator_of_order,
    refused,
)
from shiming.registrations.api.terms_schemas import BothLanguages
from shiming.registrations.errors.contracts import ConfirmationRefusal
from shiming.registrations.model.confirmation import ConfirmationShown, Confirmed, NotConfirmed
from shiming.registrations.model.lines import Line
from shiming.registrations.model.orders import ConfirmationMethod
from shiming.registrations.permissions.terms import MayRecordAcceptance
from shiming.registrations.use_cases import confirmations
from shiming.registrations.use_cases.confirmation_delivery import find_own_line, send_code
from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import Refusal

router = APIRouter(tags=["orders"])
by_link = APIRouter(tags=["orders"], route_class=ForPrograms)

LINK_PATH = "/v1/confirmations"
WHY_OPEN = "the link is for the customer, who has no account; its token is the permission"
Recording = Annotated[Asking, asked(MayRecordAcceptance)]
Token = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{43}$", description="Of the link.")]


class CodeAsked(BaseModel):
    """How the code comes to the customer: by a link for their own device, or to a line that they hold."""

    model_config = ConfigDict(extra="forbid")
    delivery: Literal["link", "own_line"] = "link"


class CodeSent(BaseModel):
    """A code is on its way: by `link`, to be shown as a QR code, or to the line `sent_to`."""

    session: str
    lines: int
    expires_at: datetime
    attempts: int
    link: str | None = None
    sent_to: str | None = None


_BY_LINK = CodeAsked()


class CodeReadBack(BaseModel):
    """The code that the customer read to the clerk."""

    model_config = ConfigDict(extra="forbid")
    code: Annotated[str, Field(pattern=r"^[0-9]{4,12}$", examples=["482913"])]


class ConfirmationGiven(BaseModel):
    """The customer said yes to this many lines; which number stands in the order."""

    lines: int
    method: ConfirmationMethod
    confirmed_at: datetime


class ToConfirm(BaseModel):
    """What the customer is asked, on their own device."""

    text: BothLanguages
    lines: int
    number: str | None
    operator: str
    code: str
    expires_at: datetime


@router.post(
    "/v1/orders/{session}/confirmation-code",
    status_code=201,
    responses=problem_responses(404, 409),
)
def issue(request: Request, session: SessionId, asking: Recording, wanted: CodeAsked = _BY_LINK) -> CodeSent:
    """Make a code for the number of an order; the one before is void. The answer does not hold it."""
    platform = contract_platform(request)
    operator = operator_of_order(platform, asking, session)
    own_line = _own_line(platform, session, operator) if wanted.delivery == "own_line" else None
    outcome = transact(
        platform.engine,
        lambda connection: confirmations.issue_code(
            platform.registrations,
            connection,
            session,
            operator=operator,
            policy=contract_policy(platform),
            now=platform.clock.now(),
        ),
    )
    if isinstance(outcome, NotConfirmed):
        raise not_confirmed(outcome)
    sent = CodeSent(
        session=session,
        lines=outcome.matter.lines,
        expires_at=outcome.expires_at,
        attempts=outcome.attempts,
    )
    if own_line is None:
        sent.link = f"{platform.settings.public_url}{LINK_PATH}/{outcome.link_token}"
    elif send_code(platform.notices.port, own_line, outcome):
        sent.sent_to = own_line.line_id
    else:
        raise _no_own_line(platform)
    return sent


@router.post(
    "/v1/orders/{session}/confirmation",
    responses=problem_responses(404, 409),
)
def confirm(
    request: Request, session: SessionId, wanted: CodeReadBack, asking: Recording
) -> ConfirmationGiven:
    """Take the code that the customer read back; refused with CONFIRMATION_REFUSED and attempts left."""
    platform = contract_platform(request)
    operator = operator_of_order(platform, asking, session)
    outcome = transact(
        platform.engine,
        lambda connection: confirmations.confirm_line(
            platform.registrations,
            connection,
            session,
            wanted.code,
            operator=operator,
            policy=contract_policy(platform),
            now=platform.clock.now(),
        ),
    )
    return given(outcome)


@by_link.get(
    LINK_PATH + "/{token}",
    response_model=ToConfirm,
    responses=problem_responses(409),
    dependencies=[open_to_all(WHY_OPEN)],
)
def show(request: Request, token: Token) -> Response:
    """Show the customer exactly what will be opened, and the code; a page for browsers."""
    outcome = asked_by_link(request, token)
    if isinstance(outcome, NotConfirmed):
        raise not_confirmed(outcome)
    return JSONResponse(_to_confirm(outcome).model_dump(mode="json"))


@by_link.post(
    LINK_PATH + "/{token}/yes",
    response_model=ConfirmationGiven,
    responses=problem_responses(409),
    dependencies=[open_to_all(WHY_OPEN)],
)
def confirm_on_device(request: Request, token: Token) -> Response:
    """Take the customer's yes on their own device; the link is used up."""
    return JSONResponse(given(yes_by_link(request, token)).model_dump(mode="json"))


def asked_by_link(request: Request, token: str) -> ConfirmationShown | NotConfirmed:
    """Return what a link asks its customer, and the code; noted in the ledger."""
    platform = contract_platform(request)
    return transact(
        platform.engine,
        lambda connection: confirmations.show_confirmation(
            platform.registrations,
            connection,
            token,
            policy=contract_policy(platform),
            now=platform.clock.now(),
        ),
    )


def yes_by_link(request: Request, token: str) -> Confirmed | NotConfirmed:
    """Take the customer's yes to what a link asks."""
    platform = contract_platform(request)
    return transact(
        platform.engine,
        lambda connection: confirmations.confirm_on_device(
            platform.registrations,
            connection,
            token,
            policy=contract_policy(platform),
            now=platform.clock.now(),
        ),
    )


def _own_line(platform: ContractPlatform, session: str, operator: str) -> Line:
    with reading(platform.engine) as connection:
        found = find_own_line(connection, session, operator)
    if found is None:
        raise _no_own_line(platform)
    return found


def _no_own_line(platform: ContractPlatform) -> Exception:
    citation = contract_policy(platform).confirmation_digits.citation
    return not_confirmed(NotConfirmed((Refusal(ConfirmationRefusal.CONFIRMATION_NO_OWN_LINE, citation),)))


def given(outcome: Confirmed | NotConfirmed) -> ConfirmationGiven:
    """Return what was confirmed, or raise why nothing was."""
    if isinstance(outcome, NotConfirmed):
        raise not_confirmed(outcome)
    return ConfirmationGiven(
        lines=outcome.matter.lines, method=outcome.method, confirmed_at=outcome.confirmed_at
    )


def not_confirmed(outcome: NotConfirmed) -> Exception:
    """Return the problem of a refusal, with the attempts that are left."""
    text = Text(zh="未能确认。", en="Nothing was confirmed.")
    details = {} if outcome.attempts_left is None else {"attempts_left": outcome.attempts_left}
    return refused("CONFIRMATION_REFUSED", text, outcome.refusals, **details)


def _to_confirm(shown: ConfirmationShown) -> ToConfirm:
    matter, number = shown.matter, shown.matter.identifier
    return ToConfirm(
        text=BothLanguages.of(matter.sentence()),
        lines=matter.lines,
        number=None if number is None else number.reveal("shown to the customer who confirms it"),
        operator=matter.operator,
        code=shown.code,
        expires_at=shown.expires_at,
    )


router.include_router(by_link)
