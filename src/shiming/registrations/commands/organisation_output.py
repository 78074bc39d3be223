"""What the commands about organisations share: the wired program, changing one, showing one."""

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
from shiming.vocabulary.refusals import Refusal

REFUSED = 1
LISTED_MAX = 200  # a screen or two; programs page through the API

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
    return Desk(platform.registrations, policy, platform.clock.now(), platform.today())


def show_file(file: OrganisationFile, *, as_json: bool, language: str) -> None:
    """Print an organisation and what is missing."""
    shown: dict[str, Any] = row_of(file.organisation) | {
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


def change(platform: EnterprisePlatform, reference: str, work_on: Change, *, as_json: bool) -> None:
    """Change an organisation and show it; exit code 1 with every reason when that is refused."""
    desk = desk_of(platform)

    def work(connection: Connection) -> OrganisationFile | OrganisationRefused:
        found = organisations.find_organisation(
            connection, read_organisation_reference(reference), for_update=True
        )
        if found is None:
            raise unknown()
        return work_on(desk, connection, found)

    outcome = transact(platform.engine, work)
    if isinstance(outcome, OrganisationRefused):
        show_refusals(outcome.refusals, as_json=as_json, language=platform.language)
        raise typer.Exit(REFUSED)
    show_file(outcome, as_json=as_json, language=platform.language)


def stage(platform: EnterprisePlatform, reference: str, image: Path, kind: EvidenceKind) -> StagedEvidence:
    """Encrypt an image before the transaction that decides about it."""
    with reading(platform.engine) as connection:
        found = organisations.find_organisation(connection, read_organisation_reference(reference))
    if found is None:
        raise unknown()
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


def row_of(organisation: Organisation) -> dict[str, Any]:
    """Return what is shown of an organisation."""
    return {
        "id": organisation.organisation_id,
        "operator": organisation.operator,
        "code": organisation.code,
        "name": organisation.name,
        "state": organisation.state.value,
    }


def unknown() -> BadInput:
    """Return the error for an organisation that is not there."""
    return BadInput(
        "ORGANISATION_UNKNOWN",
        Text(zh="没有这个单位。", en="There is no such organisation."),
        Text(zh="请核对编号。", en="Compare the reference."),
    )
