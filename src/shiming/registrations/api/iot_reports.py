"""Reports about industry cards over HTTP: end users, stock, reconciliation, resale.

POST /v1/iot/contracts/{contract}/end-users         devices and who bought them; one outcome for each
POST /v1/iot/contracts/{contract}/end-users/table   the same from a CSV or XLSX
POST /v1/iot/contracts/{contract}/stock-statements
GET  /v1/iot/contracts/{contract}/reconciliation
GET  /v1/iot/reconciliation?operator=
POST /v1/iot/resale-reports
GET  /v1/iot/resale-reports/{case}
POST /v1/iot/resale-reports/{case}/upholding        and /dismissal, with If-Match; /appeal
"""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.etags import if_match, require_version
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotent
from shiming.infrastructure.http.problems import problem_responses
from shiming.registrations.api.iot_cards import Table
from shiming.registrations.api.iot_platform import (
    ContractId,
    IotQuestion,
    Key,
    Reading,
    Reporting,
    desk_of,
    find,
    iot_platform,
    version_of,
)
from shiming.registrations.api.iot_report_schemas import (
    ContractReconciledShown,
    DeviceOutcome,
    DeviceOutcomes,
    DevicesSold,
    NewResaleReport,
    ReconciledShown,
    ResaleAppeal,
    ResaleShown,
    StockStated,
)
from shiming.registrations.api.line_platform import TABLE_FORM, rules_of, table_name
from shiming.registrations.api.number_schemas import ImportShown
from shiming.registrations.errors.iot import EndUserRefusal, resale_case_unknown
from shiming.registrations.model.iot_reports import ResaleCase, StockStatement
from shiming.registrations.permissions.iot import MayDecideResale, MayReadIot, MayReportIot
from shiming.registrations.use_cases import iot_reconciling, iot_reports, iot_resale
from shiming.registrations.use_cases.iot_reports import SoldDevice
from shiming.registrations.use_cases.organisations import Desk
from shiming.vocabulary.sim_identifiers import Iccid

router = APIRouter(prefix="/v1/iot", tags=["industry cards"])

CaseId = Annotated[
    str, Path(description="Reference of the case.", max_length=40, examples=["RSE-0082-0C20-A1G7-D"])
]
Deciding = Annotated[Asking, asked(MayDecideResale)]
Version = Annotated[str, if_match()]
_CHANGED = problem_responses(404, 409, 412, 428)


@router.post("/contracts/{contract}/end-users", responses=problem_responses(404))
def report_end_users(
    request: Request, contract: ContractId, wanted: DevicesSold, asking: Reporting
) -> DeviceOutcomes:
    """Report who bought devices with cards in them: `new`, `known`, or a code that says why not."""
    platform = iot_platform(request)
    found = find(request, contract, asking, MayReportIot)
    sold = [SoldDevice.parse(each.device_serial, each.iccid, each.buyer) for each in wanted.devices]
    desk = desk_of(platform)
    outcomes = transact(
        platform.engine,
        lambda connection: iot_reports.report_end_users(desk, connection, found.contract_id, sold),
    )
    pairs = zip(sold, outcomes, strict=True)
    return DeviceOutcomes(devices=[_outcome(each.device_serial, outcome) for each, outcome in pairs])


@router.post(
    "/contracts/{contract}/end-users/table", response_model=ImportShown, responses=problem_responses(404),
    openapi_extra=TABLE_FORM.openapi_extra(),
)  # fmt: skip
def report_table(request: Request, contract: ContractId, asking: Reporting, upload: Table) -> dict[str, Any]:
    """Report the end users of a table: device_serial, iccid, buyer; the same one again changes nothing."""
    platform = iot_platform(request)
    found = find(request, contract, asking, MayReportIot)
    path = upload.file("table")
    with path.open("rb") as stream:
        report = iot_reports.report_table(
            desk_of(platform), platform.engine, found.contract_id, stream=stream, name=table_name(path)
        )
    return report.to_json()


@router.post(
    "/contracts/{contract}/stock-statements",
    response_model=ContractReconciledShown,
    responses=problem_responses(404),
)
def state_stock(
    request: Request, contract: ContractId, wanted: StockStated, asking: Reporting
) -> dict[str, Any]:
    """Declare what a maker sold and has in stock; the answer says at once what does not agree."""
    platform = iot_platform(request)
    found = find(request, contract, asking, MayReportIot)
    statement = StockStatement(found.contract_id, wanted.on, wanted.sold, wanted.stock)
    desk = desk_of(platform)
    outcome = transact(
        platform.engine, lambda connection: iot_reconciling.state_stock(desk, connection, statement)
    )
    return outcome.to_json()


@router.get(
    "/contracts/{contract}/reconciliation",
    response_model=ContractReconciledShown,
    responses=problem_responses(404),
)
def reconcile_contract(request: Request, contract: ContractId, asking: Reading) -> dict[str, Any]:
    """Compare the cards of a contract: delivered, sold, returned, registered, awaited."""
    found = find(request, contract, asking, MayReadIot)
    policy = rules_of(iot_platform(request))
    with reading(iot_platform(request).engine) as connection:
        return iot_reconciling.reconcile_contract(connection, found.contract_id, policy).to_json()


@router.get("/reconciliation", response_model=ReconciledShown)
def reconcile(
    request: Request,
    asking: Reading,
    operator: Annotated[str | None, Query(max_length=32, description="Code of the operator.")] = None,
) -> dict[str, Any]:
    """Compare all cards of an operator, and list what does not agree."""
    wanted = operator or asking.caller.operator or ""
    asking.allow(MayReadIot(wanted))
    platform = iot_platform(request)
    with reading(platform.engine) as connection:
        return iot_reconciling.reconcile(connection, wanted, rules_of(platform)).to_json()


@router.post("/resale-reports", status_code=201, response_model=ResaleShown, responses=problem_responses(404))
def report_resale(request: Request, wanted: NewResaleReport, asking: Reporting, key: Key) -> Response:
    """Report that cards were resold: contract and company are suspended while the case is open."""
    platform = iot_platform(request)
    found = find(request, wanted.contract, asking, MayReportIot)
    desk = desk_of(platform)
    iccid = Iccid.parse(wanted.iccid) if wanted.iccid else None

    def work(connection: Connection) -> Answer:
        case = iot_resale.report_resale(
            desk, connection, found.contract_id, evidence=wanted.evidence, iccid=iccid
        )
        location = f"{router.prefix}/resale-reports/{case.case_id}"
        return Answer.of(201, ResaleShown.of(case), location=location, etag=version_of(case))

    wanted_hash = hash_of(request, wanted)
    return idempotent(platform.engine, asking.caller.reference, key, wanted_hash, work, now=desk.now)


@router.get("/resale-reports/{case}", response_model=ResaleShown, responses=problem_responses(404))
def show_case(request: Request, case: CaseId, asking: Reading) -> Response:
    """Return a case with what the company is told: reason, remedy, materials."""
    with reading(iot_platform(request).engine) as connection:
        return _shown(_known(connection, case, asking, MayReadIot))


@router.post("/resale-reports/{case}/upholding", response_model=ResaleShown, responses=_CHANGED)
def uphold(request: Request, case: CaseId, asking: Deciding, version: Version) -> Response:
    """Find that cards were resold: the seller is jointly liable, the lines of the contract are stopped."""
    by = asking.caller.reference
    return _decide(
        request,
        case,
        asking,
        MayDecideResale,
        version,
        lambda desk, connection, found: iot_resale.uphold_resale(desk, connection, found, by=by),
    )


@router.post("/resale-reports/{case}/dismissal", response_model=ResaleShown, responses=_CHANGED)
def dismiss(request: Request, case: CaseId, asking: Deciding, version: Version) -> Response:
    """Find that nothing was resold: contract, company and lines are restored."""
    by = asking.caller.reference
    return _decide(
        request,
        case,
        asking,
        MayDecideResale,
        version,
        lambda desk, connection, found: iot_resale.dismiss_resale(desk, connection, found, by=by),
    )


@router.post("/resale-reports/{case}/appeal", response_model=ResaleShown, responses=_CHANGED)
def appeal(
    request: Request, case: CaseId, wanted: ResaleAppeal, asking: Reporting, version: Version
) -> Response:
    """Take the company's objection to a decision; then it is decided again."""
    return _decide(
        request,
        case,
        asking,
        MayReportIot,
        version,
        lambda desk, connection, found: iot_resale.appeal_resale(
            desk, connection, found, appeal=wanted.appeal
        ),
    )


def _decide(  # noqa: PLR0917 - each is a part of the same request
    request: Request,
    case: str,
    asking: Asking,
    question: IotQuestion,
    version: str,
    change: Callable[[Desk, Connection, ResaleCase], ResaleCase],
) -> Response:
    platform = iot_platform(request)
    desk = desk_of(platform)

    def work(connection: Connection) -> Response:
        found = _known(connection, case, asking, question, for_update=True)
        require_version(version, version_of(found))
        return _shown(change(desk, connection, found))

    return transact(platform.engine, work)


def _known(
    connection: Connection, case: str, asking: Asking, question: IotQuestion, *, for_update: bool = False
) -> ResaleCase:
    asking.allow(question(asking.caller.operator or ""))
    found = iot_resale.find_case(connection, case, for_update=for_update)
    if found is None or not asking.may(question(found.operator)):
        raise resale_case_unknown()
    return found


def _shown(case: ResaleCase) -> Response:
    body = ResaleShown.of(case).model_dump_json()
    return Response(body, headers={"etag": version_of(case)}, media_type="application/json")


def _outcome(serial: str, outcome: bool | EndUserRefusal) -> DeviceOutcome:
    if isinstance(outcome, EndUserRefusal):
        text = outcome.words.clerk.to_json()
        return DeviceOutcome(device_serial=serial, outcome=outcome.value, text=text)
    return DeviceOutcome(device_serial=serial, outcome="new" if outcome else "known")
