"""`shiming accounts` and `shiming clients`: who may sign in, and which programs may call.

These commands work with the installation's own keys on its own machine; whoever can run them can already read
the key file. Each change is a leaf of the ledger, made by `local`.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer
from sqlalchemy.engine import Engine

from shiming.accounts.errors import refused
from shiming.accounts.model import Account, Client
from shiming.accounts.use_cases import accounts as account_use_cases
from shiming.accounts.use_cases import clients as client_use_cases
from shiming.accounts.use_cases.tools import ENROLMENT_LIFE, AccountTools
from shiming.infrastructure.database import reading, unit_of_work
from shiming.vocabulary.errors import Text

LISTED_MAX = 200  # a screenful several times over; the API pages through more
PUBLIC_KEYS_BYTES_MAX = 64_000  # a set of a few keys has some 2 000
_BY = account_use_cases.Actor()

accounts = typer.Typer(no_args_is_help=True, add_completion=False, help="Accounts of staff.")
clients = typer.Typer(no_args_is_help=True, add_completion=False, help="Machine clients of the API.")
app = accounts

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]
UserName = Annotated[str, typer.Argument(help="User name, such as li.wei.")]
Roles = Annotated[
    list[str],
    typer.Option(
        "--role", help="clerk, supervisor, compliance_officer, privacy_officer, auditor or administrator."
    ),
]
Operator = Annotated[
    str | None, typer.Option(help="Code of the operator, such as cn-mobile; none: platform.")
]
ClientId = Annotated[str, typer.Argument(help="Reference of the client.")]


class AccountsPlatform(Protocol):
    """What these commands need of the wired program; `context.obj()` returns it."""

    @property
    def engine(self) -> Engine: ...  # noqa: D102 - named by its type
    @property
    def accounts(self) -> AccountTools: ...  # noqa: D102
    @property
    def language(self) -> str: ...  # noqa: D102


@accounts.command("create")
def create_account(
    context: typer.Context,
    user_name: UserName,
    role: Roles,
    person: Annotated[
        str,
        typer.Option(
            prompt="Number of the person (identity document or employment)",
            hide_input=True,
            help="Tells one human from another; only a keyed pseudonym is kept. Asked for when not given.",
        ),
    ],
    operator: Operator = None,
    as_json: AsJson = False,
) -> None:
    """Create an account and print the one-time token with which the person chooses a password.

    Example: shiming accounts create li.wei --role administrator
    """
    platform: AccountsPlatform = context.obj()
    wanted = account_use_cases.NewAccount(user_name, person, account_use_cases.parse_roles(role), operator)
    with unit_of_work(platform.engine) as connection:
        account = account_use_cases.create_account(platform.accounts, connection, wanted, by=_BY)
        token = account_use_cases.invite(platform.accounts, connection, account, by=_BY)
    _print_token(platform, account, token, as_json=as_json)


@accounts.command("list")
def list_accounts(context: typer.Context, operator: Operator = None, as_json: AsJson = False) -> None:
    """List accounts in the order of their references.

    Example: shiming accounts list --operator cn-mobile
    """
    platform: AccountsPlatform = context.obj()
    with reading(platform.engine) as connection:
        found = account_use_cases.list_accounts(connection, operator=operator, limit=LISTED_MAX)
    rows = [_account_json(account) for account in found]
    _print_rows(rows, "accounts", as_json=as_json)


@accounts.command("roles")
def change_roles(context: typer.Context, user_name: UserName, role: Roles, as_json: AsJson = False) -> None:
    """Give an account exactly these roles.

    Example: shiming accounts roles li.wei --role clerk --role supervisor
    """
    platform: AccountsPlatform = context.obj()
    roles = account_use_cases.parse_roles(role)
    with unit_of_work(platform.engine) as connection:
        account = account_use_cases.get_account_by_name(connection, user_name)
        changed = account_use_cases.change_roles(platform.accounts, connection, account, roles, by=_BY)
    _print_rows([_account_json(changed)], "accounts", as_json=as_json)


@accounts.command("disable")
def disable_account(context: typer.Context, user_name: UserName, as_json: AsJson = False) -> None:
    """Let an account sign in no more and end its sessions.

    Example: shiming accounts disable li.wei
    """
    _change(context, user_name, account_use_cases.disable_account, as_json=as_json)


@accounts.command("enable")
def enable_account(context: typer.Context, user_name: UserName, as_json: AsJson = False) -> None:
    """Let a disabled account sign in again with its own credentials.

    Example: shiming accounts enable li.wei
    """
    _change(context, user_name, account_use_cases.enable_account, as_json=as_json)


@accounts.command("end-sessions")
def end_sessions(context: typer.Context, user_name: UserName, as_json: AsJson = False) -> None:
    """End every session of an account, wherever it is signed in; its credentials stay.

    Example: shiming accounts end-sessions li.wei
    """
    platform: AccountsPlatform = context.obj()
    with unit_of_work(platform.engine) as connection:
        account = account_use_cases.get_account_by_name(connection, user_name)
        ended = account_use_cases.end_sessions(platform.accounts, connection, account, by=_BY)
    if as_json:
        typer.echo(json.dumps({"account": account.reference, "ended": ended}))
        return
    text = Text(zh=f"已结束 {ended} 个登录会话。", en=f"Sessions ended: {ended}.")
    typer.echo(text.in_language(platform.language))


@accounts.command("reset-password")
def reset_password(
    context: typer.Context,
    user_name: UserName,
    passkeys: Annotated[bool, typer.Option("--passkeys", help="The passkeys are lost as well.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take a password away, end every session, and print a new one-time token.

    Example: shiming accounts reset-password li.wei
    """
    platform: AccountsPlatform = context.obj()
    with unit_of_work(platform.engine) as connection:
        account = account_use_cases.get_account_by_name(connection, user_name)
        token = account_use_cases.reset_credentials(
            platform.accounts, connection, account, by=_BY, passkeys=passkeys
        )
    _print_token(platform, account, token, as_json=as_json)


@accounts.command("link")
def link_provider(
    context: typer.Context,
    user_name: UserName,
    issuer: Annotated[str, typer.Option(help="The operator's OpenID provider, as in SHIMING_OIDC_ISSUER.")],
    subject: Annotated[str, typer.Option(help="The `sub` of the person there.")],
) -> None:
    """Let a person sign in at the operator's OpenID provider.

    Example: shiming accounts link li.wei --issuer https://id.example.com --subject 248289761001
    """
    platform: AccountsPlatform = context.obj()
    with unit_of_work(platform.engine) as connection:
        account = account_use_cases.get_account_by_name(connection, user_name)
        account_use_cases.link_provider(
            platform.accounts, connection, account, issuer=issuer, subject=subject, by=_BY
        )
    typer.echo(Text(zh="已关联。", en="Linked.").in_language(platform.language))


@clients.command("create")
def create_client(
    context: typer.Context,
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
        client = client_use_cases.create_client(platform.accounts, connection, wanted, by=_BY)
        secret = (
            client_use_cases.new_client_secret(platform.accounts, connection, client, by=_BY)
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
    _print_rows([_client_json(client) for client in found], "clients", as_json=as_json)


@clients.command("disable")
def disable_client(context: typer.Context, client_id: ClientId, as_json: AsJson = False) -> None:
    """Let a client get and use tokens no more, within half a minute.

    Example: shiming clients disable MCH-0082-0C20-A1G7-D
    """
    platform: AccountsPlatform = context.obj()
    with unit_of_work(platform.engine) as connection:
        client = client_use_cases.get_client(connection, client_id)
        disabled = client_use_cases.disable_client(platform.accounts, connection, client, by=_BY)
    _print_rows([_client_json(disabled)], "clients", as_json=as_json)


def _print_token(platform: AccountsPlatform, account: Account, token: str, *, as_json: bool) -> None:
    hours = int(ENROLMENT_LIFE.total_seconds() // 3600)
    if as_json:
        shown = {"account": account.reference, "enrolment_token": token, "valid_hours": hours}
        typer.echo(json.dumps(shown))
        return
    how = Text(
        zh=f"一次性令牌（{hours} 小时内有效，只显示这一次）。本人用 POST /v1/enrolments 设定密码。",
        en=f"One-time token, good for {hours} hours and shown this once. "
        "The person chooses a password with it: POST /v1/enrolments.",
    )
    typer.echo(f"{account.reference}\n{token}\n{how.in_language(platform.language)}")


def _read_keys(file: Path) -> str:
    try:
        content = file.read_bytes()[: PUBLIC_KEYS_BYTES_MAX + 1]
        return content.decode()
    except (OSError, ValueError) as problem:
        raise refused("CLIENT_KEYS_INVALID") from problem


def _account_json(account: Account) -> dict[str, Any]:
    return {
        "reference": account.reference,
        "user_name": account.user_name,
        "roles": sorted(role.value for role in account.roles),
        "operator": account.operator,
        "passkeys": account.passkeys,
        "disabled_at": account.disabled_at and account.disabled_at.isoformat(),
    }


def _client_json(client: Client) -> dict[str, Any]:
    return {
        "reference": client.reference,
        "name": client.name,
        "scopes": sorted(client.scopes),
        "operator": client.operator,
        "disabled_at": client.disabled_at and client.disabled_at.isoformat(),
    }


def _change(context: typer.Context, user_name: str, verb: Callable[..., Account], *, as_json: bool) -> None:
    """Run a verb that changes an account, and print how it stands now."""
    platform: AccountsPlatform = context.obj()
    with unit_of_work(platform.engine) as connection:
        account = account_use_cases.get_account_by_name(connection, user_name)
        changed = verb(platform.accounts, connection, account, by=_BY)
    _print_rows([_account_json(changed)], "accounts", as_json=as_json)


def _print_rows(rows: list[dict[str, Any]], title: str, *, as_json: bool) -> None:
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
