"""`shiming repudiations`: a principal says "not mine" of a line that a proxy registered; people decide."""

from pathlib import Path
from typing import Annotated, cast

import typer

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Forbidden
from shiming.registrations.commands.line_platform import (
    LISTED_MAX,
    AsJson,
    LinePlatform,
    line_of,
    print_json,
    print_refused,
    print_table,
    rules_of,
)
from shiming.registrations.commands.reviews import PasswordFile, StaffPlatform, UserName
from shiming.registrations.commands.secret_files import read_secret
from shiming.registrations.model.repudiation import Repudiation, RepudiationRefused
from shiming.registrations.permissions.repudiation import MayDecideRepudiation
from shiming.registrations.use_cases import repudiation

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Lines that their holder says are not theirs."
)


@app.command("make")
def make(
    context: typer.Context,
    line: Annotated[str, typer.Argument(help="Reference or number of the line.")],
    session: Annotated[str | None, typer.Option(help="Fresh session of the principal.")] = None,
    code_file: Annotated[
        Path | None, typer.Option(help="File with the code of the message; without both: asked for.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Stop a line that its holder says is not theirs, and seal its evidence.

    Example: shiming repudiations make REG-0082-0C20-A1G7-D --session SES-0084-0C20-A1G7-H
    """
    platform: LinePlatform = context.obj()
    code = None if session is not None and code_file is None else _secret(code_file, "Code")
    spoken = repudiation.Spoken(session, code)
    found = line_of(platform, line)
    outcome = transact(
        platform.engine,
        lambda connection: repudiation.repudiate_line(
            platform.registrations,
            connection,
            found.line_id,
            spoken,
            policy=rules_of(platform),
            now=platform.clock.now(),
        ),
    )
    if isinstance(outcome, RepudiationRefused):
        print_refused(outcome.refusals, as_json=as_json, language=platform.language)
        return
    _print((outcome.repudiation,), as_json=as_json)


@app.command("list")
def list_repudiations(
    context: typer.Context,
    operator: Annotated[str | None, typer.Option(help="Only of this operator.")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only what is not decided.")] = False,
    as_json: AsJson = False,
) -> None:
    """List disputes.

    Example: shiming repudiations list --open
    """
    platform: LinePlatform = context.obj()
    with reading(platform.engine) as connection:
        found = repudiation.list_repudiations(
            connection, operator=operator, open_only=open_only, limit=LISTED_MAX
        )
    _print(found, as_json=as_json)


@app.command("decide")
def decide(
    context: typer.Context,
    dispute: Annotated[str, typer.Argument(help="Reference of the dispute, RPD-...")],
    user_name: UserName,
    upheld: Annotated[bool, typer.Option("--upheld/--rejected", help="Whether the line was not theirs.")],
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Decide a dispute: upheld, the line ends and its place is free; rejected, it works again.

    Example: shiming repudiations decide RPD-0082-0C20-A1G7-D --upheld --as wang.fang
    """
    platform: StaffPlatform = context.obj()
    caller = platform.sign_in_staff(user_name, _secret(password_file, "Password"))
    with reading(platform.engine) as connection:
        found = repudiation.find_repudiation(connection, dispute)
    question = MayDecideRepudiation(found.operator if found else caller.operator or "")
    if not platform.gatekeeper.allow(caller, question):
        raise Forbidden(question.code)
    outcome = transact(
        platform.engine,
        lambda connection: repudiation.decide_dispute(
            platform.registrations,
            connection,
            dispute,
            upheld=upheld,
            by=caller.reference,
            policy=rules_of(platform),
            registration_policy=platform.registration_policy,
            now=platform.clock.now(),
        ),
    )
    if isinstance(outcome, RepudiationRefused):
        print_refused(outcome.refusals, as_json=as_json, language=platform.language)
        return
    _print((outcome,), as_json=as_json)


def _secret(file: Path | None, what: str) -> str:
    return (
        read_secret(file) if file is not None else cast("str", typer.prompt(what, hide_input=True, err=True))
    )


def _print(found: tuple[Repudiation, ...], *, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "id": each.repudiation_id,
                "line": each.line_id,
                "operator": each.operator,
                "by": each.means.value,
                "state": each.state.value,
                "stated_at": each.stated_at.isoformat(),
                "decided_at": each.decided_at and each.decided_at.isoformat(),
            }
            for each in found
        ]
        print_json({"repudiations": rows})
        return
    shown = [
        (each.repudiation_id, each.line_id, each.means.value, each.state.value, each.stated_at)
        for each in found
    ]
    print_table(("dispute", "line", "by", "state", "stated at"), shown)
