"""Contracts for industry cards over HTTP: the assessment before, the contract, its end.

POST /v1/iot/papers                            a picture of an assessment, a report, an objection
POST /v1/iot/assessments
POST /v1/iot/contracts
GET  /v1/iot/contracts
GET  /v1/iot/contracts/{contract}
POST /v1/iot/contracts/{contract}/ending       with If-Match
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking
from shiming.infrastructure.http.etags import if_match, require_version
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotent
from shiming.infrastructure.http.page import PageAsked, paged
from shiming.infrastructure.http.problems import problem_responses
from shiming.infrastructure.http.uploads import IMAGE, FilePart, TextPart, Upload, UploadForm
from shiming.privacy.model import EvidenceKind
from shiming.privacy.use_cases.vault import stage_evidence
from shiming.registrations.api.iot_platform import (
    ContractId,
    IotQuestion,
    Key,
    Managing,
    Reading,
    Reporting,
    desk_of,
    find,
    iot_platform,
    known_contract,
    version_of,
)
from shiming.registrations.api.iot_schemas import (
    AssessmentShown,
    Contracts,
    ContractShown,
    NewAssessment,
    NewContract,
    PaperKept,
)
from shiming.registrations.api.line_platform import refused
from shiming.registrations.model.organisations import Organisation
from shiming.registrations.permissions.iot import MayManageIot, MayReadIot, MayReportIot
from shiming.registrations.use_cases import iot_contracts
from shiming.registrations.use_cases.iot_contracts import IotRefused, NewIotContract
from shiming.registrations.use_cases.organisations import find_organisation, paper_of
from shiming.vocabulary.errors import BadInput, Text

router = APIRouter(prefix="/v1/iot", tags=["industry cards"])

_LIST = "iot contracts"
PAPER = UploadForm((FilePart("image", IMAGE),), (TextPart("organisation", 40, required=True),))


@router.post(
    "/papers", status_code=201, response_model=PaperKept, responses=problem_responses(404),
    openapi_extra=PAPER.openapi_extra(),
)  # fmt: skip
def keep_paper(
    request: Request, asking: Reporting, upload: Annotated[Upload, PAPER.received()]
) -> dict[str, str]:
    """Keep a picture of a paper about a company in the vault; the answer is what to refer to."""
    platform = iot_platform(request)
    organisation = _organisation(request, upload.texts["organisation"], asking, MayReportIot)
    desk = desk_of(platform)
    with upload.file("image").open("rb") as source:
        staged = stage_evidence(
            platform.registrations.privacy,
            platform.engine,
            paper_of(organisation, EvidenceKind.CONTRACT),
            source=source,
            retention=platform.registration_policy.retention,
            now=desk.now,
        )
    evidence = transact(
        platform.engine, lambda connection: iot_contracts.keep_paper(desk, connection, staged)
    )
    return {"evidence": evidence}


@router.post(
    "/assessments", status_code=201, response_model=AssessmentShown, responses=problem_responses(404)
)
def record_assessment(request: Request, wanted: NewAssessment, asking: Managing, key: Key) -> Response:
    """Record the security assessment of a company; the caller is the assessor."""
    platform = iot_platform(request)
    organisation = _organisation(request, wanted.organisation, asking)
    desk = desk_of(platform)

    def work(connection: Connection) -> Answer:
        made = iot_contracts.record_assessment(
            desk,
            connection,
            organisation.organisation_id,
            result=wanted.result,
            assessor=asking.caller.reference,
            evidence=wanted.evidence,
            assessed_at=wanted.assessed_at,
        )
        return Answer.of(201, AssessmentShown.of(made))

    wanted_hash = hash_of(request, wanted)
    return idempotent(platform.engine, asking.caller.reference, key, wanted_hash, work, now=desk.now)


@router.post(
    "/contracts", status_code=201, response_model=ContractShown, responses=problem_responses(404, 409)
)
def conclude(request: Request, wanted: NewContract, asking: Managing, key: Key) -> Response:
    """Conclude a contract; refused with IOT_CONTRACT_REFUSED and every reason in `details.reasons`."""
    platform = iot_platform(request)
    organisation = _organisation(request, wanted.organisation, asking)
    desk = desk_of(platform)
    new = NewIotContract(
        organisation=organisation.organisation_id,
        scene=wanted.scene,
        cards_max=wanted.cards,
        terms=wanted.fence.read(),
        channel=wanted.channel,
        resale_clause=wanted.resale_clause,
        sells_devices=wanted.sells_devices,
    )

    def work(connection: Connection) -> Answer:
        contract = iot_contracts.conclude_contract(desk, connection, new)
        if isinstance(contract, IotRefused):
            text = Text(zh="不能签订该行业卡合同。", en="This contract for industry cards is not concluded.")
            raise refused("IOT_CONTRACT_REFUSED", text, contract.refusals)
        body = ContractShown.of(contract)
        location = f"{router.prefix}/contracts/{body.id}"
        return Answer.of(201, body, location=location, etag=version_of(contract))

    wanted_hash = hash_of(request, wanted)
    return idempotent(platform.engine, asking.caller.reference, key, wanted_hash, work, now=desk.now)


@router.get("/contracts", response_model=Contracts)
def list_all(
    request: Request,
    asking: Reading,
    page: Annotated[PageAsked, paged(_LIST)],
    operator: Annotated[str | None, Query(max_length=32, description="Code of the operator.")] = None,
) -> dict[str, Any]:
    """List contracts in the order of their references."""
    wanted = operator or asking.caller.operator
    asking.allow(MayReadIot(wanted or ""))
    after = str(page.after[0]) if page.after else None
    with reading(iot_platform(request).engine) as connection:
        found = iot_contracts.list_contracts(connection, wanted, after=after, limit=page.size + 1)
    return page.listing([ContractShown.of(each) for each in found], key=lambda row: (row.id,))


@router.get("/contracts/{contract}", response_model=ContractShown, responses=problem_responses(404))
def read(request: Request, contract: ContractId, asking: Reading) -> Response:
    """Return a contract."""
    found = find(request, contract, asking, MayReadIot)
    body = ContractShown.of(found).model_dump_json()
    return Response(body, headers={"etag": version_of(found)}, media_type="application/json")


@router.post(
    "/contracts/{contract}/ending", response_model=ContractShown, responses=problem_responses(404, 412, 428)
)
def end(
    request: Request, contract: ContractId, asking: Managing, version: Annotated[str, if_match()]
) -> Response:
    """End a contract: nothing more is sold under it, its lines go on."""
    platform = iot_platform(request)
    desk = desk_of(platform)

    def work(connection: Connection) -> Response:
        found = known_contract(connection, contract, asking, MayManageIot, for_update=True)
        require_version(version, version_of(found))
        ended = iot_contracts.end_contract(desk, connection, found)
        body = ContractShown.of(ended).model_dump_json()
        return Response(body, headers={"etag": version_of(ended)}, media_type="application/json")

    return transact(platform.engine, work)


def _organisation(
    request: Request, reference: str, asking: Asking, question: IotQuestion = MayManageIot
) -> Organisation:
    """Return an organisation that the caller may serve."""
    asking.allow(question(asking.caller.operator or ""))
    with reading(iot_platform(request).engine) as connection:
        found = find_organisation(connection, reference.strip().upper())
    if found is None or not asking.may(question(found.operator)):
        raise BadInput(
            "ORGANISATION_UNKNOWN",
            Text(zh="没有这个单位。", en="There is no such organisation."),
            Text(zh="请核对编号。", en="Compare the reference."),
        )
    return found
