"""`shiming key-services`: key voice services of organisations and the numbers that they may show."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact
from shiming.privacy.use_cases.vault import stage_evidence
from shiming.registrations.commands.organisation_output import (
    REFUSED,
    AsJson,
    EnterprisePlatform,
    desk_of,
    show_refusals,
)
from shiming.registrations.model.lines import Line
from shiming.registrations.model.number_sets import AuthorisedNumber, KeyServiceRefused, ValidityPeriod
from shiming.registrations.use_cases import key_services
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.instants import parse_instant
from shiming.vocabulary.msisdn import Msisdn

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Key voice services and the numbers that they may show."
)
LineId = Annotated[str, typer.Argument(help="Reference of the line, REG-...")]
Number = Annotated[str, typer.Argument(help="Number to be shown, such as +8613800138000.")]


@app.command("open")
def open_service(
    context: typer.Context,
    session: Annotated[str, typer.Option(help="Session of the handler, which has an order.")],
    operator: Annotated[str, typer.Option(help="Code of the operator.")],
    as_json: AsJson = False,
) -> None:
    """Register the key voice service that the order of a handler's session asks for.

    Example: shiming key-services open --operator cn-mobile --session SES-0081-0G3G-50C7-1
    """
    platform: EnterprisePlatform = context.obj()
    desk, registration = desk_of(platform), platform.registration_policy
    done = transact(
        platform.engine,
        lambda connection: key_services.open_key_service(
            desk, connection, session, operator=operator, registration=registration
        ),
    )
    line: Line = _or_exit(platform, done, as_json=as_json)
    _print({"id": line.line_id, "product_class": line.product_class, "status": line.status.value}, as_json)


@app.command()
def authorisation(context: typer.Context, line: LineId, image: Path, as_json: AsJson = False) -> None:
    """Keep the paper by which somebody lets the line show their number.

    Example: shiming key-services authorisation REG-0082-0C20-A1G7-D paper.jpg
    """
    platform: EnterprisePlatform = context.obj()
    desk, found = desk_of(platform), _find(platform, line)
    try:
        source = image.open("rb")
    except OSError:
        raise BadInput("FILE_UNREADABLE", Text(zh="无法读取文件。", en="The file cannot be read.")) from None
    with source:
        staged = stage_evidence(
            platform.registrations.privacy,
            platform.engine,
            key_services.authorisation_of(found),
            source=source,
            retention=desk.policy.retention,
            now=desk.now,
        )
    ref = transact(
        platform.engine, lambda connection: key_services.keep_authorisation(desk, connection, staged)
    )
    _print({"evidence": ref.evidence_id}, as_json)


@app.command()
def add(
    context: typer.Context,
    line: LineId,
    number: Number,
    begins: Annotated[str, typer.Option(help="RFC 3339.")],
    until: Annotated[str | None, typer.Option(help="RFC 3339; none: until it is withdrawn.")] = None,
    authorised_by: Annotated[str | None, typer.Option(help="EVD-..., where it is another's number.")] = None,
    as_json: AsJson = False,
) -> None:
    """Let a line show a number for some time.

    Example: shiming key-services add REG-0082-0C20-A1G7-D +8613800138000 --begins 2026-03-01T00:00:00+08:00
    """
    platform: EnterprisePlatform = context.obj()
    desk, found = desk_of(platform), _find(platform, line)
    validity = ValidityPeriod(parse_instant(begins), parse_instant(until) if until else None)

    def work(connection: Connection) -> Any:
        return key_services.authorise_number(
            desk, connection, found, _number(platform, number), validity, authorised_by=authorised_by
        )

    done = _or_exit(platform, transact(platform.engine, work), as_json=as_json)
    _print({**_row(done.entry), "repeated": done.repeated}, as_json)


@app.command()
def withdraw(context: typer.Context, line: LineId, number: Number, as_json: AsJson = False) -> None:
    """Let a line show a number no more, from now on.

    Example: shiming key-services withdraw REG-0082-0C20-A1G7-D +8613800138000
    """
    platform: EnterprisePlatform = context.obj()
    desk, found = desk_of(platform), _find(platform, line)

    def work(connection: Connection) -> Any:
        return key_services.withdraw_number(desk, connection, found, _number(platform, number))

    done = _or_exit(platform, transact(platform.engine, work), as_json=as_json)
    _print({"withdrawn": len(done)}, as_json)


@app.command()
def numbers(
    context: typer.Context,
    line: LineId,
    at: Annotated[str | None, typer.Option(help="Only what holds at this instant.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the number set of a line, or what it may show at an instant.

    Example: shiming key-services numbers REG-0082-0C20-A1G7-D --at 2026-03-01T00:00:00+08:00
    """
    platform: EnterprisePlatform = context.obj()
    found = _find(platform, line)
    with reading(platform.engine) as connection:
        if at is not None:
            known = key_services.authorised_numbers(connection, found.line_id, parse_instant(at))
            _print({"numbers": sorted(known.numbers), "ttl_seconds": known.ttl_seconds}, as_json)
            return
        rows = [_row(entry) for entry in key_services.list_number_set(connection, found.line_id)]
    if as_json:
        _print({"numbers": rows}, as_json)
        return
    for row in rows:
        typer.echo(f"{row['number']}  {row['valid_from']} - {row['valid_until'] or ''}")


def _find(platform: EnterprisePlatform, line: str) -> Line:
    with reading(platform.engine) as connection:
        found = key_services.find_key_service(connection, line.upper())
    if found is None:
        raise key_services.key_service_unknown()
    return found


def _number(platform: EnterprisePlatform, text: str) -> Msisdn:
    return platform.registration_policy.read_number(text)


def _or_exit(platform: EnterprisePlatform, outcome: Any, *, as_json: bool) -> Any:
    if isinstance(outcome, KeyServiceRefused):
        show_refusals(outcome.refusals, as_json=as_json, language=platform.language)
        raise typer.Exit(REFUSED)
    return outcome


def _row(entry: AuthorisedNumber) -> dict[str, Any]:
    return {
        "id": entry.entry_id,
        "number": entry.number,
        "valid_from": entry.valid_from.isoformat(),
        "valid_until": entry.valid_until and entry.valid_until.isoformat(),
        "own": entry.own,
        "authorised_by": entry.authorised_by,
    }


def _print(shown: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(shown, ensure_ascii=False))
        return
    for name, value in shown.items():
        if value is not None:
            typer.echo(f"{name}: {value}")
