"""What the commands about lines, numbers and cards share."""

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer
from sqlalchemy.engine import Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading
from shiming.jurisdictions.model import Policy
from shiming.registrations.model.lines import Line
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.use_cases.import_reports import ImportReport
from shiming.registrations.use_cases.lines import find_line, show_line
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.refusals import Refusal

REFUSED = 1
LISTED_MAX = 200  # a screen or two; programs page through the API
_BAD_ROWS_PRINTED = 50  # the rest is in the JSON

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]
Operator = Annotated[str, typer.Option(help="Code of the operator, such as north-mobile.")]
TableFile = Annotated[Path, typer.Argument(help="CSV in UTF-8, or XLSX.", exists=True, dir_okay=False)]


class LinePlatform(Protocol):
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


def rules_of(platform: LinePlatform) -> Policy:
    """Return today's rules."""
    return platform.policy(platform.default_pack, platform.today())


def read_number(platform: LinePlatform, text: str) -> Msisdn:
    """Read a number as it was typed; raise BadInput."""
    return platform.registration_policy.read_number(text)


def line_of(platform: LinePlatform, named: str) -> Line:
    """Return the line that somebody named by its reference or its number; raise BadInput."""
    with reading(platform.engine) as connection:
        if named[:1].isalpha():
            found = find_line(connection, named)
        else:
            found = show_line(connection, read_number(platform, named))
    if found is None:
        raise BadInput(
            "LINE_UNKNOWN",
            Text(zh="没有这条登记。", en="There is no such line."),
            Text(zh="请核对编号或号码。", en="Compare the reference or the number."),
        )
    return found


def print_json(content: dict[str, Any]) -> None:
    """Print one object for programs."""
    typer.echo(json.dumps(content, ensure_ascii=False, default=str))


def print_refused(refusals: Iterable[Refusal], *, as_json: bool, language: str) -> None:
    """Print every reason, and end with the code of a refusal."""
    if as_json:
        print_json({"outcome": "Refused", "reasons": [refusal.to_json() for refusal in refusals]})
        raise typer.Exit(REFUSED)
    from rich.console import Console

    console = Console()
    told = "告知用户" if language.startswith("zh") else "Tell the subscriber"
    for refusal in refusals:
        words = refusal.words
        console.print(f"[bold red]{refusal.code}[/] {words.clerk.in_language(language)} ({refusal.citation})")
        console.print(f"  → {words.next_step.in_language(language)}")
        console.print(f"  {told}: {words.subscriber.in_language(language)}")
    raise typer.Exit(REFUSED)


def print_import(report: ImportReport, *, as_json: bool, language: str) -> None:
    """Print what came of a file; end with the code of a refusal when rows were passed over."""
    if as_json:
        print_json(report.to_json())
    else:
        if language.startswith("zh"):
            typer.echo(f"新增 {report.added}，已有 {report.unchanged}，未导入 {report.refused}")
        else:
            typer.echo(f"added {report.added}, there already {report.unchanged}, refused {report.refused}")
        for row in report.bad_rows[:_BAD_ROWS_PRINTED]:
            typer.echo(f"  {row.line}: {row.column}: {row.code}: {row.text.in_language(language)}")
    if report.refused:
        raise typer.Exit(REFUSED)


def print_table(headings: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    """Print a table for people."""
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for index, heading in enumerate(headings):
        table.add_column(heading, no_wrap=index == 0)  # references are copied in one piece
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    Console().print(table)
