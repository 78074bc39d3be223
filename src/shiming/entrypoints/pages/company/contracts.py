"""A contract of an organisation: how many lines, which ones, and the links of their actual users.

GET  /company/contracts/{contract}                 lines and how they stand
POST /company/contracts/{contract}/count           a code for the handler's own phone: so many lines
POST /company/contracts/{contract}/confirmation    the code that the handler read back
POST /company/contracts/{contract}/import          CSV or XLSX (by script); every row that was passed over
POST /company/contracts/{contract}/links           links of users, shown this once; `as=csv`: a file
"""

import csv
from io import StringIO
from typing import Annotated, Any, Literal

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field

from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.home.qr_codes import qr_code
from shiming.entrypoints.pages.rendering import fragment, page, see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.uploads import Upload, UploadForm
from shiming.registrations.api.confirmations import LINK_PATH
from shiming.registrations.api.contract_platform import contract_platform, contract_policy
from shiming.registrations.api.enterprise_lines import IMPORT, ContractId, find
from shiming.registrations.api.line_platform import table_name
from shiming.registrations.api.organisation_platform import desk_of, enterprise_platform
from shiming.registrations.model.confirmation import NotConfirmed
from shiming.registrations.model.enterprise_lines import (
    LINES_CONFIRMED_MAX,
    EnterpriseContract,
    EnterpriseRefused,
    LinkMade,
)
from shiming.registrations.permissions.enterprise_lines import (
    MayManageEnterpriseLines,
    MayReadEnterpriseLines,
)
from shiming.registrations.permissions.terms import MayRecordAcceptance
from shiming.registrations.use_cases import (
    actual_user_links,
    contract_confirmations,
    contract_terms,
    enterprise_lines,
)
from shiming.registrations.use_cases.enterprise_import import import_enterprise_lines
from shiming.registrations.use_cases.terms import find_terms_in_force
from shiming.vocabulary.refusals import Refusal

router = page_router()
_LINES_MAX = 200  # on one page; all of them: the API and the desk
_QR_MAX = 30  # codes drawn on one page: a screen or two; more go by CSV
_CONFLICT, _INVALID = 409, 422
_BASE = "/company/contracts/{contract}"
TABLE = UploadForm(IMPORT.files)
Reading = Annotated[Asking, asked(MayReadEnterpriseLines)]
Managing = Annotated[Asking, asked(MayManageEnterpriseLines, MayReadEnterpriseLines)]
Recording = Annotated[Asking, asked(MayRecordAcceptance, MayReadEnterpriseLines)]


class Count(BaseModel):
    """How many lines in all, present ones included."""

    model_config = ConfigDict(extra="ignore")
    lines: int = Field(ge=1, le=LINES_CONFIRMED_MAX)


class ReadBack(Count):
    """The code that the handler read back, and the count that it was made for."""

    code: str = Field(pattern=r"^[0-9 ]{4,24}$")


class Agreed(BaseModel):
    """The handler agrees to the terms that the page named."""

    version: str = Field(min_length=1, max_length=40)
    agree: Literal["true"]


class LinksWanted(BaseModel):
    """How the links are given out: on the page, or as a file."""

    model_config = ConfigDict(extra="ignore")
    form: Literal["page", "csv"] = "page"


@router.get(_BASE)
def show(request: Request, contract: ContractId, asking: Reading) -> Response:
    """Show the lines of a contract."""
    return _page(request, find(enterprise_platform(request), contract, asking, MayReadEnterpriseLines))


@router.post(_BASE + "/count")
def send_code(
    request: Request, contract: ContractId, asking: Recording, wanted: Annotated[Filled[Count], form(Count)]
) -> Response:
    """Make a code for so many lines, as a QR code for the handler's own phone."""
    found = find(enterprise_platform(request), contract, asking, MayReadEnterpriseLines)
    asking.allow(MayRecordAcceptance(found.operator))
    if wanted.value is None:
        return _page(request, found, wanted=wanted)
    platform, lines = contract_platform(request), wanted.value.lines
    made = transact(
        platform.engine,
        lambda connection: contract_confirmations.issue_contract_code(
            platform.registrations,
            connection,
            found.contract_id,
            lines,
            policy=contract_policy(platform),
            now=platform.clock.now(),
        ),
    )
    if isinstance(made, NotConfirmed):
        return _page(request, found, refusals=made.refusals)
    link = f"{platform.settings.public_url}{LINK_PATH}/{made.link_token}"
    sent = {"link": link, "code": qr_code(link, link), "lines": lines, "expires_at": made.expires_at}
    return _page(request, found, sent=sent)


@router.post(_BASE + "/confirmation")
def confirm(
    request: Request,
    contract: ContractId,
    asking: Recording,
    wanted: Annotated[Filled[ReadBack], form(ReadBack)],
) -> Response:
    """Take the code that the handler read back: the contract has so many lines at most."""
    found = find(enterprise_platform(request), contract, asking, MayReadEnterpriseLines)
    asking.allow(MayRecordAcceptance(found.operator))
    if wanted.value is None:
        return _page(request, found, wanted=wanted)
    platform, said = contract_platform(request), wanted.value
    outcome = transact(
        platform.engine,
        lambda connection: contract_confirmations.confirm_contract_lines(
            platform.registrations,
            connection,
            found.contract_id,
            said.lines,
            "".join(said.code.split()),
            policy=contract_policy(platform),
            now=platform.clock.now(),
        ),
    )
    if isinstance(outcome, NotConfirmed):
        return _page(request, found, refusals=outcome.refusals)
    return see_other(f"/company/contracts/{found.contract_id}")


@router.post(_BASE + "/terms")
def accept_terms(
    request: Request, contract: ContractId, asking: Managing, agreed: Annotated[Filled[Agreed], form(Agreed)]
) -> Response:
    """Take that the handler agrees to the terms in force."""
    platform = enterprise_platform(request)
    found = find(platform, contract, asking, MayManageEnterpriseLines)
    if agreed.value is None:
        return _page(request, found, wanted=agreed)
    desk, version = desk_of(platform), agreed.value.version
    done = transact(
        platform.engine,
        lambda connection: contract_terms.accept_contract_terms(desk, connection, found, version),
    )
    if isinstance(done, EnterpriseRefused):
        return _page(request, found, refusals=done.refusals)
    return see_other(f"/company/contracts/{found.contract_id}")


@router.post(_BASE + "/import")
def import_lines(
    request: Request,
    contract: ContractId,
    asking: Managing,
    upload: Annotated[Upload, TABLE.received()],
) -> Response:
    """Enter the lines of a table; the report names every row that was passed over, and why."""
    platform = enterprise_platform(request)
    found = find(platform, contract, asking, MayManageEnterpriseLines)
    regions = platform.registration_policy.number_regions
    path = upload.file("table")
    with path.open("rb") as stream:
        done = import_enterprise_lines(
            desk_of(platform),
            platform.engine,
            found.contract_id,
            stream=stream,
            name=table_name(path),
            region=regions[0] if len(regions) == 1 else None,
        )
    if isinstance(done, EnterpriseRefused):
        return fragment(request, "company/refusals.html", {"refusals": done.refusals}, status=_CONFLICT)
    facts = {"report": done, "here": f"/company/contracts/{found.contract_id}"}
    return fragment(request, "company/import_report.html", facts)


@router.post(_BASE + "/links")
def make_links(
    request: Request,
    contract: ContractId,
    asking: Managing,
    wanted: Annotated[Filled[LinksWanted], form(LinksWanted)],
) -> Response:
    """Make links for the users of lines that have none; they can be seen this once."""
    platform = enterprise_platform(request)
    found = find(platform, contract, asking, MayManageEnterpriseLines)
    made = transact(
        platform.engine,
        lambda connection: actual_user_links.make_links(desk_of(platform), connection, found),
    )
    if isinstance(made, EnterpriseRefused):
        return _page(request, found, refusals=made.refusals)
    public_url = request.app.state.platform.settings.public_url
    rows = [_link_row(each, public_url) for each in made]
    if wanted.value is not None and wanted.value.form == "csv":
        return _as_csv(rows, found.contract_id)
    for row in rows[:_QR_MAX]:
        row["code"] = qr_code(row["link"], row["link"]) if row["link"] else None
    return _page(request, found, links=rows)


def _link_row(made: LinkMade, public_url: str) -> dict[str, Any]:
    return {
        "number": made.number,
        "user": made.user_reference,
        "link": f"{public_url}/u/{made.token}" if made.token else "",
        "expires_at": made.expires_at,
        "code": None,
    }


def _as_csv(rows: list[dict[str, Any]], contract: str) -> Response:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(("number", "user", "link", "expires_at"))
    writer.writerows(
        (_harmless(row["number"]), _harmless(row["user"]), row["link"], row["expires_at"].isoformat())
        for row in rows
    )
    headers = {
        "content-disposition": f'attachment; filename="links-{contract}.csv"',
        "cache-control": "no-store",
    }
    return Response("\ufeff" + text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _harmless(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; numbers begin with + and stay texts."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text


def _page(
    request: Request,
    found: EnterpriseContract,
    *,
    refusals: tuple[Refusal, ...] = (),
    wanted: Filled[Any] | None = None,
    sent: dict[str, Any] | None = None,
    links: list[dict[str, Any]] | None = None,
) -> Response:
    platform = enterprise_platform(request)
    with reading(platform.engine) as connection:
        current = enterprise_lines.find_contract(connection, found.contract_id) or found
        lines = enterprise_lines.list_lines(connection, found.contract_id, limit=_LINES_MAX)
        due = contract_terms.decide_contract_terms(desk_of(platform), connection, current)
        in_force = find_terms_in_force(connection, current.operator, platform.today()) if due else None
    facts = {
        "terms_due": in_force.terms.version if in_force else None,
        "contract": current,
        "lines": lines,
        "refusals": refusals,
        "sent": sent,
        "links": links,
        "here": f"/company/contracts/{current.contract_id}",
        **(wanted.again() if wanted else {}),
    }
    status = _CONFLICT if refusals else _INVALID if wanted else 200
    answer = page(request, "company/contract.html", facts, status=status)
    if links is not None or sent is not None:
        answer.headers["cache-control"] = "no-store"
    return answer
