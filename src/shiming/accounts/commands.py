"""`shiming accounts`: who may sign in, and what their roles are.

These commands work with the installation's own keys on its own machine; whoever can run them can already read
the key file. Each change is a leaf of the ledger, made by `local`.
"""

import json
from collections.abc import Callable
from typing import Annotated, Any

import typer

from shiming.accounts.command_line import LISTED_MAX, LOCAL, AccountsPlatform, AsJson, Operator, print_rows
from shiming.accounts.model import Account
from shiming.accounts.use_cases import accounts as account_use_cases
from shiming.accounts.use_cases.tools import ENROLMENT_LIFE
from shiming.infrastructure.database import reading, unit_of_work
from shiming.vocabulary.errors import Text

accounts = typer.Typer(no_args_is_help=True, add_completion=False, help="Accounts of staff.")
app = accounts

UserName = Annotated[str, typer.Argument(help="User name, such as li.wei.")]
Roles = Annotated[
    list[str],
    typer.Option(
        "--role", help="clerk, supervisor, compliance_officer, privacy_officer, auditor or administrator."
    ),
]


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
        account = account_use_cases.create_account(platform.accounts, connection, wanted, by=LOCAL)
        token = account_use_cases.invite(platform.accounts, connection, account, by=LOCAL)
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
    print_rows(rows, "accounts", as_json=as_json)


@accounts.command("roles")
def change_roles(context: typer.Context, user_name: UserName, role: Roles, as_json: AsJson = False) -> None:
    """Give an account exactly these roles.

    Example: shiming accounts roles li.wei --role clerk --role supervisor
    """
    platform: AccountsPlatform = context.obj()
    roles = account_use_cases.parse_roles(role)
    with unit_of_work(platform.engine) as connection:
        account = account_use_cases.get_account_by_name(connection, user_name)
        changed = account_use_cases.change_roles(platform.accounts, connection, account, roles, by=LOCAL)
    print_rows([_account_json(changed)], "accounts", as_json=as_json)


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
        ended = account_use_cases.end_sessions(platform.accounts, connection, account, by=LOCAL)
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
            platform.accounts, connection, account, by=LOCAL, passkeys=passkeys
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
            platform.accounts, connection, account, issuer=issuer, subject=subject, by=LOCAL
        )
    typer.echo(Text(zh="已关联。", en="Linked.").in_language(platform.language))


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


def _account_json(account: Account) -> dict[str, Any]:
    return {
        "reference": account.reference,
        "user_name": account.user_name,
        "roles": sorted(role.value for role in account.roles),
        "operator": account.operator,
        "passkeys": account.passkeys,
        "disabled_at": account.disabled_at and account.disabled_at.isoformat(),
    }


def _change(context: typer.Context, user_name: str, verb: Callable[..., Account], *, as_json: bool) -> None:
    """Run a verb that changes an account, and print how it stands now."""
    platform: AccountsPlatform = context.obj()
    with unit_of_work(platform.engine) as connection:
        account = account_use_cases.get_account_by_name(connection, user_name)
        changed = verb(platform.accounts, connection, account, by=LOCAL)
    print_rows([_account_json(changed)], "accounts", as_json=as_json)
