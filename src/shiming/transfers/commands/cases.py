"""`shiming transfers cases`: report, assess, sanction or dismiss private transfers, and appeals."""

from typing import Annotated, Any

import typer
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading
from shiming.transfers.commands.transfer_desk import (
    AsJson,
    LineOption,
    TransferCommandPlatform,
    carried_out,
    rules_of,
    show,
)
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.model.private_transfer import CaseStep, PrivateTransferKind, Reported, TransferCase
from shiming.transfers.use_cases import private_transfers as verbs
from shiming.vocabulary.errors import BadInput, Text

cases = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Lines that were sold, rented out or lent."
)
CaseArgument = Annotated[str, typer.Argument(help="Reference of the case, TRC-...")]
ByOption = Annotated[str, typer.Option("--by", help="Reference of the member of staff who decides, ACC-...")]


@cases.command()
def report(
    context: typer.Context,
    line: LineOption,
    kind: Annotated[PrivateTransferKind, typer.Option(help="What the holder is said to have done.")],
    reporter: Annotated[str, typer.Option(help="Reference of the complaint or of who reports; no name.")],
    as_json: AsJson = False,
) -> None:
    """Report that a line was sold, rented out, lent or resold; double reports join one case.

    Example: shiming transfers cases report --line REG-0082-0C20-A1G7-D --kind lending --reporter CMP-17
    """
    platform: TransferCommandPlatform = context.obj()

    def work(connection: Connection) -> Reported | TransferRefused:
        return verbs.report_private_transfer(
            platform.transfers,
            connection,
            line,
            kind,
            reporter=reporter,
            policy=rules_of(platform),
            now=platform.clock.now(),
        )

    done = carried_out(platform, work, entry="private_transfer", line_id=line, as_json=as_json)
    values = {**_shown(done.case), "joined": done.joined}
    show(values, as_json=as_json, zh="已受理举报。", en="The report is taken in.", language=platform.language)


@cases.command()
def assess(
    context: typer.Context,
    case: CaseArgument,
    finding: Annotated[str, typer.Option(help="What was found, as a code, such as used_by_others.")],
    by: ByOption,
    evidence: Annotated[str | None, typer.Option(help="Reference of what was looked at.")] = None,
    as_json: AsJson = False,
) -> None:
    """Record what was found.

    Example: shiming transfers cases assess TRC-0082-0C20-A1G7-D --finding used_by_others --by ACC-1
    """
    platform: TransferCommandPlatform = context.obj()

    def work(connection: Connection) -> TransferCase | TransferRefused:
        held = verbs.get_case(connection, case, for_update=True)
        return verbs.assess_case(
            platform.transfers,
            connection,
            held,
            finding=finding,
            evidence=evidence,
            by=by,
            policy=rules_of(platform),
            now=platform.clock.now(),
        )

    _run(platform, case, work, as_json=as_json)


@cases.command()
def step(
    context: typer.Context,
    case: CaseArgument,
    what: Annotated[CaseStep, typer.Argument(help="sanction, dismiss, appeal, uphold or reject.")],
    by: ByOption,
    as_json: AsJson = False,
) -> None:
    """Sanction or dismiss a case, take an appeal in, uphold it (everything is lifted at once) or reject it.

    Example: shiming transfers cases step TRC-0082-0C20-A1G7-D sanction --by ACC-1
    """
    platform: TransferCommandPlatform = context.obj()
    if what is CaseStep.ASSESS:
        raise BadInput("CASE_STEP", Text(zh="请使用 assess 命令。", en="Use the command `assess`."))

    def work(connection: Connection) -> TransferCase | TransferRefused:
        held = verbs.get_case(connection, case, for_update=True)
        policy, now, tools = rules_of(platform), platform.clock.now(), platform.transfers
        if what in {CaseStep.UPHOLD, CaseStep.REJECT}:
            upheld = what is CaseStep.UPHOLD
            return verbs.decide_appeal(tools, connection, held, upheld=upheld, by=by, policy=policy, now=now)
        verb = {
            CaseStep.SANCTION: verbs.sanction_case,
            CaseStep.DISMISS: verbs.dismiss_case,
            CaseStep.APPEAL: verbs.appeal_case,
        }[what]
        return verb(tools, connection, held, by=by, policy=policy, now=now)

    _run(platform, case, work, as_json=as_json)


@cases.command("show")
def show_case(context: typer.Context, case: CaseArgument, as_json: AsJson = False) -> None:
    """Show a case; the holder stays a pseudonym.

    Example: shiming transfers cases show TRC-0082-0C20-A1G7-D
    """
    platform: TransferCommandPlatform = context.obj()
    with reading(platform.engine) as connection:
        found = verbs.get_case(connection, case)
    show(_shown(found), as_json=as_json, zh="案件：", en="Case:", language=platform.language)


def _run(platform: TransferCommandPlatform, case_id: str, work: Any, *, as_json: bool) -> None:
    with reading(platform.engine) as connection:
        line_id = verbs.get_case(connection, case_id).line_id
    after: TransferCase = carried_out(
        platform, work, entry="private_transfer", line_id=line_id, as_json=as_json
    )
    show(
        _shown(after),
        as_json=as_json,
        zh="案件已更新。",
        en="The case is updated.",
        language=platform.language,
    )


def _shown(case: TransferCase) -> dict[str, Any]:
    return {
        "case": case.case_id,
        "line": case.line_id,
        "kind": case.kind.value,
        "state": case.state.value,
        "reports": case.reports,
        "finding": case.finding,
        "citation": case.citation,
    }
