"""What the commands about transfers share."""

import json
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Protocol, TypeVar

import typer
from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import transact
from shiming.jurisdictions.model import Policy
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.use_cases.deciding import get_held, record_refusal
from shiming.transfers.use_cases.tools import TransferTools
from shiming.vocabulary.refusals import Refusal

REFUSED = 1
_T = TypeVar("_T")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]
LineOption = Annotated[str, typer.Option("--line", help="Reference of the line, REG-...")]
SessionOption = Annotated[str, typer.Option("--session", help="Reference of the verified session.")]
AttestationOption = Annotated[
    str | None, typer.Option(help="Reference of the account that staff looked at, if billing cannot say.")
]


class TransferCommandPlatform(Protocol):
    """What these commands need of the wired program; `context.obj()` returns it."""

    @property
    def engine(self) -> Engine: ...  # noqa: D102 - named by its type
    @property
    def clock(self) -> Clock: ...  # noqa: D102
    @property
    def transfers(self) -> TransferTools: ...  # noqa: D102
    @property
    def default_pack(self) -> str: ...  # noqa: D102
    @property
    def language(self) -> str: ...  # noqa: D102
    def today(self) -> date: ...  # noqa: D102
    def policy(self, pack: str, on: date) -> Policy: ...  # noqa: D102


class _Stopped(Exception):
    def __init__(self, refused: TransferRefused) -> None:
        super().__init__()
        self.refused = refused


def rules_of(platform: TransferCommandPlatform) -> Policy:
    """Return today's rules."""
    return platform.policy(platform.default_pack, platform.today())


def carried_out(
    platform: TransferCommandPlatform,
    work: Callable[[Connection], _T | TransferRefused],
    *,
    entry: str,
    line_id: str,
    as_json: bool,
    keep: bool = False,
) -> _T:
    """Run a command in one transaction; print a refusal and leave with 1. `keep`: what it wrote stays."""

    def stopping(connection: Connection) -> _T | TransferRefused:
        outcome = work(connection)
        if isinstance(outcome, TransferRefused) and not keep:
            raise _Stopped(outcome)
        return outcome

    try:
        outcome = transact(platform.engine, stopping)
    except _Stopped as stopped:
        outcome = stopped.refused
    if not isinstance(outcome, TransferRefused):
        return outcome
    refused = outcome

    def note(connection: Connection) -> None:
        operator = get_held(connection, line_id).line.operator if line_id else ""
        record_refusal(
            platform.transfers,
            connection,
            entry,
            refused,
            line_id=line_id,
            operator=operator,
            now=platform.clock.now(),
        )

    transact(platform.engine, note)
    print_refused(refused.refusals, as_json=as_json, language=platform.language)
    raise typer.Exit(REFUSED)


def print_refused(refusals: tuple[Refusal, ...], *, as_json: bool, language: str) -> None:
    """Print every reason, and what to do."""
    if as_json:
        typer.echo(json.dumps({"refused": [each.to_json() for each in refusals]}, ensure_ascii=False))
        return
    for refusal in refusals:
        clerk, step = refusal.words.clerk, refusal.words.next_step
        typer.echo(f"{refusal.code.value} ({refusal.citation}): {clerk.in_language(language)}", err=True)
        typer.echo(f"  {step.in_language(language)}", err=True)


def show(values: dict[str, Any], *, as_json: bool, zh: str, en: str, language: str) -> None:
    """Print what was done: one JSON object, or one sentence and the references."""
    if as_json:
        typer.echo(json.dumps(values, ensure_ascii=False, default=str))
        return
    typer.echo(zh if language.startswith("zh") else en)
    for name, value in values.items():
        if value is not None and not isinstance(value, dict | list):
            typer.echo(f"  {name}: {value}")
