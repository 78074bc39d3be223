"""Organisations over HTTP: record one, see what is missing, suspend and close it.

POST /v1/organisations                                     code of the public register and name
GET  /v1/organisations
GET  /v1/organisations/{organisation}                      with everything that is missing
POST /v1/organisations/{organisation}/suspension           and /resumption, /closing

What one brings: `organisation_papers` and `organisation_people`. Changes take If-Match.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotency_key, idempotent
from shiming.infrastructure.http.page import PageAsked, paged
from shiming.infrastructure.http.problems import problem_responses
from shiming.registrations.api.organisation_platform import (
    CHANGED,
    PREFIX,
    TAG,
    Managing,
    OrganisationId,
    Reading,
    Suspending,
    Version,
    change,
    desk_of,
    enterprise_platform,
    find,
    shown,
    unknown,
    version_of,
)
from shiming.registrations.api.organisation_schemas import (
    NewOrganisation,
    OrganisationListed,
    Organisations,
    OrganisationShown,
    Suspension,
)
from shiming.registrations.permissions.organisations import (
    MayManageOrganisation,
    MayReadOrganisation,
    MaySuspendOrganisation,
)
from shiming.registrations.use_cases import organisations

router = APIRouter(prefix=PREFIX, tags=[TAG])

_LIST = "organisations"


@router.post("", status_code=201, response_model=OrganisationShown, responses=problem_responses(409))
def record(
    request: Request,
    wanted: NewOrganisation,
    asking: Managing,
    key: Annotated[str | None, idempotency_key()],
) -> Response:
    """Record an organisation; its code is checked as the jurisdiction's register forms it."""
    operator = wanted.operator or asking.caller.operator or ""
    asking.allow(MayManageOrganisation(operator))
    platform = enterprise_platform(request)
    desk = desk_of(platform)

    def work(connection: Connection) -> Answer:
        file = organisations.record_organisation(
            desk,
            connection,
            operator=operator,
            code=wanted.code,
            name=wanted.name,
            read_code=platform.read_organisation_code,
        )
        body = OrganisationShown.of(file)
        return Answer.of(201, body, location=f"{router.prefix}/{body.id}", etag=version_of(file))

    wanted_hash = hash_of(request, wanted)
    return idempotent(platform.engine, asking.caller.reference, key, wanted_hash, work, now=desk.now)


@router.get("", response_model=Organisations)
def list_all(
    request: Request,
    asking: Reading,
    page: Annotated[PageAsked, paged(_LIST)],
    operator: Annotated[str | None, Query(max_length=32)] = None,
) -> dict[str, Any]:
    """List organisations in the order of their references."""
    wanted = operator or asking.caller.operator
    asking.allow(MayReadOrganisation(wanted or ""))
    after = str(page.after[0]) if page.after else None
    with reading(enterprise_platform(request).engine) as connection:
        found = organisations.list_organisations(connection, wanted, after=after, limit=page.size + 1)
    return page.listing([OrganisationListed.of(each) for each in found], key=lambda row: (row.id,))


@router.get("/{organisation}", response_model=OrganisationShown, responses=problem_responses(404))
def read(request: Request, organisation: OrganisationId, asking: Reading) -> Response:
    """Return an organisation, and everything that is missing before it may open lines."""
    platform = enterprise_platform(request)
    found = find(platform, organisation, asking, MayReadOrganisation)
    desk = desk_of(platform)
    with reading(platform.engine) as connection:
        file = organisations.show_organisation(
            connection, found.organisation_id, policy=desk.policy, now=desk.now
        )
    if file is None:  # pragma: no cover - it was found a line above, and none is ever deleted
        raise unknown()
    return shown(file)


@router.post("/{organisation}/suspension", response_model=OrganisationShown, responses=CHANGED)
def suspend(
    request: Request, organisation: OrganisationId, wanted: Suspension, asking: Suspending, version: Version
) -> Response:
    """Let the organisation open no more lines; its lines go on."""
    return change(
        request,
        organisation,
        asking,
        version,
        lambda desk, at, found: organisations.suspend_organisation(desk, at, found, why=wanted.why),
        question=MaySuspendOrganisation,
    )


@router.post("/{organisation}/resumption", response_model=OrganisationShown, responses=CHANGED)
def resume(request: Request, organisation: OrganisationId, asking: Suspending, version: Version) -> Response:
    """Lift a suspension."""
    return change(
        request,
        organisation,
        asking,
        version,
        organisations.resume_organisation,
        question=MaySuspendOrganisation,
    )


@router.post("/{organisation}/closing", response_model=OrganisationShown, responses=CHANGED)
def close(request: Request, organisation: OrganisationId, asking: Managing, version: Version) -> Response:
    """Close the organisation: it opens nothing more, and the retention clocks start."""
    return change(request, organisation, asking, version, organisations.close_organisation)
