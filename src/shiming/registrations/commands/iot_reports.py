"""End users, stock, reconciliation and resale of industry cards at a terminal."""

from collections.abc import Callable
from datetime import date
from typing import Annotated

import typer
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading
from shiming.registrations.commands.iot_output import (
    By,
    CaseId,
    ContractId,
    Evidence,
    desk_of,
    do,
    print_fields,
)
from shiming.registrations.commands.line_platform import (
    REFUSED,
    AsJson,
    LinePlatform,
    Operator,
    TableFile,
    print_import,
    print_json,
    print_table,
    rules_of,
)
from shiming.registrations.model.iot_reports import (
    RESALE_MATERIALS,
    RESALE_REASON,
    RESALE_REMEDY,
    ResaleCase,
    StockStatement,
)
from shiming.registrations.use_cases import (
    iot_reconciling,
    iot_reports,
    iot_resale,
)
from shiming.registrations.use_cases.organisations import Desk
from shiming.vocabulary.sim_identifiers import Iccid


def end_users(
    context: typer.Context, contract: ContractId, table: TableFile, as_json: AsJson = False
) -> None:
    """Report who bought devices of a maker: device_serial, iccid, buyer (a session, ORG-..., or empty).

    Example: shiming iot end-users THG-0082-0C20-A1G7-D sold.csv
    """
    platform: LinePlatform = context.obj()
    with table.open("rb") as stream:
        report = iot_reports.report_table(
            desk_of(platform), platform.engine, contract, stream=stream, name=table.name
        )
    print_import(report, as_json=as_json, language=platform.language)


def declare(
    context: typer.Context,
    contract: ContractId,
    sold: Annotated[int, typer.Option(help="Devices sold so far.")],
    in_stock: Annotated[int, typer.Option(help="Devices in stock.")],
    on: Annotated[str | None, typer.Option(metavar="DATE", help="Of this day; today if not given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Record what a maker declares, and say at once what does not agree; exit code 1 then.

    Example: shiming iot declare THG-0082-0C20-A1G7-D --sold 60 --in-stock 35
    """
    platform: LinePlatform = context.obj()
    statement = StockStatement(contract, date.fromisoformat(on) if on else platform.today(), sold, in_stock)
    outcome = do(platform, lambda desk, at: iot_reconciling.state_stock(desk, at, statement))
    print_fields(outcome.to_json(), as_json=as_json)
    raise typer.Exit(REFUSED if outcome.differences else 0)


def reconcile(context: typer.Context, operator: Operator, as_json: AsJson = False) -> None:
    """Compare delivered, sold, returned and registered cards; exit code 1 when something does not agree.

    Example: shiming iot reconcile --operator north-mobile
    """
    platform: LinePlatform = context.obj()
    with reading(platform.engine) as connection:
        outcome = iot_reconciling.reconcile(connection, operator, rules_of(platform))
    if as_json:
        print_json(outcome.to_json())
    else:
        print_fields(outcome.to_json() | {"differing": len(outcome.differing)}, as_json=False)
        names = ("delivered", "returned", "sold", "stock", "registered", "awaiting")
        rows = (
            (each.contract, *(getattr(each.counts, name) for name in names), difference.what.value)
            for each in outcome.differing
            for difference in each.differences
        )
        print_table(("contract", *names, "differs"), rows)
    raise typer.Exit(0 if outcome.agrees else REFUSED)


def resold(
    context: typer.Context,
    contract: ContractId,
    evidence: Evidence,
    iccid: Annotated[str | None, typer.Option(help="The card, where one is named.")] = None,
    as_json: AsJson = False,
) -> None:
    """Report that cards were resold: contract and company are suspended while the case is open.

    Example: shiming iot resold THG-0082-0C20-A1G7-D --evidence EVD-0082-0C20-A1G7-D
    """
    platform: LinePlatform = context.obj()
    named = Iccid.parse(iccid) if iccid else None
    case = do(
        platform,
        lambda desk, at: iot_resale.report_resale(desk, at, contract, evidence=evidence, iccid=named),
    )
    _print_case(case, as_json=as_json, language=platform.language)


def uphold(context: typer.Context, case: CaseId, by: By, as_json: AsJson = False) -> None:
    """Find that cards were resold: the seller is jointly liable, all lines of the contract are stopped.

    Example: shiming iot uphold RSE-0082-0C20-A1G7-D --by ACC-1
    """
    _decide(context, case, lambda desk, at, found: iot_resale.uphold_resale(desk, at, found, by=by), as_json)


def dismiss(context: typer.Context, case: CaseId, by: By, as_json: AsJson = False) -> None:
    """Find that nothing was resold: contract, company and lines are restored.

    Example: shiming iot dismiss RSE-0082-0C20-A1G7-D --by ACC-1
    """
    _decide(context, case, lambda desk, at, found: iot_resale.dismiss_resale(desk, at, found, by=by), as_json)


def appeal(
    context: typer.Context,
    case: CaseId,
    paper: Annotated[str, typer.Option(help="Reference of the objection.")],
    as_json: AsJson = False,
) -> None:
    """Take the company's objection to a decision; then it is decided again.

    Example: shiming iot appeal RSE-0082-0C20-A1G7-D --paper EVD-0082-0C20-A1G7-D
    """
    _decide(
        context,
        case,
        lambda desk, at, found: iot_resale.appeal_resale(desk, at, found, appeal=paper),
        as_json,
    )


def _decide(
    context: typer.Context,
    case: str,
    change: Callable[[Desk, Connection, ResaleCase], ResaleCase],
    as_json: bool,
) -> None:
    platform: LinePlatform = context.obj()

    def work(desk: Desk, connection: Connection) -> ResaleCase:
        return change(desk, connection, iot_resale.get_case(connection, case))

    _print_case(do(platform, work), as_json=as_json, language=platform.language)


def _print_case(case: ResaleCase, *, as_json: bool, language: str) -> None:
    names = ("case_id", "contract", "organisation", "state", "liable", "decided_by", "appeal")
    told = {"reason": RESALE_REASON, "remedy": RESALE_REMEDY, "materials": RESALE_MATERIALS}
    words = {name: text.to_json() if as_json else text.in_language(language) for name, text in told.items()}
    print_fields({name: getattr(case, name) for name in names} | words, as_json=as_json)
