"""What `shiming accounts`, `clients` and `devices` share: the platform they run on, options, tables."""

import json
from typing import Annotated, Any, Protocol

import typer
from sqlalchemy.engine import Engine

from shiming.accounts.use_cases.accounts import Actor
from shiming.accounts.use_cases.tools import AccountTools

LISTED_MAX = 200  # a screenful several times over; the API pages through more
LOCAL = Actor()  # who works at the installation's own machine

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]
Operator = Annotated[
    str | None, typer.Option(help="Code of the operator, such as cn-mobile; none: platform.")
]


class AccountsPlatform(Protocol):
    """What these commands need of the wired program; `context.obj()` returns it."""

    @property
    def engine(self) -> Engine: ...  # noqa: D102 - named by its type
    @property
    def accounts(self) -> AccountTools: ...  # noqa: D102
    @property
    def language(self) -> str: ...  # noqa: D102


def print_rows(rows: list[dict[str, Any]], title: str, *, as_json: bool) -> None:
    """Print rows as a table, or as one JSON object in which they stand under the title."""
    if as_json:
        typer.echo(json.dumps({title: rows}, ensure_ascii=False))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE)
    for name in rows[0] if rows else ("reference",):
        typed_again = name in {"reference", "user_name"}  # into the next command: never cut
        width = max((len(row[name]) for row in rows), default=0) if typed_again else None
        table.add_column(name, overflow="fold", min_width=width)
    for row in rows:
        table.add_row(
            *(" ".join(value) if isinstance(value, list) else str(value or "-") for value in row.values())
        )
    Console().print(table)
