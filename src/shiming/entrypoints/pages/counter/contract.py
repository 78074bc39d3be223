"""The contract: terms shown and accepted, and the customer's own yes to exactly one line.

GET  /counter/{session}/contract            ?terms=zh|en: the language that the customer reads
POST /counter/{session}/contract            records the acceptance, and makes the customer's code
POST /counter/{session}/code                another code: by link, or to a line that the customer holds
GET  /counter/{session}/code.svg            the link as a QR code; its token is in a cookie
POST /counter/{session}/confirmation        the code that the customer read back; then the line is registered
GET  /counter/{session}/confirmation        whether the customer said yes on their own phone, for HTMX
"""

from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.engine import Connection

from shiming.entrypoints.pages.counter.activation import registered
from shiming.entrypoints.pages.counter.journey import Standing, Step, bar_of, step_of
from shiming.entrypoints.pages.counter.outcome import refusals_shown
from shiming.entrypoints.pages.counter.qr import qr_answer
from shiming.entrypoints.pages.counter.short_lived import link_of, name_of, remember_link
from shiming.entrypoints.pages.counter.standing import (
    CounterPlatform,
    counter_platform,
    facts_of,
    standing_of,
)
from shiming.entrypoints.pages.counter.steps import SessionPath
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.preferences import preferences_of
from shiming.entrypoints.pages.rendering import fragment, page, see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.identity_proofing.permissions import MayReadSession
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.registrations.api.confirmations import LINK_PATH
from shiming.registrations.errors.contracts import ConfirmationRefusal
from shiming.registrations.model.confirmation import CodeIssued, NotConfirmed
from shiming.registrations.model.terms import TRANSFER_CLAUSE, AcceptTerms, PublishedTerms, TermsRefused
from shiming.registrations.permissions.registration import MayRegisterLine
from shiming.registrations.permissions.terms import MayRecordAcceptance
from shiming.registrations.use_cases import confirmations, terms
from shiming.registrations.use_cases.confirmation_delivery import find_own_line, send_code
from shiming.vocabulary.refusals import Refusal

router = page_router()

_CONFLICT, _NOT_VALID = 409, 422
Recording = Annotated[Asking, asked(MayReadSession, MayRecordAcceptance)]
TermsLanguage = Literal["zh", "en"]


class AcceptanceForm(BaseModel):
    """What the customer agreed to, as it was shown."""

    version: Annotated[str, Field(max_length=40)]
    content_hash: Annotated[str, Field(max_length=80)]
    language: TermsLanguage
    agreed: Literal["true"]
    not_passed_on: Literal["true"]


class CodeForm(BaseModel):
    """How another code comes to the customer."""

    delivery: Literal["link", "own_line"] = "link"


class ReadBackForm(BaseModel):
    """The code that the customer read from their own phone."""

    code: Annotated[str, Field(pattern=r"^[0-9]{4,12}$")]


@router.get("/counter/{session}/contract")
def contract(
    request: Request,
    session: SessionPath,
    asking: Recording,
    shown_in: Annotated[TermsLanguage | None, Query(alias="terms")] = None,
) -> Response:
    """Show the terms, or, once they are accepted, how the customer says yes."""
    standing = _standing(request, session, asking)
    if step_of(standing) not in {Step.CONTRACT, Step.ACTIVATION} or standing.line is not None:
        return see_other(standing.url)
    return _contract_page(request, standing, shown_in)


@router.post("/counter/{session}/contract")
def accept(
    request: Request,
    session: SessionPath,
    asking: Recording,
    filled: Annotated[Filled[AcceptanceForm], form(AcceptanceForm)],
) -> Response:
    """Record that the customer accepted, and make the code for their own phone at once."""
    standing, wanted = _standing(request, session, asking), filled.value
    if wanted is None:
        return _contract_page(request, standing, None, status=_NOT_VALID, mistakes=filled.mistakes)
    platform = counter_platform(request)
    command = AcceptTerms(standing.session_id, wanted.version, wanted.content_hash, wanted.language)
    outcome = transact(
        platform.engine,
        lambda connection: terms.accept_terms(
            platform.registrations,
            connection,
            command,
            operator=standing.operator,
            policy=standing.policy.contracts,
            today=platform.today(),
            now=platform.clock.now(),
        ),
    )
    if isinstance(outcome, TermsRefused):
        return _refused(request, standing, outcome.refusals)
    if standing.order and standing.order.confirmation:
        return see_other(standing.url)
    issued = _issue(platform, standing)
    answer = see_other(f"{standing.url}/contract")
    if isinstance(issued, CodeIssued):  # else the page offers to make one, and says why there is none
        remember_link(answer, request, standing, issued.link_token, issued.expires_at)
    return answer


@router.post("/counter/{session}/code")
def another_code(
    request: Request,
    session: SessionPath,
    asking: Recording,
    filled: Annotated[Filled[CodeForm], form(CodeForm)],
) -> Response:
    """Make another code; the one before is void."""
    standing = _standing(request, session, asking)
    platform = counter_platform(request)
    own_line = None
    if filled.value and filled.value.delivery == "own_line":
        with reading(platform.engine) as connection:
            own_line = find_own_line(connection, standing.session_id, standing.operator)
        if own_line is None:
            return _refused(request, standing, (_no_own_line(standing),))
    issued = _issue(platform, standing)
    if isinstance(issued, NotConfirmed):
        return _refused(request, standing, issued.refusals)
    if own_line is not None and not send_code(platform.notices.port, own_line, issued):
        return _refused(request, standing, (_no_own_line(standing),))
    said = "code_sent" if own_line else "code_new"
    answer = see_other(f"{standing.url}/contract", said=said)
    remember_link(answer, request, standing, issued.link_token, issued.expires_at)
    return answer


@router.get("/counter/{session}/code.svg")
def code_picture(request: Request, session: SessionPath, asking: Recording) -> Response:
    """Draw the link for the customer's own phone."""
    _standing(request, session, asking)
    token = link_of(request)
    link = f"{counter_platform(request).settings.public_url}{LINK_PATH}/{token}" if token else None
    return qr_answer(link)


@router.post("/counter/{session}/confirmation")
def take_code(
    request: Request,
    session: SessionPath,
    asking: Annotated[Asking, asked(MayReadSession, MayRecordAcceptance, MayRegisterLine)],
    filled: Annotated[Filled[ReadBackForm], form(ReadBackForm)],
) -> Response:
    """Take the code that was read back, and register the line."""
    standing, wanted = _standing(request, session, asking), filled.value
    asking.allow(MayRegisterLine(standing.operator))
    if wanted is None:
        return _contract_page(request, standing, None, status=_NOT_VALID, mistakes=filled.mistakes)
    platform = counter_platform(request)
    outcome = transact(
        platform.engine,
        lambda connection: confirmations.confirm_line(
            platform.registrations,
            connection,
            standing.session_id,
            wanted.code,
            operator=standing.operator,
            policy=standing.policy.contracts,
            now=platform.clock.now(),
        ),
    )
    after = _standing(request, session, asking)
    if isinstance(outcome, NotConfirmed) and not _is_confirmed(after):  # a double click finds it confirmed
        return _refused(request, standing, outcome.refusals, attempts_left=outcome.attempts_left)
    return registered(request, after)


@router.get("/counter/{session}/confirmation")
def confirmation_state(request: Request, session: SessionPath, asking: Recording) -> Response:
    """Show whether the customer said yes on their own phone; asked again every two seconds."""
    standing = _standing(request, session, asking)
    if request.headers.get("hx-request") != "true":
        return see_other(f"{standing.url}/contract")
    confirmed = standing.order is not None and standing.order.confirmation is not None
    return fragment(
        request, "counter/confirmation_state.html", facts_of(request, standing, confirmed=confirmed)
    )


def _standing(request: Request, session: str, asking: Asking) -> Standing:
    standing = standing_of(request, session, asking)
    asking.allow(MayRecordAcceptance(standing.operator))
    return standing


def _issue(platform: CounterPlatform, standing: Standing) -> CodeIssued | NotConfirmed:
    return transact(
        platform.engine,
        lambda connection: confirmations.issue_code(
            platform.registrations,
            connection,
            standing.session_id,
            operator=standing.operator,
            policy=standing.policy.contracts,
            now=platform.clock.now(),
        ),
    )


def _refused(
    request: Request, standing: Standing, refusals: tuple[Refusal, ...], *, attempts_left: int | None = None
) -> Response:
    shown = refusals_shown(refusals, standing.policy)
    return _contract_page(
        request, standing, None, status=_CONFLICT, refusals=shown, attempts_left=attempts_left
    )


def _contract_page(
    request: Request, standing: Standing, shown_in: str | None, *, status: int = 200, **shown: Any
) -> Response:
    platform = counter_platform(request)
    with reading(platform.engine) as connection:
        in_force = terms.find_terms_in_force(connection, standing.operator, platform.today())
        own_line = _has_own_line(connection, standing)
    accepted = standing.order.terms if standing.order else None
    current = in_force is not None and accepted is not None and accepted.content_hash == in_force.content_hash
    facts = facts_of(
        request,
        standing,
        bar=bar_of(Step.CONTRACT, step_of(standing)),
        published=in_force,
        clause=_transfer_clause(in_force),
        terms_language=shown_in or preferences_of(request).language,
        accepted=accepted if current else None,
        confirmed=_is_confirmed(standing),
        has_link=link_of(request) is not None,
        own_line=own_line,
        digits=standing.policy.contracts.confirmation_digits.value,
        masked_name=name_of(request),
        refusals=(),
        attempts_left=None,
    )
    template = "counter/confirmation.html" if current else "counter/contract.html"
    return page(request, template, {**facts, **shown}, status=status)


def _has_own_line(connection: Connection, standing: Standing) -> bool:
    return find_own_line(connection, standing.session_id, standing.operator) is not None


def _transfer_clause(published: PublishedTerms | None) -> Any:
    return published and published.terms.clause(TRANSFER_CLAUSE)


def _no_own_line(standing: Standing) -> Refusal:
    citation = standing.policy.contracts.confirmation_digits.citation
    return Refusal(ConfirmationRefusal.CONFIRMATION_NO_OWN_LINE, citation)


def _is_confirmed(standing: Standing) -> bool:
    """Say whether the customer said yes, here or on their own phone."""
    return standing.line is not None or bool(standing.order and standing.order.confirmation)
