"""`shiming clients`: which programs may call, and what they may ask.

Each change is a leaf of the ledger, made by `local`; see `commands`.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from shiming.accounts.command_line import LISTED_MAX, LOCAL, AccountsPlatform, AsJson, Operator, print_rows
from shiming.accounts.errors import refused
from shiming.accounts.model import Client
from shiming.accounts.use_cases import clients as client_use_cases
from shiming.infrastructure.database import reading, unit_of_work
from shiming.vocabulary.errors import Text

PUBLIC_KEYS_BYTES_MAX = 64_000  # a set of a few keys has some 2 000

clients = typer.Typer(no_args_is_help=True, add_completion=False, help="Machine clients of the API.")
app = clients

ClientId = Annotated[str, typer.Argument(help="Reference of the client.")]


@clients.command("create")
def create_client(
    context: typer.Context,
    *,
    name: Annotated[str, typer.Argument(help="A name to know the program by.")],
    scope: Annotated[list[str], typer.Option("--scope", help="A permission, such as registrations.create.")],
    operator: Operator = None,
    public_keys: Annotated[
        Path | None,
        typer.Option(help="JWKS file: the client signs assertions and gets no secret.", dir_okay=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Create a machine client and print its secret, this once.

    Example: shiming clients create "counter till" --scope sessions.create --operator cn-mobile
    """
    platform: AccountsPlatform = context.obj()
    keys = None if public_keys is None else _read_keys(public_keys)
    wanted = client_use_cases.NewClient(name, frozenset(scope), operator, keys)
    with unit_of_work(platform.engine) as connection:
        client = client_use_cases.create_client(platform.accounts, connection, wanted, by=LOCAL)
        secret = (
            client_use_cases.new_client_secret(platform.accounts, connection, client, by=LOCAL)
            if keys is None
            else None
        )
    shown = {"client_id": client.reference, "client_secret": secret}
    if as_json:
        typer.echo(json.dumps(shown))
        return
    typer.echo(f"client_id      {client.reference}")
    if secret is not None:
        typer.echo(f"client_secret  {secret}")
        once = Text(zh="密钥只显示这一次。", en="The secret is shown this once.")
        typer.echo(once.in_language(platform.language))


@clients.command("list")
def list_clients(context: typer.Context, operator: Operator = None, as_json: AsJson = False) -> None:
    """List machine clients in the order of their references.

    Example: shiming clients list
    """
    platform: AccountsPlatform = context.obj()
    with reading(platform.engine) as connection:
        found = client_use_cases.list_clients(connection, operator=operator, limit=LISTED_MAX)
    print_rows([_client_json(client) for client in found], "clients", as_json=as_json)


@clients.command("disable")
def disable_client(context: typer.Context, client_id: ClientId, as_json: AsJson = False) -> None:
    """Let a client get and use tokens no more, within half a minute.

    Example: shiming clients disable MCH-0082-0C20-A1G7-D
    """
    platform: AccountsPlatform = context.obj()
    with unit_of_work(platform.engine) as connection:
        client = client_use_cases.get_client(connection, client_id)
        disabled = client_use_cases.disable_client(platform.accounts, connection, client, by=LOCAL)
    print_rows([_client_json(disabled)], "clients", as_json=as_json)


def _read_keys(file: Path) -> str:
    try:
        content = file.read_bytes()[: PUBLIC_KEYS_BYTES_MAX + 1]
        return content.decode()
    except (OSError, ValueError) as problem:
        raise refused("CLIENT_KEYS_INVALID") from problem


def _client_json(client: Client) -> dict[str, Any]:
    return {
        "reference": client.reference,
        "name": client.name,
        "scopes": sorted(client.scopes),
        "operator": client.operator,
        "disabled_at": client.disabled_at and client.disabled_at.isoformat(),
    }
