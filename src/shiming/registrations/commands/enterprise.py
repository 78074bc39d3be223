"""`shiming enterprise`: contracts of organisations, their lines, and the people who use them."""

from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact
from shiming.registrations.commands import enterprise_links
from shiming.registrations.commands.enterprise_output import (
    LISTED_MAX,
    Contract,
    Number,
    find,
    or_exit,
    print_fields,
    run_verb,
)
from shiming.registrations.commands.organisation_output import (
    REFUSED,
    AsJson,
    EnterprisePlatform,
    desk_of,
)
from shiming.registrations.model.enterprise_lines import (
    EnterpriseContract,
    EnterpriseLine,
    EnterpriseLineState,
    EnterpriseRefused,
    ImportReport,
)
from shiming.registrations.model.organisations import read_organisation_reference
from shiming.registrations.use_cases import actual_users, contract_terms, enterprise_lines
from shiming.registrations.use_cases.enterprise_import import import_enterprise_lines
from shiming.registrations.use_cases.organisations import Desk, find_organisation
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.sim_identifiers import Iccid

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Lines of organisations and their actual users."
)


@app.command()
def contract(
    context: typer.Context,
    organisation: Annotated[str, typer.Argument(help="Reference of the organisation, ORG-...")],
    lines: Annotated[int, typer.Option(min=1, help="How many lines are wanted.")],
    terms: Annotated[str | None, typer.Option(help="Version of the terms that was accepted.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a contract for so many lines; where the pack says so, the handler confirms them by a code.

    Example: shiming enterprise contract ORG-0082-0C20-A1G7-7 --lines 500 --terms 2026-01
    """
    platform: EnterprisePlatform = context.obj()
    desk = desk_of(platform)

    def work(connection: Connection) -> EnterpriseContract | EnterpriseRefused:
        found = find_organisation(connection, read_organisation_reference(organisation))
        if found is None:
            raise BadInput(
                "ORGANISATION_UNKNOWN", Text(zh="没有这个单位。", en="There is no such organisation.")
            )
        return enterprise_lines.make_contract(
            desk, connection, found, lines=lines, terms_version=terms, language=platform.language
        )

    made = or_exit(platform, transact(platform.engine, work), as_json=as_json)
    print_fields({"id": made.contract_id, "lines_confirmed": made.lines_confirmed}, as_json=as_json)


@app.command()
def terms(
    context: typer.Context,
    reference: Contract,
    version: Annotated[str, typer.Option(help="Version of the terms in force.")],
    as_json: AsJson = False,
) -> None:
    """Record that the handler agreed to the terms in force, for the lines that follow.

    Example: shiming enterprise terms ENT-0082-0C20-A1G7-D --version 2026-02
    """
    platform: EnterprisePlatform = context.obj()

    def verb(
        desk: Desk, connection: Connection, found: EnterpriseContract
    ) -> EnterpriseContract | EnterpriseRefused:
        return contract_terms.accept_contract_terms(
            desk, connection, found, version, language=platform.language
        )

    agreed = run_verb(platform, reference, verb, as_json=as_json)
    print_fields({"id": agreed.contract_id, "terms": version}, as_json=as_json)


@app.command("import")
def import_lines(
    context: typer.Context,
    reference: Contract,
    file: Annotated[Path, typer.Argument(help="CSV or XLSX: number, kind, product, user, contact, iccid.")],
    as_json: AsJson = False,
) -> None:
    """Enter lines from a table; the same file again changes nothing. Exit code 1 when a row was bad.

    Example: shiming enterprise import ENT-0082-0C20-A1G7-D lines.csv
    """
    platform: EnterprisePlatform = context.obj()
    regions = platform.registration_policy.number_regions
    try:
        stream = file.open("rb")
    except OSError:
        raise BadInput("FILE_UNREADABLE", Text(zh="无法读取文件。", en="The file cannot be read.")) from None
    with stream:
        done = import_enterprise_lines(
            desk_of(platform),
            platform.engine,
            reference.upper(),
            stream=stream,
            name=file.name,
            region=regions[0] if len(regions) == 1 else None,
        )
    report: ImportReport = or_exit(platform, done, as_json=as_json)
    _print_report(report, as_json=as_json, language=platform.language)
    raise typer.Exit(REFUSED if report.refused else 0)


@app.command()
def lines(
    context: typer.Context,
    reference: Contract,
    state: Annotated[EnterpriseLineState | None, typer.Option(help="Only these.")] = None,
    as_json: AsJson = False,
) -> None:
    """List lines of a contract.

    Example: shiming enterprise lines ENT-0082-0C20-A1G7-D --state awaiting
    """
    platform: EnterprisePlatform = context.obj()
    with reading(platform.engine) as connection:
        found = find(connection, reference)
        listed = enterprise_lines.list_lines(connection, found.contract_id, state=state, limit=LISTED_MAX)
    rows = [_row(line) for line in listed]
    if as_json:
        print_fields({"lines": rows}, as_json=True)
        return
    for row in rows:
        typer.echo(f"{row['number']}  {row['state']:<10}  {row['user']}  {row['line'] or '-'}")


@app.command()
def user(
    context: typer.Context,
    reference: Contract,
    number: Number,
    session: Annotated[str, typer.Option(help="Verified session of the user.")],
    as_json: AsJson = False,
) -> None:
    """Take the person of a verified session as user of a line; the first one's proof registers it.

    Example: shiming enterprise user ENT-0082-0C20-A1G7-D +8613800138000 --session SES-0081-0G3G-50C7-1
    """
    platform: EnterprisePlatform = context.obj()
    registration = platform.registration_policy
    done = run_verb(
        platform,
        reference,
        lambda desk, at, found: actual_users.record_actual_user(
            desk, at, found, number, session, registration=registration
        ),
        as_json=as_json,
    )
    shown = {"line": done.line_id, "position": done.position, "repeated": done.repeated}
    print_fields(shown, as_json=as_json)


@app.command()
def card(
    context: typer.Context,
    reference: Contract,
    number: Number,
    iccid: Annotated[str, typer.Option(help="Number of the card or profile.")],
    as_json: AsJson = False,
) -> None:
    """Say which card goes with a line that awaits its first user.

    Example: shiming enterprise card ENT-0082-0C20-A1G7-D +8613800138000 --iccid 89860112851234567891
    """
    done = run_verb(
        context.obj(),
        reference,
        lambda desk, at, found: enterprise_lines.name_card(desk, at, found, number, Iccid.parse(iccid)),
        as_json=as_json,
    )
    print_fields(_row(done), as_json=as_json)


@app.command()
def left(context: typer.Context, reference: Contract, number: Number, as_json: AsJson = False) -> None:
    """Record that the user of a line has left: the next one is to be proven, or the line given back.

    Example: shiming enterprise left ENT-0082-0C20-A1G7-D +8613800138000
    """
    done = run_verb(
        context.obj(),
        reference,
        lambda desk, at, found: enterprise_lines.record_exit(desk, at, found, number),
        as_json=as_json,
    )
    print_fields(_row(done), as_json=as_json)


@app.command("return")
def return_line(context: typer.Context, reference: Contract, number: Number, as_json: AsJson = False) -> None:
    """Give a line back: a registered one ends, a number that was only kept is free.

    Example: shiming enterprise return ENT-0082-0C20-A1G7-D +8613800138000
    """
    platform: EnterprisePlatform = context.obj()
    registration = platform.registration_policy
    done = run_verb(
        platform,
        reference,
        lambda desk, at, found: enterprise_lines.return_line(
            desk, at, found, number, registration=registration
        ),
        as_json=as_json,
    )
    print_fields({"number": done.number, "line": done.line_id}, as_json=as_json)


@app.command()
def uses(context: typer.Context, reference: Contract, number: Number, as_json: AsJson = False) -> None:
    """Show who used a line from when to when; people are references.

    Example: shiming enterprise uses ENT-0082-0C20-A1G7-D +8613800138000
    """
    platform: EnterprisePlatform = context.obj()
    with reading(platform.engine) as connection:
        found = find(connection, reference)
        listed = enterprise_lines.list_uses(connection, found.contract_id, number)
    rows = [
        {
            "position": use.position,
            "user": use.user_reference,
            "session": use.session_id,
            "used_from": use.used_from.isoformat(),
            "used_to": use.used_to and use.used_to.isoformat(),
        }
        for use in listed
    ]
    if as_json:
        print_fields({"uses": rows}, as_json=True)
        return
    for row in rows:
        typer.echo(f"{row['position']}  {row['user']}  {row['used_from']} - {row['used_to'] or ''}")


def _row(line: EnterpriseLine) -> dict[str, Any]:
    return {
        "number": line.number,
        "state": line.state.value,
        "user": line.user_reference,
        "product_class": line.product_class.value,
        "line": line.line_id,
        "vacated_until": line.vacated_until and line.vacated_until.isoformat(),
    }


def _print_report(report: ImportReport, *, as_json: bool, language: str) -> None:
    if as_json:
        print_fields(report.to_json(), as_json=True)
        return
    said = {"zh": f"录入 {report.entered}，已有 {report.known}，未录入 {report.refused}"}
    typer.echo(
        said.get(
            language, f"entered {report.entered}, known before {report.known}, not entered {report.refused}"
        )
    )
    for row in report.rows_refused:
        typer.echo(f"  {row.row}: {row.column}: {row.code} {row.text.in_language(language)}")


for _command in (enterprise_links.links, enterprise_links.sent):
    app.command()(_command)
