"""Companies: how each stands and what is missing; suspend one, or let it go on."""

from typing import Annotated, Literal

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy.engine import Connection

from shiming.entrypoints.pages.counter.outcome import refusals_shown
from shiming.entrypoints.pages.desk.desk_page import Refused, Shown, desk_page, table_page, tried
from shiming.entrypoints.pages.desk.tables import Choice, Column, Table, gather
from shiming.entrypoints.pages.desk.words import options, word
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.rendering import see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.etags import etag, require_version
from shiming.registrations.api.organisation_platform import (
    Change,
    OrganisationId,
    desk_of,
    enterprise_platform,
    find,
)
from shiming.registrations.model.organisations import Organisation, OrganisationState
from shiming.registrations.permissions.organisations import MayReadOrganisation, MaySuspendOrganisation
from shiming.registrations.use_cases import organisations
from shiming.registrations.use_cases.organisations import OrganisationFile, OrganisationRefused
from shiming.vocabulary.errors import Text

router = page_router()
Reading = Annotated[Asking, asked(MayReadOrganisation)]
Suspending = Annotated[Asking, asked(MaySuspendOrganisation)]

#: Why a company is suspended, as the code that is kept.
REASONS = {
    "resale_report": Text(zh="有转售举报", en="Cards were reported as resold"),
    "regulator_order": Text(zh="监管部门要求", en="Order of the regulator"),
    "licence_in_doubt": Text(zh="证照存疑", en="Its licence is in doubt"),
    "fraud_suspected": Text(zh="涉嫌诈骗", en="Fraud is suspected"),
}
_TONES = {
    OrganisationState.DRAFT: "waiting",
    OrganisationState.COMPLETE: "good",
    OrganisationState.SUSPENDED: "bad",
}


class SuspensionForm(BaseModel):
    """Why, at which version, and that it is meant."""

    model_config = ConfigDict(extra="ignore")
    why: Literal["resale_report", "regulator_order", "licence_in_doubt", "fraud_suspected"]
    version: str
    sure: bool


class ResumptionForm(BaseModel):
    """At which version it goes on."""

    model_config = ConfigDict(extra="ignore")
    version: str


def _missing(file: OrganisationFile) -> Text | None:
    reasons = [refusal.words.clerk for refusal in file.standing.refusals]
    if not reasons:
        return None
    return Text(zh="".join(each.zh for each in reasons), en=" ".join(each.en for each in reasons))


TABLE: Table[OrganisationFile] = Table(
    "companies",
    Text(zh="单位客户", en="Companies"),
    (
        Column(
            "name",
            Text(zh="名称", en="Name"),
            lambda file: file.organisation.name,
            href=lambda file: f"/desk/companies/{file.organisation.organisation_id}",
        ),
        Column("code", Text(zh="登记代码", en="Code"), lambda file: file.organisation.code, look="code"),
        Column(
            "state",
            Text(zh="状态", en="State"),
            lambda file: word(file.standing.state),
            look="state",
            tone=lambda file: _TONES.get(file.standing.state, ""),
        ),
        Column("missing", Text(zh="缺少或受阻", en="What is missing or in the way"), _missing),
        Column("operator", Text(zh="运营企业", en="Operator"), lambda file: file.organisation.operator),
        Column("created", Text(zh="登记时间", en="Recorded"), lambda file: file.organisation.created_at),
    ),
    filters=(
        Choice(
            "state",
            Text(zh="状态", en="State"),
            options(OrganisationState),
            lambda file: file.standing.state.value,
        ),
    ),
    search=Text(zh="名称、代码", en="Name or code"),
    order="name",
)


@router.get("/desk/companies")
def list_companies(request: Request, asking: Reading) -> Response:
    """List companies, with what is missing of each."""
    operator = asking.caller.operator
    asking.allow(MayReadOrganisation(operator or ""))
    platform = enterprise_platform(request)
    desk = desk_of(platform)

    def fetch(after: str | None, limit: int) -> list[OrganisationFile]:
        with reading(platform.engine) as connection:
            found = organisations.list_organisations(connection, operator, after=after, limit=limit)
        return [organisations.show_standing(desk, each) for each in found]

    rows = gather(fetch, lambda file: file.organisation.organisation_id)
    return table_page(request, asking, "desk/companies.html", Shown(TABLE, rows))


@router.get("/desk/companies/{organisation}")
def show_company(request: Request, organisation: OrganisationId, asking: Reading) -> Response:
    """Show how a company stands."""
    found = find(enterprise_platform(request), organisation, asking, MayReadOrganisation)
    return _shown(request, asking, found)


@router.post("/desk/companies/{organisation}/suspension")
def suspend(
    request: Request,
    organisation: OrganisationId,
    asking: Suspending,
    wanted: Annotated[Filled[SuspensionForm], form(SuspensionForm)],
) -> Response:
    """Let a company open no more lines; its lines go on."""
    found = find(enterprise_platform(request), organisation, asking, MaySuspendOrganisation)
    if wanted.value is None:
        return _shown(request, asking, found, wanted=wanted)
    why = wanted.value.why
    refused = _changed(
        request,
        found,
        wanted.value.version,
        lambda desk, at, held: organisations.suspend_organisation(desk, at, held, why=why),
    )
    if refused:
        return _shown(request, asking, found, refused=refused)
    return see_other(f"/desk/companies/{found.organisation_id}", said="suspended")


@router.post("/desk/companies/{organisation}/resumption")
def resume(
    request: Request,
    organisation: OrganisationId,
    asking: Suspending,
    wanted: Annotated[Filled[ResumptionForm], form(ResumptionForm)],
) -> Response:
    """Lift a suspension."""
    found = find(enterprise_platform(request), organisation, asking, MaySuspendOrganisation)
    version = wanted.value.version if wanted.value else ""
    if refused := _changed(request, found, version, organisations.resume_organisation):
        return _shown(request, asking, found, refused=refused)
    return see_other(f"/desk/companies/{found.organisation_id}", said="resumed")


def _changed(request: Request, found: Organisation, version: str, work_on: Change) -> Refused | None:
    platform = enterprise_platform(request)
    desk = desk_of(platform)

    def work(connection: Connection) -> OrganisationFile | OrganisationRefused:
        held = organisations.find_organisation(connection, found.organisation_id, for_update=True) or found
        require_version(etag(version), etag(held.version))
        return work_on(desk, connection, held)

    return tried(lambda: transact(platform.engine, work))


def _shown(
    request: Request,
    asking: Asking,
    found: Organisation,
    *,
    refused: Refused | None = None,
    wanted: Filled[SuspensionForm] | None = None,
) -> Response:
    desk = desk_of(enterprise_platform(request))
    file = organisations.show_standing(desk, found)
    facts = {
        "company": file.organisation,
        "missing": refusals_shown(file.standing.refusals, desk.policy),
        "standing": file.standing,
        "state": word(file.standing.state),
        "tone": _TONES.get(file.standing.state, ""),
        "why": REASONS.get(
            found.suspended_why or "", Text(zh=found.suspended_why or "", en=found.suspended_why or "")
        ),
        "reasons": REASONS,
        "may_suspend": asking.gatekeeper.allow(asking.caller, MaySuspendOrganisation(found.operator)),
        "refused": refused,
        **(wanted.again() if wanted else {}),
    }
    status = 422 if wanted else 409 if refused else 200
    return desk_page(request, asking, "desk/company.html", facts, status=status)
