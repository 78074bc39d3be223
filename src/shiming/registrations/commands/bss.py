"""`shiming bss`: where operators' BSS are."""

import json
from pathlib import Path
from typing import Annotated, Protocol

import typer
from sqlalchemy.engine import Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.webhooks.destinations import Destinations
from shiming.registrations.commands.secret_files import read_secret
from shiming.registrations.use_cases import bss_endpoints
from shiming.registrations.use_cases.provisioning_tools import ProvisioningTools
from shiming.vocabulary.errors import Text

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Networks that orders go to (TMF641).")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]
Operator = Annotated[str, typer.Argument(help="Code of the operator, such as cn-mobile.")]


class BssPlatform(Protocol):
    """What these commands need of the wired program; `context.obj()` returns it."""

    @property
    def engine(self) -> Engine: ...  # noqa: D102 - named by its type
    @property
    def clock(self) -> Clock: ...  # noqa: D102
    @property
    def destinations(self) -> Destinations: ...  # noqa: D102
    @property
    def provisioning(self) -> ProvisioningTools: ...  # noqa: D102
    @property
    def language(self) -> str: ...  # noqa: D102


@app.command()
def add(
    context: typer.Context,
    operator: Operator,
    url: Annotated[str, typer.Argument(help="https URL above /serviceOrdering/v4 and /serviceInventory/v4.")],
    token_file: Annotated[Path, typer.Option("--token-file", help="File with the bearer token we show.")],
    as_json: AsJson = False,
) -> None:
    """Say where an operator's BSS is; print where it calls back and the secret that signs that, once.

    Example: shiming bss add cn-mobile https://bss.example.com/tmf-api --token-file token
    """
    platform: BssPlatform = context.obj()
    platform.destinations.check_form(url)
    tools, now = platform.provisioning, platform.clock.now()
    token = read_secret(token_file)
    with unit_of_work(platform.engine) as connection:
        bss_endpoints.add_bss(tools, connection, operator=operator, url=url, token=token, now=now)
        secret = bss_endpoints.new_callback_secret(tools, connection, operator=operator, now=now)
    callback = bss_endpoints.callback_url(tools.public_url, operator)
    if as_json:
        typer.echo(json.dumps({"operator": operator, "callback_url": callback, "secret": secret}))
        return
    typer.echo(f"{callback}\n{secret}")
    text = Text(zh="密钥只显示这一次，请立即保存。", en="The secret is shown this once; keep it now.")
    typer.echo(text.in_language(platform.language), err=True)


@app.command("list")
def list_bss(context: typer.Context, as_json: AsJson = False) -> None:
    """List where operators' BSS are.

    Example: shiming bss list
    """
    platform: BssPlatform = context.obj()
    with reading(platform.engine) as connection:
        found = [row.to_json() for row in bss_endpoints.list_bss(connection, operator=None)]
    if as_json:
        typer.echo(json.dumps({"bss": found}, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("operator", "url", "since")
    for row in found:
        table.add_row(row["operator"], row["url"], row["added_at"])
    Console().print(table)


@app.command()
def remove(context: typer.Context, operator: Operator, as_json: AsJson = False) -> None:
    """Forget an operator's BSS and its secrets; its orders wait from now on.

    Example: shiming bss remove cn-mobile
    """
    platform: BssPlatform = context.obj()
    with unit_of_work(platform.engine) as connection:
        bss_endpoints.remove_bss(
            platform.provisioning, connection, operator=operator, now=platform.clock.now()
        )
    text = Text(zh=f"{operator} 的 BSS 已删除。", en=f"The BSS of {operator} is removed.")
    typer.echo(json.dumps({"removed": operator}) if as_json else text.in_language(platform.language))
