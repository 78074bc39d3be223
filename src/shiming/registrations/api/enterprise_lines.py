"""Lines of organisations over HTTP: contracts, imports, links for actual users, exits and returns.

POST /v1/enterprise-contracts                          so many lines, once the handler confirmed them
GET  /v1/enterprise-contracts/{contract}
POST /v1/enterprise-contracts/{contract}/terms         the handler agreed to those in force
POST /v1/enterprise-contracts/{contract}/imports       CSV or XLSX, multipart; the same file changes nothing
GET  /v1/enterprise-contracts/{contract}/lines
POST /v1/enterprise-contracts/{contract}/cards         which card goes with a line
POST /v1/enterprise-contracts/{contract}/links         tokens are shown this once
POST /v1/enterprise-contracts/{contract}/actual-users  in a shop: the session of the user of one line
POST /v1/enterprise-contracts/{contract}/exits         the user of a line has left
POST /v1/enterprise-contracts/{contract}/returns       a line is given back
POST /v1/enterprise-contracts/{contract}/uses          who used a line; POST keeps the number out of URLs
"""

import re
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotency_key, idempotent
from shiming.infrastructure.http.page import PageAsked, paged
from shiming.infrastructure.http.problems import Refusal as Refused
from shiming.infrastructure.http.problems import problem_responses
from shiming.infrastructure.http.uploads import MIB, FileKind, FilePart, TextPart, Upload, UploadForm
from shiming.registrations.api.enterprise_schemas import (
    ActualUserShown,
    CardNamed,
    ContractShown,
    EnterpriseLines,
    EnterpriseLineShown,
    ImportShown,
    LineUses,
    LineUseShown,
    LinkGiven,
    LinksGiven,
    NewContract,
    NumberNamed,
    NumbersNamed,
    TermsNamed,
    UserNamed,
)
from shiming.registrations.api.organisation_platform import (
    EnterprisePlatform,
    desk_of,
    enterprise_platform,
)
from shiming.registrations.api.organisation_platform import unknown as organisation_unknown
from shiming.registrations.model.enterprise_lines import (
    EnterpriseContract,
    EnterpriseLineState,
    EnterpriseRefused,
)
from shiming.registrations.model.organisations import read_organisation_reference
from shiming.registrations.permissions.enterprise_lines import (
    MayManageEnterpriseLines,
    MayReadEnterpriseLines,
)
from shiming.registrations.use_cases import actual_user_links, actual_users, contract_terms, enterprise_lines
from shiming.registrations.use_cases.enterprise_import import contract_unknown, import_enterprise_lines
from shiming.registrations.use_cases.organisations import Desk, find_organisation
from shiming.vocabulary.errors import Text
from shiming.vocabulary.sim_identifiers import Iccid

router = APIRouter(prefix="/v1/enterprise-contracts", tags=["enterprise lines"])

_LIST = "enterprise lines"
TABLE = FileKind(
    "table",
    frozenset(
        {
            "text/csv",
            "text/plain",
            "application/vnd.ms-excel",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    ),
    re.compile(rb"(?s)[^\x00]"),  # a heading in some language, or a ZIP; the reader says what it is not
    64 * MIB,  # a million rows, as `bulk_rows` allows
)
IMPORT = UploadForm(
    (FilePart("table", TABLE),),
    (TextPart("format", 8, {"type": "string", "enum": ["csv", "xlsx"], "default": "csv"}),),
)
ContractId = Annotated[
    str, Path(description="Reference of the contract.", max_length=40, examples=["ENT-0082-0C20-A1G7-D"])
]
Managing = Annotated[Asking, asked(MayManageEnterpriseLines)]
Reading = Annotated[Asking, asked(MayReadEnterpriseLines)]
Key = Annotated[str | None, idempotency_key()]
_GONE_ON = problem_responses(404, 409)
#: A verb on one contract: what it answers, or why not.
Verb = Callable[[Desk, Connection, EnterpriseContract], BaseModel | EnterpriseRefused]


@router.post("", status_code=201, response_model=ContractShown, responses=_GONE_ON)
def make_contract(request: Request, wanted: NewContract, asking: Managing, key: Key) -> Response:
    """Make a contract for so many lines; where the pack says so, its handler confirms them first."""
    asking.allow(MayManageEnterpriseLines(asking.caller.operator or ""))
    platform = enterprise_platform(request)
    desk = desk_of(platform)
    reference = read_organisation_reference(wanted.organisation)
    with reading(platform.engine) as connection:
        organisation = find_organisation(connection, reference)
    if organisation is None or not asking.may(MayManageEnterpriseLines(organisation.operator)):
        raise organisation_unknown()

    def work(connection: Connection) -> Answer:
        made = enterprise_lines.make_contract(
            desk,
            connection,
            organisation,
            lines=wanted.lines,
            terms_version=wanted.terms,
            language=wanted.language,
        )
        if isinstance(made, EnterpriseRefused):
            raise refused(made)
        return Answer.of(201, ContractShown.of(made), location=f"{router.prefix}/{made.contract_id}")

    wanted_hash = hash_of(request, wanted)
    return idempotent(platform.engine, asking.caller.reference, key, wanted_hash, work, now=desk.now)


@router.get("/{contract}", responses=problem_responses(404))
def read(request: Request, contract: ContractId, asking: Reading) -> ContractShown:
    """Return a contract and how many of its lines are entered."""
    return ContractShown.of(find(enterprise_platform(request), contract, asking, MayReadEnterpriseLines))


@router.post("/{contract}/terms", response_model=ContractShown, responses=_GONE_ON)
def accept_terms(request: Request, contract: ContractId, wanted: TermsNamed, asking: Managing) -> Response:
    """Record that the handler agreed to the terms in force, for the lines that follow."""

    def verb(desk: Desk, connection: Connection, found: EnterpriseContract) -> BaseModel | EnterpriseRefused:
        done = contract_terms.accept_contract_terms(
            desk, connection, found, wanted.version, language=wanted.language
        )
        return done if isinstance(done, EnterpriseRefused) else ContractShown.of(done)

    return _done(request, contract, asking, verb)


@router.post(
    "/{contract}/imports", status_code=201, response_model=ImportShown, responses=_GONE_ON,
    openapi_extra=IMPORT.openapi_extra(),
)  # fmt: skip
def import_lines(
    request: Request,
    contract: ContractId,
    asking: Managing,
    upload: Annotated[Upload, IMPORT.received()],
) -> dict[str, Any]:
    """Enter the lines of a table: good rows go in, bad ones are reported; the same file changes nothing."""
    platform = enterprise_platform(request)
    found = find(platform, contract, asking, MayManageEnterpriseLines)
    name = f"table.{upload.texts.get('format', 'csv')}"
    with upload.file("table").open("rb") as stream:
        done = import_enterprise_lines(
            desk_of(platform),
            platform.engine,
            found.contract_id,
            stream=stream,
            name=name,
            region=_region(platform),
        )
    if isinstance(done, EnterpriseRefused):
        raise refused(done)
    return done.to_json()


@router.get("/{contract}/lines", response_model=EnterpriseLines, responses=problem_responses(404))
def list_lines(
    request: Request,
    contract: ContractId,
    asking: Reading,
    page: Annotated[PageAsked, paged(_LIST)],
    state: Annotated[EnterpriseLineState | None, Query()] = None,
) -> dict[str, Any]:
    """List lines of a contract in the order of their numbers."""
    platform = enterprise_platform(request)
    found = find(platform, contract, asking, MayReadEnterpriseLines)
    after = str(page.after[0]) if page.after else None
    with reading(platform.engine) as connection:
        lines = enterprise_lines.list_lines(
            connection, found.contract_id, state=state, after=after, limit=page.size + 1
        )
    return page.listing([EnterpriseLineShown.of(line) for line in lines], key=lambda row: (row.number,))


@router.post("/{contract}/links", status_code=201, response_model=LinksGiven, responses=_GONE_ON)
def make_links(request: Request, contract: ContractId, wanted: NumbersNamed, asking: Managing) -> Response:
    """Make links for actual users; each takes the place of the former one, so no Idempotency-Key keeps it."""

    def verb(desk: Desk, connection: Connection, found: EnterpriseContract) -> BaseModel | EnterpriseRefused:
        made = actual_user_links.make_links(desk, connection, found, wanted.numbers)
        if isinstance(made, EnterpriseRefused):
            return made
        return LinksGiven(links=[LinkGiven.of(each) for each in made])

    return _done(request, contract, asking, verb, status=201)


@router.post("/{contract}/actual-users", status_code=201, response_model=ActualUserShown, responses=_GONE_ON)
def record_actual_user(
    request: Request, contract: ContractId, wanted: UserNamed, asking: Managing
) -> Response:
    """Take the person of a verified session as user of a line; the first user's proof registers the line."""
    registration = enterprise_platform(request).registration_policy

    def verb(desk: Desk, connection: Connection, found: EnterpriseContract) -> BaseModel | EnterpriseRefused:
        done = actual_users.record_actual_user(
            desk, connection, found, wanted.number, wanted.session, registration=registration
        )
        if isinstance(done, EnterpriseRefused):
            return done
        return ActualUserShown(line=done.line_id, position=done.position)

    return _done(request, contract, asking, verb, status=201)


@router.post("/{contract}/cards", response_model=EnterpriseLineShown, responses=_GONE_ON)
def name_card(request: Request, contract: ContractId, wanted: CardNamed, asking: Managing) -> Response:
    """Say which card goes with a line that awaits its first user."""
    card = Iccid.parse(wanted.iccid)

    def verb(desk: Desk, connection: Connection, found: EnterpriseContract) -> BaseModel | EnterpriseRefused:
        done = enterprise_lines.name_card(desk, connection, found, wanted.number, card)
        return done if isinstance(done, EnterpriseRefused) else EnterpriseLineShown.of(done)

    return _done(request, contract, asking, verb)


@router.post("/{contract}/exits", response_model=EnterpriseLineShown, responses=_GONE_ON)
def record_exit(request: Request, contract: ContractId, wanted: NumberNamed, asking: Managing) -> Response:
    """Record that the user of a line has left; the clock for the next one runs."""

    def verb(desk: Desk, connection: Connection, found: EnterpriseContract) -> BaseModel | EnterpriseRefused:
        done = enterprise_lines.record_exit(desk, connection, found, wanted.number)
        return done if isinstance(done, EnterpriseRefused) else EnterpriseLineShown.of(done)

    return _done(request, contract, asking, verb)


@router.post("/{contract}/returns", response_model=EnterpriseLineShown, responses=_GONE_ON)
def return_line(request: Request, contract: ContractId, wanted: NumberNamed, asking: Managing) -> Response:
    """Give a line back: a registered one ends, a number that was only kept is free."""
    registration = enterprise_platform(request).registration_policy

    def verb(desk: Desk, connection: Connection, found: EnterpriseContract) -> BaseModel | EnterpriseRefused:
        done = enterprise_lines.return_line(desk, connection, found, wanted.number, registration=registration)
        return done if isinstance(done, EnterpriseRefused) else EnterpriseLineShown.of(done)

    return _done(request, contract, asking, verb)


@router.post("/{contract}/uses", responses=problem_responses(404))
def list_uses(request: Request, contract: ContractId, wanted: NumberNamed, asking: Reading) -> LineUses:
    """Return who used a line from when to when; a POST, so that the number stands in no URL."""
    platform = enterprise_platform(request)
    found = find(platform, contract, asking, MayReadEnterpriseLines)
    with reading(platform.engine) as connection:
        uses = enterprise_lines.list_uses(connection, found.contract_id, wanted.number)
    return LineUses(uses=[LineUseShown.of(use) for use in uses])


def find(
    platform: EnterprisePlatform,
    contract: str,
    asking: Asking,
    question: type[MayReadEnterpriseLines | MayManageEnterpriseLines],
) -> EnterpriseContract:
    """Return a contract that the caller may know of."""
    asking.allow(question(asking.caller.operator or ""))
    with reading(platform.engine) as connection:
        found = enterprise_lines.find_contract(connection, contract.upper())
    if found is None or not asking.may(question(found.operator)):
        raise contract_unknown()
    return found


def refused(outcome: EnterpriseRefused) -> Refused:
    """Return the problem for what was refused."""
    return Refused(
        "ENTERPRISE_REFUSED",
        Text(zh="不能为该单位办理。", en="This cannot be done for the organisation."),
        Text(zh="请按 details.reasons 逐项处理。", en="Follow each of details.reasons."),
        {"reasons": [refusal.to_json() for refusal in outcome.refusals]},
    )


def _done(request: Request, contract: str, asking: Asking, verb: Verb, *, status: int = 200) -> Response:
    """Run a verb on a contract of the caller; what it wrote stays when it refuses (an order, for example)."""
    platform = enterprise_platform(request)
    found = find(platform, contract, asking, MayManageEnterpriseLines)
    desk = desk_of(platform)
    outcome = transact(platform.engine, lambda connection: verb(desk, connection, found))
    if isinstance(outcome, EnterpriseRefused):
        raise refused(outcome)
    return Response(outcome.model_dump_json(), status, media_type="application/json")


def _region(platform: EnterprisePlatform) -> str | None:
    regions = platform.registration_policy.number_regions
    return regions[0] if len(regions) == 1 else None
