"""`shiming disclosures`: ask for evidence to leave the operator, agree to it, refuse it, carry it out.

Whoever acts signs in, because four eyes are people and not shells.
"""

# ruff: noqa: PLC0415, PLR0917 - commands import what they need when they run; Typer reads parameters
import json
from pathlib import Path
from typing import Annotated

import typer

from shiming.privacy.disclosure_command_line import (
    DisclosurePlatform,
    actor_of,
    allow,
    allow_reading,
    changed,
    done,
    line_of,
    midnight_of,
    print_one,
    purpose_of,
    sign_in,
    to_json,
)

LISTED_MAX = 50  # a screenful; the API pages through more
disclosures = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Evidence of one person for an authority: one person asks, two others approve, it happens once.",
)
app = disclosures

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]
DisclosureId = Annotated[str, typer.Argument(help="Reference, such as DSC-0081-0G3G-50C7-1.")]
UserName = Annotated[str, typer.Option("--as", help="User name of who acts.")]
PasswordFile = Annotated[
    Path | None, typer.Option(help="File with the password (- is stdin); without it you are asked.")
]


@disclosures.command("request")
def request_one(
    context: typer.Context,
    user_name: UserName,
    subject: Annotated[str, typer.Option(help="Pseudonym of the person.")],
    evidence: Annotated[list[str], typer.Option(help="Reference of one piece; repeat the option.")],
    recipient: Annotated[str, typer.Option(help="The authority that receives the copies.")],
    basis: Annotated[str, typer.Option(help="The law and article that it rests on.")],
    case: Annotated[str, typer.Option(help="Reference of the case, such as LAW-2026-0001.")],
    purpose: Annotated[str, typer.Option(help="lawful_request or inspection.")] = "lawful_request",
    defer_until: Annotated[
        str | None, typer.Option(help="Day from which the person may see it, such as 2026-12-31.")
    ] = None,
    operator: Annotated[str | None, typer.Option(help="Code of the operator; default: your own.")] = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Ask for evidence of one person to be disclosed.

    Example: shiming disclosures request --as li.wei --subject ps1.x --evidence EVD-1 --recipient ..
    """
    from shiming.privacy.permissions import MayRequestDisclosure
    from shiming.privacy.rules.disclosure import DisclosureRequest
    from shiming.privacy.use_cases.disclosures import request_disclosure

    platform: DisclosurePlatform = context.obj()
    caller = sign_in(platform, user_name, password_file)
    whose = operator if operator is not None else caller.operator or ""
    allow(platform, caller, MayRequestDisclosure(whose))
    wanted = DisclosureRequest(
        subject=subject,
        evidence_ids=tuple(evidence),
        purpose=purpose_of(purpose),
        recipient=recipient,
        legal_basis=basis,
        case_reference=case,
        deferred_until=midnight_of(defer_until),
        operator=whose,
    )
    rules = platform.policy("", platform.today()).disclosures
    found = changed(
        platform,
        lambda connection: request_disclosure(
            platform.privacy, connection, wanted, by=actor_of(caller), policy=rules, now=platform.clock.now()
        ),
    )
    print_one(platform, done(found), as_json=as_json)


@disclosures.command()
def approve(
    context: typer.Context,
    disclosure: DisclosureId,
    user_name: UserName,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Agree to a disclosure that another person asked for.

    Example: shiming disclosures approve DSC-0081-0G3G-50C7-1 --as wang.fang
    """
    from shiming.privacy.permissions import MayApproveDisclosure
    from shiming.privacy.use_cases.disclosures import approve_disclosure

    platform: DisclosurePlatform = context.obj()
    caller = sign_in(platform, user_name, password_file)
    allow(platform, caller, MayApproveDisclosure(caller.operator or ""))
    found = changed(
        platform,
        lambda connection: approve_disclosure(
            platform.privacy,
            connection,
            disclosure,
            by=actor_of(caller),
            now=platform.clock.now(),
            operator=caller.operator,
        ),
    )
    print_one(platform, done(found), as_json=as_json)


@disclosures.command()
def refuse(
    context: typer.Context,
    disclosure: DisclosureId,
    user_name: UserName,
    why: Annotated[str, typer.Option(help="Reason, one line.")],
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """End a disclosure for good; one person is enough.

    Example: shiming disclosures refuse DSC-0081-0G3G-50C7-1 --as wang.fang --why "no legal basis"
    """
    from shiming.privacy.permissions import MayApproveDisclosure
    from shiming.privacy.use_cases.disclosures import refuse_disclosure

    platform: DisclosurePlatform = context.obj()
    caller = sign_in(platform, user_name, password_file)
    allow(platform, caller, MayApproveDisclosure(caller.operator or ""))
    found = changed(
        platform,
        lambda connection: refuse_disclosure(
            platform.privacy,
            connection,
            disclosure,
            by=actor_of(caller),
            why=why,
            now=platform.clock.now(),
            operator=caller.operator,
        ),
    )
    print_one(platform, done(found), as_json=as_json)


@disclosures.command()
def execute(
    context: typer.Context,
    disclosure: DisclosureId,
    user_name: UserName,
    into: Annotated[Path, typer.Option(help="New ZIP file for the marked copies.")],
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Write the marked copies of an approved disclosure into a new ZIP file, once.

    Example: shiming disclosures execute DSC-0081-0G3G-50C7-1 --as li.wei --into copies.zip
    """
    from shiming.infrastructure.database import reading, transact
    from shiming.privacy.copy_files import new_file, packed
    from shiming.privacy.permissions import MayExecuteDisclosure
    from shiming.privacy.use_cases.disclosure_execution import Disclosed, execute_disclosure
    from shiming.privacy.use_cases.disclosures import find_disclosure

    platform: DisclosurePlatform = context.obj()
    caller = sign_in(platform, user_name, password_file)
    allow(platform, caller, MayExecuteDisclosure(caller.operator or ""))
    with reading(platform.engine) as connection:
        known = find_disclosure(connection, disclosure, operator=caller.operator)
    name = platform.operator_name(known.request.operator) if known else ""
    with new_file(into) as file:  # before anything happens: there is no second time
        found = transact(
            platform.engine,
            lambda connection: execute_disclosure(
                platform.privacy,
                connection,
                disclosure,
                by=actor_of(caller),
                operator_name=name,
                on=platform.today(),
                now=platform.clock.now(),
                operator=caller.operator,
            ),
        )
        carried_out = done(found.disclosure if isinstance(found, Disclosed) else found)
        if isinstance(found, Disclosed):
            file.write(packed(found))
    print_one(platform, carried_out, as_json=as_json)


@disclosures.command()
def show(
    context: typer.Context,
    disclosure: DisclosureId,
    user_name: UserName,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Show how far a disclosure has come.

    Example: shiming disclosures show DSC-0081-0G3G-50C7-1 --as wang.fang
    """
    from shiming.infrastructure.database import reading
    from shiming.privacy.use_cases.disclosures import DisclosureUnknown, find_disclosure

    platform: DisclosurePlatform = context.obj()
    caller = sign_in(platform, user_name, password_file)
    allow_reading(platform, caller)
    with reading(platform.engine) as connection:
        found = find_disclosure(connection, disclosure, operator=caller.operator)
    print_one(platform, done(found or DisclosureUnknown(disclosure)), as_json=as_json)


@disclosures.command("list")
def list_all(
    context: typer.Context,
    user_name: UserName,
    subject: Annotated[str | None, typer.Option(help="Pseudonym of the person.")] = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """List disclosures, newest first.

    Example: shiming disclosures list --as wang.fang
    """
    from shiming.infrastructure.database import reading
    from shiming.privacy.use_cases.disclosures import list_disclosures

    platform: DisclosurePlatform = context.obj()
    caller = sign_in(platform, user_name, password_file)
    allow_reading(platform, caller)
    with reading(platform.engine) as connection:
        found = list_disclosures(connection, operator=caller.operator, subject=subject, limit=LISTED_MAX)
    now = platform.clock.now()
    if as_json:
        typer.echo(json.dumps({"disclosures": [to_json(each, now) for each in found]}, ensure_ascii=False))
        return
    for each in found:
        typer.echo(line_of(each, now))
