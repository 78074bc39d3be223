"""The people of an organisation over HTTP. Names of people are never given back.

PUT /v1/organisations/{organisation}/legal-representative  name, for the vault
PUT /v1/organisations/{organisation}/handler               session in which the handler was proven
PUT /v1/organisations/{organisation}/responsible-person    such a session, or a name for the vault

Changes take If-Match. A session that named somebody registers nothing for that person any more.
"""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from shiming.registrations.api.organisation_platform import (
    CHANGED,
    PREFIX,
    TAG,
    Managing,
    OrganisationId,
    Version,
    change,
    enterprise_platform,
)
from shiming.registrations.api.organisation_schemas import (
    HandlerNamed,
    OrganisationShown,
    PersonNamed,
    ResponsiblePerson,
)
from shiming.registrations.use_cases import organisation_people

router = APIRouter(prefix=PREFIX, tags=[TAG])


@router.put("/{organisation}/legal-representative", response_model=OrganisationShown, responses=CHANGED)
def put_legal_representative(
    request: Request, organisation: OrganisationId, wanted: PersonNamed, asking: Managing, version: Version
) -> Response:
    """Keep the name of the legal representative in the vault."""
    return change(
        request,
        organisation,
        asking,
        version,
        lambda desk, at, found: organisation_people.record_legal_representative(desk, at, found, wanted.name),
    )


@router.put("/{organisation}/handler", response_model=OrganisationShown, responses=CHANGED)
def put_handler(
    request: Request, organisation: OrganisationId, wanted: HandlerNamed, asking: Managing, version: Version
) -> Response:
    """Take the person of a verified session as handler; another person needs a new power of attorney."""
    registration = enterprise_platform(request).registration_policy
    return change(
        request,
        organisation,
        asking,
        version,
        lambda desk, at, found: organisation_people.record_handler(
            desk, at, found, wanted.session, registration=registration
        ),
    )


@router.put("/{organisation}/responsible-person", response_model=OrganisationShown, responses=CHANGED)
def put_responsible_person(
    request: Request,
    organisation: OrganisationId,
    wanted: ResponsiblePerson,
    asking: Managing,
    version: Version,
) -> Response:
    """Keep who answers for the lines: the person of a verified session, or a name in the vault."""
    registration = enterprise_platform(request).registration_policy
    session, name = wanted.session, wanted.name or ""
    if session is not None:
        return change(
            request,
            organisation,
            asking,
            version,
            lambda desk, at, found: organisation_people.record_proven_responsible_person(
                desk, at, found, session, registration=registration
            ),
        )
    return change(
        request,
        organisation,
        asking,
        version,
        lambda desk, at, found: organisation_people.record_responsible_person(desk, at, found, name),
    )
