"""Cases of private transfers, over HTTP; steps need If-Match.

POST /v1/transfers/cases                         a report; double reports of a line join one case
GET  /v1/transfers/cases
GET  /v1/transfers/cases/{case}
POST /v1/transfers/cases/{case}/assessment
POST /v1/transfers/cases/{case}/sanction         stops the line, bars its holder from transfers, tells them
POST /v1/transfers/cases/{case}/dismissal
POST /v1/transfers/cases/{case}/appeal
POST /v1/transfers/cases/{case}/appeal-decision  upheld: everything is lifted at once
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.etags import etag, if_match, require_version
from shiming.infrastructure.http.idempotent import Answer, idempotency_key
from shiming.infrastructure.http.page import Listing, PageAsked, paged
from shiming.infrastructure.http.problems import problem_responses
from shiming.transfers.api.transfer_platform import (
    LineReference,
    PlainReference,
    TransferPlatform,
    done,
    done_once,
    line_of,
    platform_of,
    rules_of,
)
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.model.private_transfer import CaseState, PrivateTransferKind, Reported, TransferCase
from shiming.transfers.permissions.transfers import MayDecideTransfer, MayReadTransfer, MayTransfer
from shiming.transfers.use_cases import private_transfers as cases
from shiming.vocabulary.errors import BadInput, Text

router = APIRouter(prefix="/v1/transfers", tags=["transfers"])

Deciding = Annotated[Asking, asked(MayDecideTransfer)]
Reading = Annotated[Asking, asked(MayReadTransfer)]
CaseId = Annotated[str, Path(max_length=40, description="Reference of the case.")]
Version = Annotated[str, if_match()]
_LIST = "transfer-cases"
_STEPS = problem_responses(404, 409, 412, 428)
Question = type[MayDecideTransfer | MayReadTransfer | MayTransfer]
Step = Callable[[TransferPlatform, Connection, TransferCase], TransferCase | TransferRefused]


class NewReport(BaseModel):
    """Which line, and what its holder is said to have done. `reporter`: a reference, if not the caller."""

    model_config = ConfigDict(extra="forbid")
    line: LineReference
    kind: PrivateTransferKind
    reporter: PlainReference | None = None


class Assessment(BaseModel):
    """What was found, as a code, and what was looked at."""

    model_config = ConfigDict(extra="forbid")
    finding: Annotated[str, Field(pattern=r"^[a-z][a-z_]{2,59}$", examples=["used_by_others"])]
    evidence: PlainReference | None = None


class AppealDecision(BaseModel):
    """Whether the appeal is upheld."""

    model_config = ConfigDict(extra="forbid")
    upheld: bool


class CaseShown(BaseModel):
    """A case; the holder is a pseudonym."""

    id: str
    line: str
    operator: str
    holder: str
    kind: PrivateTransferKind
    state: CaseState
    version: int
    reports: int
    opened_at: datetime
    finding: str | None
    evidence: str | None
    stop: str | None
    citation: str | None
    decided_at: datetime | None


class Cases(Listing):
    """A page of cases."""

    items: list[CaseShown]


@router.post("/cases", status_code=201, response_model=CaseShown, responses=problem_responses(404, 409))
def report(
    request: Request,
    wanted: NewReport,
    asking: Annotated[Asking, asked(MayTransfer)],
    key: Annotated[str | None, idempotency_key()],
) -> Response:
    """Report that a line was sold, rented out, lent or resold; double reports join one case."""
    line, platform = line_of(request, asking, wanted.line, MayTransfer), platform_of(request)

    def work(connection: Connection) -> Reported | TransferRefused:
        return cases.report_private_transfer(
            platform.transfers,
            connection,
            wanted.line,
            wanted.kind,
            reporter=wanted.reporter or asking.caller.reference,
            policy=rules_of(platform),
            now=platform.clock.now(),
        )

    return done_once(
        request,
        asking,
        key,
        wanted,
        work=work,
        shown=lambda reported: _shown(reported.case),
        entry="private_transfer",
        subject=line.line_id,
        operator=line.operator,
    )


@router.get("/cases", response_model=Cases)
def list_cases(request: Request, asking: Reading, page: Annotated[PageAsked, paged(_LIST)]) -> dict[str, Any]:
    """List cases of the caller's operator, or of all for who belongs to none."""
    operator = asking.caller.operator
    asking.allow(MayReadTransfer(operator or ""))
    after = _after(page)
    with reading(platform_of(request).engine) as connection:
        found = cases.list_cases(connection, operator=operator, after=after, limit=page.size + 1)
    return page.listing(
        [_shown(case).model_dump(mode="json") for case in found], key=lambda row: (row["id"],)
    )


@router.get("/cases/{case}", response_model=CaseShown, responses=problem_responses(404))
def read(request: Request, case: CaseId, asking: Reading) -> Response:
    """Return a case."""
    return _answer(_find(request, case, asking, MayReadTransfer))


@router.post("/cases/{case}/assessment", response_model=CaseShown, responses=_STEPS)
def assess(
    request: Request, case: CaseId, wanted: Assessment, asking: Deciding, version: Version
) -> Response:
    """Record what was found."""
    by = asking.caller.reference
    return _step(
        request,
        case,
        asking,
        version,
        lambda platform, connection, held: cases.assess_case(
            platform.transfers,
            connection,
            held,
            finding=wanted.finding,
            evidence=wanted.evidence,
            by=by,
            policy=rules_of(platform),
            now=platform.clock.now(),
        ),
    )


@router.post("/cases/{case}/sanction", response_model=CaseShown, responses=_STEPS)
def sanction(request: Request, case: CaseId, asking: Deciding, version: Version) -> Response:
    """Stop the line, bar its holder from transfers, and tell them why and how to appeal."""
    return _step(request, case, asking, version, _by(asking, cases.sanction_case))


@router.post("/cases/{case}/dismissal", response_model=CaseShown, responses=_STEPS)
def dismiss(request: Request, case: CaseId, asking: Deciding, version: Version) -> Response:
    """End a case for which nothing was found."""
    return _step(request, case, asking, version, _by(asking, cases.dismiss_case))


@router.post("/cases/{case}/appeal", response_model=CaseShown, responses=_STEPS)
def appeal(
    request: Request, case: CaseId, asking: Annotated[Asking, asked(MayTransfer)], version: Version
) -> Response:
    """Take the holder's appeal in."""
    return _step(request, case, asking, version, _by(asking, cases.appeal_case), question=MayTransfer)


@router.post("/cases/{case}/appeal-decision", response_model=CaseShown, responses=_STEPS)
def decide_appeal(
    request: Request, case: CaseId, wanted: AppealDecision, asking: Deciding, version: Version
) -> Response:
    """Uphold the appeal, and lift everything in the same moment; or reject it. Another person decides."""
    by = asking.caller.reference
    return _step(
        request,
        case,
        asking,
        version,
        lambda platform, connection, held: cases.decide_appeal(
            platform.transfers,
            connection,
            held,
            upheld=wanted.upheld,
            by=by,
            policy=rules_of(platform),
            now=platform.clock.now(),
        ),
    )


def _by(asking: Asking, verb: Callable[..., TransferCase | TransferRefused]) -> Step:
    def step(
        platform: TransferPlatform, connection: Connection, held: TransferCase
    ) -> TransferCase | TransferRefused:
        return verb(
            platform.transfers,
            connection,
            held,
            by=asking.caller.reference,
            policy=rules_of(platform),
            now=platform.clock.now(),
        )

    return step


def _step(
    request: Request,
    case_id: str,
    asking: Asking,
    version: str,
    step: Step,
    *,
    question: Question = MayDecideTransfer,
) -> Response:
    found, platform = _find(request, case_id, asking, question), platform_of(request)

    def work(connection: Connection) -> TransferCase | TransferRefused:
        held = cases.get_case(connection, case_id, for_update=True)
        require_version(version, etag(held.version))
        return step(platform, connection, held)

    after = done(platform, work, entry="private_transfer", subject=found.line_id, operator=found.operator)
    return _answer(after)


def _find(request: Request, case_id: str, asking: Asking, question: Question) -> TransferCase:
    asking.allow(question(asking.caller.operator or ""))
    with reading(platform_of(request).engine) as connection:
        found = cases.get_case(connection, case_id)
    if not asking.may(question(found.operator)):
        raise BadInput(
            "TRANSFER_CASE_UNKNOWN",
            Text(zh="没有这个案件。", en="There is no such case."),
            Text(zh="请核对编号。", en="Compare the reference."),
        )
    return found


def _answer(case: TransferCase) -> Response:
    return Answer.of(200, _shown(case), etag=etag(case.version)).response()


def _after(page: PageAsked) -> str:
    match page.after:
        case None:
            return ""
        case (str(after),):
            return after
    raise BadInput("CURSOR_INVALID", Text(zh="分页游标无效。", en="This is no cursor of this list."))


def _shown(case: TransferCase) -> CaseShown:
    return CaseShown(
        id=case.case_id,
        line=case.line_id,
        operator=case.operator,
        holder=case.subject,
        kind=case.kind,
        state=case.state,
        version=case.version,
        reports=case.reports,
        opened_at=case.opened_at,
        finding=case.finding,
        evidence=case.evidence,
        stop=case.stop and case.stop.value,
        citation=case.citation,
        decided_at=case.decided_at,
    )
