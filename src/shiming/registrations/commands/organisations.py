"""`shiming organisations`: record an organisation, add what it brings, see what is missing."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer
from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading, transact
from shiming.jurisdictions.model import Policy
from shiming.privacy.model import EvidenceKind, StagedEvidence
from shiming.privacy.use_cases.vault import stage_evidence
from shiming.registrations.model.organisations import Organisation, read_organisation_reference
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.use_cases import organisations
from shiming.registrations.use_cases.organisations import Desk, OrganisationFile, OrganisationRefused
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.instants import parse_instant
from shiming.vocabulary.refusals import Refusal

REFUSED = 1
LISTED_MAX = 200  # a screen or two; programs page through the API

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Organisations that hold lines.")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]
Reference = Annotated[str, typer.Argument(help="Reference of the organisation, ORG-...")]
Change = Callable[[Desk, Connection, Organisation], OrganisationFile | OrganisationRefused]


class EnterprisePlatform(Protocol):
    """What these commands need of the wired program; `context.obj()` returns it."""

    @property
    def engine(self) -> Engine: ...  # noqa: D102 - named by its type
    @property
    def clock(self) -> Clock: ...  # noqa: D102
    @property
    def registrations(self) -> RegistrationTools: ...  # noqa: D102
    @property
    def registration_policy(self) -> RegistrationPolicy: ...  # noqa: D102
    @property
    def default_pack(self) -> str: ...  # noqa: D102
    @property
    def language(self) -> str: ...  # noqa: D102
    def today(self) -> date: ...  # noqa: D102
    def policy(self, pack: str, on: date) -> Policy: ...  # noqa: D102
    def read_organisation_code(self, code: str) -> str: ...  # noqa: D102


def desk_of(platform: EnterprisePlatform) -> Desk:
    """Return what changes work with."""
    policy = platform.policy(platform.default_pack, platform.today())
    return Desk(platform.registrations, policy, platform.clock.now())


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
def licence(context: typer.Context, reference: Reference, image: Path, as_json: AsJson = False) -> None:
    """Keep the image of the licence in the vault.

    Example: shiming organisations licence ORG-0082-0C20-A1G7-7 licence.jpg
    """
    platform: EnterprisePlatform = context.obj()
    staged = _stage(platform, reference, image, EvidenceKind.DOCUMENT_FRONT)
    _change(
        platform,
        reference,
        lambda desk, at, found: organisations.record_licence(desk, at, found, staged),
        as_json=as_json,
    )


@app.command("legal-representative")
def legal_representative(
    context: typer.Context,
    reference: Reference,
    name: Annotated[str, typer.Option(prompt=True, help="Asked for when it is not given.")],
    as_json: AsJson = False,
) -> None:
    """Keep the name of the legal representative in the vault.

    Example: shiming organisations legal-representative ORG-0082-0C20-A1G7-7
    """
    platform: EnterprisePlatform = context.obj()
    _change(
        platform,
        reference,
        lambda desk, at, found: organisations.record_legal_representative(desk, at, found, name),
        as_json=as_json,
    )


@app.command()
def handler(
    context: typer.Context,
    reference: Reference,
    session: Annotated[str, typer.Option(help="Verified session of the handler.")],
    as_json: AsJson = False,
) -> None:
    """Take the person of a verified session as handler.

    Example: shiming organisations handler ORG-0082-0C20-A1G7-7 --session SES-0081-0G3G-50C7-1
    """
    platform: EnterprisePlatform = context.obj()
    registration = platform.registration_policy
    _change(
        platform,
        reference,
        lambda desk, at, found: organisations.record_handler(
            desk, at, found, session, registration=registration
        ),
        as_json=as_json,
    )


@app.command("power-of-attorney")
def power_of_attorney(
    context: typer.Context,
    reference: Reference,
    image: Path,
    begins: Annotated[str, typer.Option(help="ISO 8601 with a zone.")],
    until: Annotated[str, typer.Option(help="ISO 8601 with a zone.")],
    as_json: AsJson = False,
) -> None:
    """Keep the power of attorney of the handler.

    Example: shiming organisations power-of-attorney ORG-0082-0C20-A1G7-7 paper.jpg
    --begins 2026-03-01T00:00:00+08:00 --until 2026-12-31T00:00:00+08:00
    """
    platform: EnterprisePlatform = context.obj()
    starts, ends = parse_instant(begins), parse_instant(until)
    staged = _stage(platform, reference, image, EvidenceKind.CONTRACT)
    _change(
        platform,
        reference,
        lambda desk, at, found: organisations.record_power_of_attorney(
            desk, at, found, staged, begins=starts, until=ends
        ),
        as_json=as_json,
    )


@app.command("responsible-person")
def responsible_person(
    context: typer.Context,
    reference: Reference,
    name: Annotated[str, typer.Option(prompt=True, help="Asked for when it is not given.")],
    as_json: AsJson = False,
) -> None:
    """Keep the name of the person who answers for the lines, in the vault.

    Example: shiming organisations responsible-person ORG-0082-0C20-A1G7-7
    """
    platform: EnterprisePlatform = context.obj()
    _change(
        platform,
        reference,
        lambda desk, at, found: organisations.record_responsible_person(desk, at, found, name),
        as_json=as_json,
    )


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
    _change(
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
    _change(context.obj(), reference, organisations.resume_organisation, as_json=as_json)


@app.command()
def close(context: typer.Context, reference: Reference, as_json: AsJson = False) -> None:
    """Close an organisation.

    Example: shiming organisations close ORG-0082-0C20-A1G7-7
    """
    _change(context.obj(), reference, organisations.close_organisation, as_json=as_json)


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
        raise _unknown()
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
    rows = [_row(each) for each in found]
    if as_json:
        typer.echo(json.dumps({"organisations": rows}, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"{row['id']}  {row['code']}  {row['state']:<10}  {row['name']}")


def show_file(file: OrganisationFile, *, as_json: bool, language: str) -> None:
    """Print an organisation and what is missing."""
    shown: dict[str, Any] = _row(file.organisation) | {
        "state": file.standing.state.value,
        "missing": [refusal.to_json() for refusal in file.standing.missing],
        "refusals": [refusal.to_json() for refusal in file.standing.refusals],
    }
    if as_json:
        typer.echo(json.dumps(shown, ensure_ascii=False))
        return
    typer.echo(f"{shown['id']}  {shown['code']}  {shown['state']}  {shown['name']}")
    show_refusals(file.standing.refusals, as_json=False, language=language)


def show_refusals(refusals: tuple[Refusal, ...], *, as_json: bool, language: str) -> None:
    """Print every reason with its citation and what to do."""
    if as_json:
        refused = {"outcome": "Refused", "reasons": [refusal.to_json() for refusal in refusals]}
        typer.echo(json.dumps(refused, ensure_ascii=False))
        return
    for refusal in refusals:
        words = refusal.words
        typer.echo(f"{refusal.code} {words.clerk.in_language(language)} ({refusal.citation})")
        typer.echo(f"  → {words.next_step.in_language(language)}")


def _change(platform: EnterprisePlatform, reference: str, change: Change, *, as_json: bool) -> None:
    desk = desk_of(platform)

    def work(connection: Connection) -> OrganisationFile | OrganisationRefused:
        found = organisations.find_organisation(
            connection, read_organisation_reference(reference), for_update=True
        )
        if found is None:
            raise _unknown()
        return change(desk, connection, found)

    outcome = transact(platform.engine, work)
    if isinstance(outcome, OrganisationRefused):
        show_refusals(outcome.refusals, as_json=as_json, language=platform.language)
        raise typer.Exit(REFUSED)
    show_file(outcome, as_json=as_json, language=platform.language)


def _stage(platform: EnterprisePlatform, reference: str, image: Path, kind: EvidenceKind) -> StagedEvidence:
    with reading(platform.engine) as connection:
        found = organisations.find_organisation(connection, read_organisation_reference(reference))
    if found is None:
        raise _unknown()
    try:
        source = image.open("rb")
    except OSError:
        raise BadInput("FILE_UNREADABLE", Text(zh="无法读取文件。", en="The file cannot be read.")) from None
    with source:
        return stage_evidence(
            platform.registrations.privacy,
            platform.engine,
            organisations.paper_of(found, kind),
            source=source,
            retention=platform.registration_policy.retention,
            now=platform.clock.now(),
        )


def _row(organisation: Organisation) -> dict[str, Any]:
    return {
        "id": organisation.organisation_id,
        "operator": organisation.operator,
        "code": organisation.code,
        "name": organisation.name,
        "state": organisation.state.value,
    }


def _unknown() -> BadInput:
    return BadInput(
        "ORGANISATION_UNKNOWN",
        Text(zh="没有这个单位。", en="There is no such organisation."),
        Text(zh="请核对编号。", en="Compare the reference."),
    )
