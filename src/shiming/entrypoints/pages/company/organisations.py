"""An organisation from its code to its contracts: what it brings, what is missing, who acts for it.

GET  /company                                       and POST: record one by its code
GET  /company/{organisation}                        what is there, what is missing, contracts
POST /company/{organisation}/licence                image (by script)
POST /company/{organisation}/power-of-attorney      image (by script)
POST /company/{organisation}/legal-representative   name, for the vault
POST /company/{organisation}/responsible-person
POST /company/{organisation}/contracts              so many lines
"""

from datetime import UTC, date, datetime, time
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection

from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.rendering import fragment, page, see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.uploads import IMAGE, FilePart, TextPart, Upload, UploadForm
from shiming.privacy.model import EvidenceKind
from shiming.registrations.api.organisation_papers import LICENCE
from shiming.registrations.api.organisation_platform import (
    Change,
    OrganisationId,
    desk_of,
    enterprise_platform,
    find,
    stage,
)
from shiming.registrations.api.organisation_schemas import OrganisationShown
from shiming.registrations.model.enterprise_lines import LINES_CONFIRMED_MAX, EnterpriseRefused
from shiming.registrations.model.organisations import NAME_CHARACTERS_MAX, Organisation
from shiming.registrations.permissions.enterprise_lines import (
    MayManageEnterpriseLines,
    MayReadEnterpriseLines,
)
from shiming.registrations.permissions.organisations import MayManageOrganisation, MayReadOrganisation
from shiming.registrations.use_cases import enterprise_lines, organisation_people, organisations
from shiming.registrations.use_cases.organisations import OrganisationRefused
from shiming.registrations.use_cases.terms import find_terms_in_force
from shiming.vocabulary.errors import ShimingError
from shiming.vocabulary.refusals import Refusal

router = page_router()
_LISTED_MAX = 200  # of one operator on one page; the desk's table filters and sorts
_CONTRACTS_MAX = 20
_CONFLICT, _INVALID = 409, 422
Reading = Annotated[Asking, asked(MayReadOrganisation, MayReadEnterpriseLines)]
Managing = Annotated[Asking, asked(MayManageOrganisation, MayReadOrganisation, MayReadEnterpriseLines)]
Contracting = Annotated[
    Asking,
    asked(MayManageEnterpriseLines, MayManageOrganisation, MayReadOrganisation, MayReadEnterpriseLines),
]
ATTORNEY = UploadForm(
    (FilePart("image", IMAGE),),
    (TextPart("begins", 10, required=True), TextPart("until", 10, required=True)),
)


class NewOrganisation(BaseModel):
    """As the public register has it."""

    model_config = ConfigDict(extra="ignore")
    code: str = Field(max_length=40)
    name: str = Field(max_length=NAME_CHARACTERS_MAX)


class PersonNamed(BaseModel):
    """A name for the vault; it is never shown again."""

    model_config = ConfigDict(extra="ignore")
    name: str = Field(min_length=1, max_length=NAME_CHARACTERS_MAX, repr=False)


class NewContract(BaseModel):
    """How many lines the organisation wants in all."""

    model_config = ConfigDict(extra="ignore")
    lines: int = Field(ge=1, le=LINES_CONFIRMED_MAX)
    agree: bool = False


@router.get("/company")
def list_all(request: Request, asking: Reading) -> Response:
    """List organisations, and offer to record one."""
    return _list(request, asking)


@router.post("/company")
def record(
    request: Request, asking: Managing, wanted: Annotated[Filled[NewOrganisation], form(NewOrganisation)]
) -> Response:
    """Record an organisation; its code is checked as the register forms it."""
    operator = asking.caller.operator or ""
    asking.allow(MayManageOrganisation(operator))
    if wanted.value is None:
        return _list(request, asking, wanted)
    platform, said = enterprise_platform(request), wanted.value
    try:
        file = transact(
            platform.engine,
            lambda connection: organisations.record_organisation(
                desk_of(platform),
                connection,
                operator=operator,
                code=said.code,
                name=said.name,
                read_code=platform.read_organisation_code,
            ),
        )
    except ShimingError as problem:
        return _list(request, asking, wanted, problem=problem)
    return see_other(f"/company/{file.organisation.organisation_id}")


@router.get("/company/{organisation}")
def show(request: Request, organisation: OrganisationId, asking: Reading) -> Response:
    """Show what is there, what is missing, and the contracts."""
    found = find(enterprise_platform(request), organisation, asking, MayReadOrganisation)
    return shown(request, asking, found)


@router.post("/company/{organisation}/licence")
def put_licence(
    request: Request,
    organisation: OrganisationId,
    asking: Managing,
    upload: Annotated[Upload, LICENCE.received()],
) -> Response:
    """Keep the image of the licence."""
    staged = stage(request, organisation, asking, upload, EvidenceKind.DOCUMENT_FRONT)
    return _changed(
        request,
        organisation,
        asking,
        lambda desk, at, found: organisations.record_licence(desk, at, found, staged),
    )


@router.post("/company/{organisation}/power-of-attorney")
def put_attorney(
    request: Request,
    organisation: OrganisationId,
    asking: Managing,
    upload: Annotated[Upload, ATTORNEY.received()],
) -> Response:
    """Keep the power of attorney, and the days that it holds."""
    days = [date.fromisoformat(upload.texts[name]) for name in ("begins", "until")]
    begins, until = (datetime.combine(day, time(), UTC) for day in days)
    staged = stage(request, organisation, asking, upload, EvidenceKind.CONTRACT)
    return _changed(
        request,
        organisation,
        asking,
        lambda desk, at, found: organisations.record_power_of_attorney(
            desk, at, found, staged, begins=begins, until=until
        ),
    )


@router.post("/company/{organisation}/legal-representative")
def put_legal_representative(
    request: Request,
    organisation: OrganisationId,
    asking: Managing,
    wanted: Annotated[Filled[PersonNamed], form(PersonNamed)],
) -> Response:
    """Keep the name of the legal representative in the vault."""
    name = wanted.value.name if wanted.value else ""
    return _changed(
        request,
        organisation,
        asking,
        lambda desk, at, found: organisation_people.record_legal_representative(desk, at, found, name),
    )


@router.post("/company/{organisation}/responsible-person")
def put_responsible_person(
    request: Request,
    organisation: OrganisationId,
    asking: Managing,
    wanted: Annotated[Filled[PersonNamed], form(PersonNamed)],
) -> Response:
    """Keep the name of who answers for the lines; better they are proven (`company.people`)."""
    name = wanted.value.name if wanted.value else ""
    return _changed(
        request,
        organisation,
        asking,
        lambda desk, at, found: organisation_people.record_responsible_person(desk, at, found, name),
    )


@router.post("/company/{organisation}/contracts")
def make_contract(
    request: Request,
    organisation: OrganisationId,
    asking: Contracting,
    wanted: Annotated[Filled[NewContract], form(NewContract)],
) -> Response:
    """Make a contract for so many lines, under the terms in force where the handler agreed to them."""
    platform = enterprise_platform(request)
    found = find(platform, organisation, asking, MayManageOrganisation)
    asking.allow(MayManageEnterpriseLines(found.operator))
    if wanted.value is None:
        return shown(request, asking, found, wanted=wanted)
    desk, said = desk_of(platform), wanted.value

    def work(connection: Connection) -> Any:
        current = find_terms_in_force(connection, found.operator, platform.today()) if said.agree else None
        version = current.terms.version if current else None
        return enterprise_lines.make_contract(
            desk, connection, found, lines=said.lines, terms_version=version
        )

    made = transact(platform.engine, work)
    if isinstance(made, EnterpriseRefused):
        return shown(request, asking, found, refusals=made.refusals)
    return see_other(f"/company/contracts/{made.contract_id}")


def shown(
    request: Request,
    asking: Asking,
    found: Organisation,
    *,
    refusals: tuple[Refusal, ...] = (),
    wanted: Filled[Any] | None = None,
) -> Response:
    """Return the page of an organisation."""
    platform = enterprise_platform(request)
    desk = desk_of(platform)
    with reading(platform.engine) as connection:
        file = organisations.show_organisation(
            connection, found.organisation_id, policy=desk.policy, now=desk.now
        )
        may_see = asking.may(MayReadEnterpriseLines(found.operator))
        contracts = (
            enterprise_lines.list_contracts(connection, found.organisation_id, limit=_CONTRACTS_MAX)
            if may_see
            else ()
        )
    facts = {
        "organisation": OrganisationShown.of(file) if file else None,
        "standing": file.standing if file else None,
        "contracts": contracts,
        "refusals": refusals,
        "rules": desk.policy.enterprise,
        **(wanted.again() if wanted else {}),
    }
    status = _CONFLICT if refusals else _INVALID if wanted else 200
    return page(request, "company/organisation.html", facts, status=status)


def changed(request: Request, found: Organisation, work_on: Change) -> tuple[Refusal, ...]:
    """Change an organisation as it is now; return why not."""
    platform = enterprise_platform(request)
    desk = desk_of(platform)

    def work(connection: Connection) -> Any:
        current = organisations.find_organisation(connection, found.organisation_id, for_update=True)
        return work_on(desk, connection, current or found)

    outcome = transact(platform.engine, work)
    return outcome.refusals if isinstance(outcome, OrganisationRefused) else ()


def _changed(request: Request, organisation: str, asking: Asking, work_on: Change) -> Response:
    """Change an organisation and show it; to a form sent by script say where to go, or why not."""
    found = find(enterprise_platform(request), organisation, asking, MayManageOrganisation)
    refusals = changed(request, found, work_on)
    here = f"/company/{found.organisation_id}"
    if request.headers.get("hx-request") != "true":
        return shown(request, asking, found, refusals=refusals) if refusals else see_other(here)
    if not refusals:
        return Response(status_code=204, headers={"hx-redirect": here})
    return fragment(request, "company/refusals.html", {"refusals": refusals}, status=_CONFLICT)


def _list(
    request: Request,
    asking: Asking,
    wanted: Filled[NewOrganisation] | None = None,
    *,
    problem: ShimingError | None = None,
) -> Response:
    operator = asking.caller.operator
    asking.allow(MayReadOrganisation(operator or ""))
    with reading(enterprise_platform(request).engine) as connection:
        found = organisations.list_organisations(connection, operator, after=None, limit=_LISTED_MAX)
    facts = {"organisations": found, "problem": problem, **(wanted.again() if wanted else {})}
    status = _CONFLICT if problem else _INVALID if wanted else 200
    return page(request, "company/list.html", facts, status=status)
