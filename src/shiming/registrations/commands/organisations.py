"""`shiming organisations`: record an organisation, see what is missing, suspend and close it."""

import json
from typing import Annotated

import typer

from shiming.infrastructure.database import reading, transact
from shiming.registrations.commands import organisation_papers
from shiming.registrations.commands.organisation_output import (
    LISTED_MAX,
    REFUSED,
    AsJson,
    EnterprisePlatform,
    Reference,
    change,
    desk_of,
    row_of,
    show_file,
    unknown,
)
from shiming.registrations.model.organisations import read_organisation_reference
from shiming.registrations.use_cases import organisations

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Organisations that hold lines.")


@app.command()
def record(
    context: typer.Context,
    operator: Annotated[str, typer.Option(help="Code of the operator.")],
    code: Annotated[str, typer.Option(help="Code of the public register.")],
    name: Annotated[str, typer.Option(help="Registered name.")],
    as_json: AsJson = False,
) -> None:
    """Record an organisation.

    Example: shiming organisations record --operator cn-mobile --code 91110000600037341L --name "Example Ltd"
    """
    platform: EnterprisePlatform = context.obj()
    desk = desk_of(platform)
    file = transact(
        platform.engine,
        lambda connection: organisations.record_organisation(
            desk,
            connection,
            operator=operator,
            code=code,
            name=name,
            read_code=platform.read_organisation_code,
        ),
    )
    show_file(file, as_json=as_json, language=platform.language)


@app.command()
def suspend(
    context: typer.Context,
    reference: Reference,
    why: Annotated[str, typer.Option(help="A code such as resale_report.")],
    as_json: AsJson = False,
) -> None:
    """Let an organisation open no more lines.

    Example: shiming organisations suspend ORG-0082-0C20-A1G7-7 --why resale_report
    """
    platform: EnterprisePlatform = context.obj()
    change(
        platform,
        reference,
        lambda desk, at, found: organisations.suspend_organisation(desk, at, found, why=why),
        as_json=as_json,
    )


@app.command()
def resume(context: typer.Context, reference: Reference, as_json: AsJson = False) -> None:
    """Lift a suspension.

    Example: shiming organisations resume ORG-0082-0C20-A1G7-7
    """
    change(context.obj(), reference, organisations.resume_organisation, as_json=as_json)


@app.command()
def close(context: typer.Context, reference: Reference, as_json: AsJson = False) -> None:
    """Close an organisation.

    Example: shiming organisations close ORG-0082-0C20-A1G7-7
    """
    change(context.obj(), reference, organisations.close_organisation, as_json=as_json)


@app.command()
def show(context: typer.Context, reference: Reference, as_json: AsJson = False) -> None:
    """Show an organisation and everything that is missing; exit code 1 when it may open no lines.

    Example: shiming organisations show ORG-0082-0C20-A1G7-7
    """
    platform: EnterprisePlatform = context.obj()
    desk = desk_of(platform)
    with reading(platform.engine) as connection:
        file = organisations.show_organisation(
            connection, read_organisation_reference(reference), policy=desk.policy, now=desk.now
        )
    if file is None:
        raise unknown()
    show_file(file, as_json=as_json, language=platform.language)
    raise typer.Exit(REFUSED if file.standing.refusals else 0)


@app.command("list")
def list_all(
    context: typer.Context,
    operator: Annotated[str | None, typer.Option(help="Of this operator only.")] = None,
    as_json: AsJson = False,
) -> None:
    """List organisations.

    Example: shiming organisations list --operator cn-mobile
    """
    platform: EnterprisePlatform = context.obj()
    with reading(platform.engine) as connection:
        found = organisations.list_organisations(connection, operator, after=None, limit=LISTED_MAX)
    rows = [row_of(each) for each in found]
    if as_json:
        typer.echo(json.dumps({"organisations": rows}, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"{row['id']}  {row['code']}  {row['state']:<10}  {row['name']}")


for _name, _command in (
    ("licence", organisation_papers.licence),
    ("legal-representative", organisation_papers.legal_representative),
    ("handler", organisation_papers.handler),
    ("power-of-attorney", organisation_papers.power_of_attorney),
    ("responsible-person", organisation_papers.responsible_person),
):
    app.command(_name)(_command)
