"""`shiming organisations`: what an organisation brings - papers and people."""

from pathlib import Path
from typing import Annotated

import typer

from shiming.privacy.model import EvidenceKind
from shiming.registrations.commands.organisation_output import (
    AsJson,
    EnterprisePlatform,
    Reference,
    change,
    stage,
)
from shiming.registrations.use_cases import organisation_people, organisations
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.instants import parse_instant


def licence(context: typer.Context, reference: Reference, image: Path, as_json: AsJson = False) -> None:
    """Keep the image of the licence in the vault.

    Example: shiming organisations licence ORG-0082-0C20-A1G7-7 licence.jpg
    """
    platform: EnterprisePlatform = context.obj()
    staged = stage(platform, reference, image, EvidenceKind.DOCUMENT_FRONT)
    change(
        platform,
        reference,
        lambda desk, at, found: organisations.record_licence(desk, at, found, staged),
        as_json=as_json,
    )


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
    change(
        platform,
        reference,
        lambda desk, at, found: organisation_people.record_legal_representative(desk, at, found, name),
        as_json=as_json,
    )


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
    change(
        platform,
        reference,
        lambda desk, at, found: organisation_people.record_handler(
            desk, at, found, session, registration=registration
        ),
        as_json=as_json,
    )


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
    staged = stage(platform, reference, image, EvidenceKind.CONTRACT)
    change(
        platform,
        reference,
        lambda desk, at, found: organisations.record_power_of_attorney(
            desk, at, found, staged, begins=starts, until=ends
        ),
        as_json=as_json,
    )


def responsible_person(
    context: typer.Context,
    reference: Reference,
    session: Annotated[str | None, typer.Option(help="Verified session of that person.")] = None,
    name: Annotated[str | None, typer.Option(help="Asked for when there is no session.")] = None,
    as_json: AsJson = False,
) -> None:
    """Keep who answers for the lines: the person of a verified session, or a name in the vault.

    Example: shiming organisations responsible-person ORG-0082-0C20-A1G7-7 --session SES-0081-0G3G-50C7-1
    """
    platform: EnterprisePlatform = context.obj()
    if session is not None:
        if name is not None:
            raise BadInput(
                "RESPONSIBLE_PERSON_TWICE",
                Text(zh="会话与姓名只能给出一个。", en="Give a session or a name, and not both."),
            )
        registration, proof = platform.registration_policy, session
        change(
            platform,
            reference,
            lambda desk, at, found: organisation_people.record_proven_responsible_person(
                desk, at, found, proof, registration=registration
            ),
            as_json=as_json,
        )
        return
    named: str = name if name is not None else typer.prompt("Name")
    change(
        platform,
        reference,
        lambda desk, at, found: organisation_people.record_responsible_person(desk, at, found, named),
        as_json=as_json,
    )
