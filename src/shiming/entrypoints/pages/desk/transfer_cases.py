"""Cases of lines that were sold, rented out, lent or resold: assess, sanction, dismiss, decide an appeal."""

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy.engine import Connection

from shiming.entrypoints.pages.desk.desk_page import Refused, Shown, desk_page, table_page, tried
from shiming.entrypoints.pages.desk.tables import Choice, Column, Table, gather
from shiming.entrypoints.pages.desk.words import options, word
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.rendering import see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.etags import etag, require_version
from shiming.transfers.api.cases import CaseId
from shiming.transfers.api.transfer_platform import TransferPlatform, done, platform_of, rules_of
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.model.private_transfer import CaseState, PrivateTransferKind, TransferCase
from shiming.transfers.permissions.transfers import MayDecideTransfer, MayReadTransfer
from shiming.transfers.use_cases import private_transfers as cases
from shiming.vocabulary.errors import BadInput, Text

router = page_router()
Reading = Annotated[Asking, asked(MayReadTransfer)]
Deciding = Annotated[Asking, asked(MayReadTransfer, MayDecideTransfer)]
Step = Callable[[TransferPlatform, Connection, TransferCase], TransferCase | TransferRefused]
_TONES = {
    CaseState.OPEN: "waiting",
    CaseState.ASSESSED: "waiting",
    CaseState.APPEALED: "waiting",
    CaseState.SANCTIONED: "bad",
}

#: What was found, as the code that is kept.
FINDINGS = {
    "used_by_others": Text(zh="实际由他人使用", en="Others use the line"),
    "sold_for_money": Text(zh="有偿转让", en="It was sold for money"),
    "used_by_family": Text(zh="家庭成员使用", en="The family uses it"),
    "nothing_found": Text(zh="未发现异常", en="Nothing was found"),
}

TABLE: Table[TransferCase] = Table(
    "transfer-cases",
    Text(zh="转售转租案件", en="Transfer cases"),
    (
        Column(
            "id",
            Text(zh="编号", en="Reference"),
            lambda case: case.case_id,
            href=lambda case: f"/desk/transfers/{case.case_id}",
        ),
        Column("line", Text(zh="线路", en="Line"), lambda case: case.line_id, look="code"),
        Column("kind", Text(zh="举报内容", en="Reported as"), lambda case: word(case.kind)),
        Column(
            "state",
            Text(zh="状态", en="State"),
            lambda case: word(case.state),
            look="state",
            tone=lambda case: _TONES.get(case.state, ""),
        ),
        Column("reports", Text(zh="举报次数", en="Reports"), lambda case: case.reports, look="number"),
        Column("operator", Text(zh="运营企业", en="Operator"), lambda case: case.operator),
        Column("opened", Text(zh="立案时间", en="Opened"), lambda case: case.opened_at),
    ),
    filters=(
        Choice("state", Text(zh="状态", en="State"), options(CaseState), lambda case: case.state.value),
        Choice(
            "kind",
            Text(zh="举报内容", en="Reported as"),
            options(PrivateTransferKind),
            lambda case: case.kind.value,
        ),
    ),
    empty=Text(zh="没有案件。", en="There is no case."),
    order="opened",
)


class StepForm(BaseModel):
    """What is to be done with a case, at which version; the assessment says what was found."""

    model_config = ConfigDict(extra="ignore")
    step: Literal["assess", "sanction", "dismiss", "uphold", "reject"]
    version: str
    finding: Literal["used_by_others", "sold_for_money", "used_by_family", "nothing_found"] | None = None
    sure: bool = False


@router.get("/desk/transfers")
def list_cases(request: Request, asking: Reading) -> Response:
    """List cases."""
    operator = asking.caller.operator
    asking.allow(MayReadTransfer(operator or ""))
    engine = platform_of(request).engine

    def fetch(after: str | None, limit: int) -> tuple[TransferCase, ...]:
        with reading(engine) as connection:
            return cases.list_cases(connection, operator=operator, after=after or "", limit=limit)

    rows = gather(fetch, lambda case: case.case_id)
    return table_page(request, asking, "desk/transfers.html", Shown(TABLE, rows))


@router.get("/desk/transfers/{case}")
def show_case(request: Request, case: CaseId, asking: Reading) -> Response:
    """Show a case."""
    return _shown(request, asking, _find(request, asking, case, MayReadTransfer))


@router.post("/desk/transfers/{case}")
def take_step(
    request: Request,
    case: CaseId,
    asking: Deciding,
    wanted: Annotated[Filled[StepForm], form(StepForm)],
) -> Response:
    """Go one step on with a case; what the step may not do is said by the rule."""
    found = _find(request, asking, case, MayDecideTransfer)
    chosen = wanted.value
    if chosen is None or (chosen.step == "assess" and not chosen.finding):
        return _shown(request, asking, found, wanted=wanted)
    step = _step(chosen, asking.caller.reference)
    platform = platform_of(request)

    def work(connection: Connection) -> TransferCase | TransferRefused:
        held = cases.get_case(connection, found.case_id, for_update=True)
        require_version(etag(chosen.version), etag(held.version))
        return step(platform, connection, held)

    refused = tried(
        lambda: done(platform, work, entry="private_transfer", subject=found.line_id, operator=found.operator)
    )
    if refused:
        return _shown(request, asking, found, refused=refused)
    return see_other(f"/desk/transfers/{found.case_id}", said=chosen.step)


def _step(chosen: StepForm, by: str) -> Step:
    def step(
        platform: TransferPlatform, connection: Connection, held: TransferCase
    ) -> TransferCase | TransferRefused:
        tools, policy, now = platform.transfers, rules_of(platform), platform.clock.now()
        match chosen.step:
            case "assess":
                return cases.assess_case(
                    tools,
                    connection,
                    held,
                    finding=chosen.finding or "",
                    evidence=None,
                    by=by,
                    policy=policy,
                    now=now,
                )
            case "sanction":
                return cases.sanction_case(tools, connection, held, by=by, policy=policy, now=now)
            case "dismiss":
                return cases.dismiss_case(tools, connection, held, by=by, policy=policy, now=now)
            case "uphold" | "reject":
                upheld = chosen.step == "uphold"
                return cases.decide_appeal(
                    tools, connection, held, upheld=upheld, by=by, policy=policy, now=now
                )

    return step


def _find(
    request: Request, asking: Asking, case_id: str, question: type[MayDecideTransfer | MayReadTransfer]
) -> TransferCase:
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


def _shown(
    request: Request,
    asking: Asking,
    found: TransferCase,
    *,
    refused: Refused | None = None,
    wanted: Filled[StepForm] | None = None,
) -> Response:
    facts = {
        "case": found,
        "state": word(found.state),
        "tone": _TONES.get(found.state, ""),
        "kind": word(found.kind),
        "finding": FINDINGS.get(found.finding or ""),
        "findings": FINDINGS,
        "stop": word(found.stop) if found.stop else None,
        "may_decide": asking.gatekeeper.allow(asking.caller, MayDecideTransfer(found.operator)),
        "refused": refused,
        **(wanted.again() if wanted else {}),
    }
    status = 422 if wanted else 409 if refused else 200
    return desk_page(request, asking, "desk/transfer_case.html", facts, status=status)
