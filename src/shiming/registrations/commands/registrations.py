"""`shiming register` and `shiming lines`: give a number to a proven person, and see a line."""

import json
from typing import Annotated, Any, Protocol

import typer
from sqlalchemy.engine import Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading, transact
from shiming.registrations.model.lines import Line
from shiming.registrations.model.registration import LineRegistered, RegisterLine, RegistrationPolicy
from shiming.registrations.use_cases.lines import show_line
from shiming.registrations.use_cases.registering import register_line
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.refusals import Refusal

REFUSED = 1

app = typer.Typer(no_args_is_help=True, add_completion=False)
lines = typer.Typer(no_args_is_help=True, add_completion=False, help="Registered lines.")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]


class RegistrationPlatform(Protocol):
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
    def language(self) -> str: ...  # noqa: D102


@app.command()
def register(
    context: typer.Context,
    operator: Annotated[str, typer.Option(help="Code of the operator, such as cn-mobile.")],
    number: Annotated[str, typer.Option(help="Number to register, such as +8613800138000.")],
    session: Annotated[str, typer.Option(help="Reference of the verified proofing session.")],
    as_json: AsJson = False,
) -> None:
    """Register a number for the person of a verified session; a repeat returns the same receipt.

    Example: shiming register --operator cn-mobile --number +8613800138000 --session SES-0081-0G3G-50C7-1
    """
    platform: RegistrationPlatform = context.obj()
    policy = platform.registration_policy
    region = policy.number_regions[0] if len(policy.number_regions) == 1 else None
    command = RegisterLine.parse(
        operator=operator, number=number, session_id=session, region=region, also=policy.number_series
    )
    outcome = transact(
        platform.engine,
        lambda connection: register_line(
            platform.registrations, connection, command, policy=policy, now=platform.clock.now()
        ),
    )
    if isinstance(outcome, LineRegistered):
        _print_registered(outcome, as_json=as_json, language=platform.language)
        return
    _print_refused(outcome.refusals, as_json=as_json, language=platform.language)
    raise typer.Exit(REFUSED)


@lines.callback()
def lines_root() -> None:
    """Keep `show` a sub-command while it is the only one."""


@lines.command()
def show(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="Number of the line, such as +8613800138000.")],
    as_json: AsJson = False,
) -> None:
    """Show the line that uses a number, or the last one that did; its holder stays a pseudonym.

    Example: shiming lines show +8613800138000
    """
    platform: RegistrationPlatform = context.obj()
    with reading(platform.engine) as connection:
        line = show_line(connection, platform.registration_policy.read_number(number))
    if as_json:
        typer.echo(json.dumps({"line": line and _line_json(line)}, ensure_ascii=False))
    elif line is None:
        typer.echo({"zh": "该号码没有登记记录。"}.get(platform.language, "This number was never registered."))
    else:
        _print_table(_line_json(line))
    raise typer.Exit(0 if line else REFUSED)


def _line_json(line: Line) -> dict[str, Any]:
    return {
        "id": line.line_id,
        "number": line.number.reveal("shown to who named it"),
        "operator": line.operator,
        "kind": line.kind.value,
        "product_class": line.product_class,
        "status": line.status.value,
        "holder": line.subject,
        "session": line.session_id,
        "registered_at": line.registered_at.isoformat(),
        "terminated_at": line.terminated_at and line.terminated_at.isoformat(),
        "terminated_why": line.terminated_why,
    }


def _print_registered(outcome: LineRegistered, *, as_json: bool, language: str) -> None:
    receipt = outcome.receipt
    if as_json:
        registered = {"outcome": "Registered", "repeated": outcome.repeated}
        typer.echo(
            json.dumps({**registered, "line": receipt["line"], "receipt": receipt}, ensure_ascii=False)
        )
        return
    cap = next((rule for rule in receipt["rules"] if rule["rule"] == "line_cap"), None)
    title = {"zh": "已登记"}.get(language, "Registered")
    _print_table(
        {
            **receipt["line"],
            "lines held": cap and f"{outcome.active or '-'} / {cap['cap']} ({cap['citation']})",
            "session": receipt["proof"]["session"],
            "ledger": f"{receipt['ledger']['leaf']}:{receipt['ledger']['hash']}",
            "signature": receipt["signature"]["key_id"],
        },
        title=title,
    )


def _print_refused(refusals: tuple[Refusal, ...], *, as_json: bool, language: str) -> None:
    if as_json:
        refused = {"outcome": "Refused", "reasons": [refusal.to_json() for refusal in refusals]}
        typer.echo(json.dumps(refused, ensure_ascii=False))
        return
    from rich.console import Console

    console = Console()
    for refusal in refusals:
        words = refusal.words
        console.print(f"[bold red]{refusal.code}[/] {words.clerk.in_language(language)} ({refusal.citation})")
        console.print(f"  → {words.next_step.in_language(language)}")
        said = words.subscriber.in_language(language)
        console.print(f"  {'告知用户' if language.startswith('zh') else 'Tell the subscriber'}: {said}")


def _print_table(fields: dict[str, Any], *, title: str | None = None) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, show_header=False)
    for name, value in fields.items():
        if value is not None:
            table.add_row(name, str(value))
    Console().print(table)
