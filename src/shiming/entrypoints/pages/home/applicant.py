"""An order on the applicant's own phone: at home from the start to the line, at the counter the proof alone.

GET  /a/{token}                       what will happen, and "begin"
POST /a/{token}                       begin
GET  /a/{token}/contract              the terms, and consent
POST /a/{token}/contract
POST /a/{token}/stop                  "this was not me"
"""

from typing import Annotated

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection

from shiming.entrypoints.applicant_links_api import (
    APPLICANTS,
    begin_at_home,
    stop_at_home,
)
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.home import activation
from shiming.entrypoints.pages.home.applicant_journey import CONFLICT, GATE, INVALID, address_of, journey_of
from shiming.entrypoints.pages.home.dead_links import LinkToken
from shiming.entrypoints.pages.home.journey import Journey, Step, home_platform, rules_of
from shiming.entrypoints.pages.home.link_pages import (
    documents_of,
    link_pages,
    result_page,
    shown,
)
from shiming.entrypoints.pages.preferences import preferences_of
from shiming.entrypoints.pages.rendering import see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import reading, transact
from shiming.registrations.model.applicant_links import ApplicantLinkRefused, CardAwaited
from shiming.registrations.model.terms import AcceptTerms, TermsRefused
from shiming.registrations.use_cases import applicant_links
from shiming.registrations.use_cases.terms import accept_terms, find_terms_in_force
from shiming.vocabulary.refusals import Refusal


class Consent(BaseModel):
    """Yes to the terms that were shown."""

    model_config = ConfigDict(extra="ignore")
    agree: bool
    version: str = Field(max_length=40)
    content_hash: str = Field(max_length=80)


own = page_router()


@own.get("/a/{token}", dependencies=GATE)
def start(request: Request, token: LinkToken) -> Response:
    """Say what will be opened, by whom, what is needed, how long it takes, what happens with the data."""
    journey = journey_of(request, token)
    facts = {
        "documents": documents_of(request, journey.standing.policy, journey.standing.status.session.subject),
        "going_on": f"{journey.base}/{journey.step}" if journey.step is not Step.START else None,
        "expires_at": journey.expires_at,
    }
    return shown(request, "home/start.html", facts, journey)


@own.post("/a/{token}", dependencies=GATE)
def begin(request: Request, token: LinkToken) -> Response:
    """Begin: the time of the session runs from here; one that ran out makes place for a new one."""
    journey = journey_of(request, token)
    begun = begin_at_home(request, token)
    if isinstance(begun, ApplicantLinkRefused):
        return result_page(request, journey, refusals=begun.refusals)
    return see_other(f"/a/{token}/{journey_of(request, token).step}")


@own.post("/a/{token}/stop", dependencies=GATE)
def stop(request: Request, token: LinkToken) -> Response:
    """Delete what was handed in and give the order up."""
    journey_of(request, token)
    stopped = stop_at_home(request, token)
    return shown(request, "home/stopped.html", {"deleted": stopped.deleted})


@own.get("/a/{token}/stop", dependencies=GATE)
def ask_to_stop(request: Request, token: LinkToken) -> Response:
    """Say what stopping means before it happens."""
    journey = journey_of(request, token)
    return shown(request, "home/stop.html", {"decided": journey.standing.decision is not None}, journey)


@own.get("/a/{token}/contract", dependencies=GATE)
def contract(request: Request, token: LinkToken) -> Response:
    """Show the terms in force."""
    journey = journey_of(request, token)
    if journey.step is not Step.CONTRACT:
        return see_other(address_of(journey))
    return _contract(request, journey)


@own.post("/a/{token}/contract", dependencies=GATE)
def agree(request: Request, token: LinkToken, wanted: Annotated[Filled[Consent], form(Consent)]) -> Response:
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


router = page_router()
router.include_router(own)
router.include_router(activation.router)
router.include_router(link_pages("/a", APPLICANTS, journey_of))
