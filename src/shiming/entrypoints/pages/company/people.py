"""The handler of an organisation, and who answers for its lines, are proven like everybody else.

POST /company/{organisation}/people/{who}                    opens their session
GET  /company/{organisation}/people/{who}/{session}          what is next; after a good proof: name them
     .../document, /person, /other-way, /decision            the proof
POST /company/{organisation}/people/{who}/{session}          name them
"""

from typing import Annotated, Literal

from fastapi import Path, Request, Response

from shiming.entrypoints.pages.company.organisations import changed
from shiming.entrypoints.pages.counter.journey import Step
from shiming.entrypoints.pages.counter.standing import counter_platform, standing_of
from shiming.entrypoints.pages.equal_paths.other_way import WayForm, other_way_page, take_other_way
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.people.second_person import (
    SecondPerson,
    camera,
    decide_second,
    next_step,
    open_second,
    other_way_of,
)
from shiming.entrypoints.pages.rendering import page, see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.identity_proofing.permissions import MayConductSession, MayDecideSession, MayReadSession
from shiming.infrastructure.http.asking import Asking, asked
from shiming.jurisdictions.model import Channel
from shiming.registrations.api.organisation_platform import (
    OrganisationId,
    enterprise_platform,
    find,
)
from shiming.registrations.model.organisations import Organisation
from shiming.registrations.permissions.organisations import MayManageOrganisation
from shiming.registrations.use_cases import organisation_people
from shiming.vocabulary.refusals import Refusal

router = page_router()
_CONFLICT = 409
Who = Literal["handler", "responsible"]
SessionPath = Annotated[str, Path(max_length=40)]
Proving = Annotated[Asking, asked(MayManageOrganisation, MayReadSession, MayConductSession)]
Deciding = Annotated[Asking, asked(MayManageOrganisation, MayReadSession, MayDecideSession)]
_BASE = "/company/{organisation}/people/{who}"


@router.post(_BASE)
def begin(request: Request, organisation: OrganisationId, who: Who, asking: Proving) -> Response:
    """Open the session of the handler, or of who answers for the lines."""
    found = find(enterprise_platform(request), organisation, asking, MayManageOrganisation)
    asking.allow(MayConductSession(found.operator))
    second = open_second(request, found.operator, Channel.SHOP)
    return see_other(f"/company/{found.organisation_id}/people/{who}/{second}")


@router.get(_BASE + "/{session}")
def go_on(
    request: Request, organisation: OrganisationId, who: Who, session: SessionPath, asking: Proving
) -> Response:
    """Lead to what is next."""
    found, person = _person(request, organisation, who, session, asking)
    return _page(request, found, person, who)


@router.get(_BASE + "/{session}/other-way")
def other_way(
    request: Request, organisation: OrganisationId, who: Who, session: SessionPath, asking: Proving
) -> Response:
    """Show what one can do instead."""
    _, person = _person(request, organisation, who, session, asking)
    return other_way_page(request, other_way_of(person))


@router.post(_BASE + "/{session}/other-way")
def choose_way(
    request: Request,
    organisation: OrganisationId,
    who: Who,
    session: SessionPath,
    asking: Proving,
    wanted: Annotated[Filled[WayForm], form(WayForm)],
) -> Response:
    """Take the way that was chosen."""
    _, person = _person(request, organisation, who, session, asking)
    asking.allow(MayConductSession(person.standing.status.operator))
    return take_other_way(request, other_way_of(person), wanted)


@router.get(_BASE + "/{session}/{step}")
def capture(
    request: Request,
    organisation: OrganisationId,
    who: Who,
    session: SessionPath,
    step: Literal["document", "person"],
    asking: Proving,
) -> Response:
    """Take the document or the clip."""
    _, person = _person(request, organisation, who, session, asking)
    asking.allow(MayConductSession(person.standing.status.operator))
    return camera(request, person, step)


@router.post(_BASE + "/{session}/decision")
def decide(
    request: Request, organisation: OrganisationId, who: Who, session: SessionPath, asking: Deciding
) -> Response:
    """Have the proof decided."""
    _, person = _person(request, organisation, who, session, asking)
    asking.allow(MayDecideSession(person.standing.status.operator))
    return decide_second(request, person)


@router.post(_BASE + "/{session}")
def name(
    request: Request, organisation: OrganisationId, who: Who, session: SessionPath, asking: Proving
) -> Response:
    """Take the proven person as handler, or as who answers for the lines."""
    found, person = _person(request, organisation, who, session, asking)
    registration = enterprise_platform(request).registration_policy
    verb = (
        organisation_people.record_handler
        if who == "handler"
        else organisation_people.record_proven_responsible_person
    )
    refusals = changed(
        request,
        found,
        lambda desk, at, current: verb(
            desk, at, current, person.standing.session_id, registration=registration
        ),
    )
    if refusals:
        return _page(request, found, person, who, refusals=refusals)
    return see_other(f"/company/{found.organisation_id}")


def _person(
    request: Request, organisation: str, who: Who, session: str, asking: Asking
) -> tuple[Organisation, SecondPerson]:
    found = find(enterprise_platform(request), organisation, asking, MayManageOrganisation)
    standing = standing_of(request, session, asking)
    here = f"/company/{found.organisation_id}/people/{who}/{standing.session_id}"
    facts = {
        "organisation": found,
        "who": who,
        "operator_name": counter_platform(request).operator_name(found.operator),
    }
    return found, SecondPerson(standing, here, "company/above.html", facts)


def _page(
    request: Request,
    found: Organisation,
    person: SecondPerson,
    who: Who,
    *,
    refusals: tuple[Refusal, ...] = (),
) -> Response:
    step = next_step(person.standing)
    if step in {Step.DOCUMENT, Step.PERSON} and not refusals:
        return see_other(f"{person.here}/{step.value}")
    facts = {
        **person.facts,
        "acting": person.standing,
        "decision": person.standing.decision,
        "here": person.here,
        "back": f"/company/{found.organisation_id}",
        "who": who,
        "refusals": refusals,
    }
    return page(request, "company/person.html", facts, status=_CONFLICT if refusals else 200)
