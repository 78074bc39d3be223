"""Accounts of staff: invite (the token is shown once), roles, reset, end sessions, disable, enable."""

from functools import partial
from typing import Annotated, Any

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection

from shiming.accounts.account_api import OPERATOR, Reference, actor
from shiming.accounts.asking import platform_of
from shiming.accounts.model import Account, Role
from shiming.accounts.permissions import MayManageAccounts
from shiming.accounts.use_cases import accounts as use_cases
from shiming.entrypoints.pages.desk.desk_page import Shown, desk_page, table_page, tried
from shiming.entrypoints.pages.desk.managed import MEANT, Managed, SureForm
from shiming.entrypoints.pages.desk.tables import Choice, Column, Table
from shiming.entrypoints.pages.desk.words import joined, options
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import unit_of_work
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.etags import etag, require_version
from shiming.vocabulary.errors import Text

router = page_router()
Administrator = Annotated[Asking, asked(MayManageAccounts)]

_STATES = {
    "usable": Text(zh="可用", en="in use"),
    "new": Text(zh="未设通行密钥", en="no passkey yet"),
    "disabled": Text(zh="已停用", en="disabled"),
}
_TONES = {"usable": "good", "new": "waiting", "disabled": "bad"}


def _state(account: Account) -> str:
    if account.disabled_at:
        return "disabled"
    return "usable" if account.passkeys or account.linked_provider else "new"


TABLE: Table[Account] = Table(
    "accounts",
    Text(zh="员工账号", en="Accounts"),
    (
        Column(
            "user_name",
            Text(zh="用户名", en="User name"),
            lambda account: account.user_name,
            href=lambda account: f"/desk/accounts/{account.reference}",
        ),
        Column("roles", Text(zh="角色", en="Roles"), lambda account: joined(sorted(account.roles))),
        Column(
            "state",
            Text(zh="状态", en="State"),
            lambda account: _STATES[_state(account)],
            look="state",
            tone=lambda account: _TONES[_state(account)],
        ),
        Column(
            "passkeys", Text(zh="通行密钥", en="Passkeys"), lambda account: account.passkeys, look="number"
        ),
        Column("operator", Text(zh="运营企业", en="Operator"), lambda account: account.operator),
        Column("created", Text(zh="创建时间", en="Created"), lambda account: account.created_at),
    ),
    filters=(Choice("state", Text(zh="状态", en="State"), _STATES, _state),),
    search=Text(zh="用户名、角色、运营企业", en="User name, role or operator"),
    order="user_name",
)


class AccountForm(BaseModel):
    """A new account; the number tells one human from another, only a keyed pseudonym of it is kept."""

    model_config = ConfigDict(extra="ignore")
    user_name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9._-]{2,39}$", max_length=40)]
    person_number: Annotated[str, Field(min_length=3, max_length=40, repr=False)]
    roles: Annotated[list[Role], Field(min_length=1)]
    operator: Annotated[str | None, Field(pattern=OPERATOR)] = None


class RolesForm(BaseModel):
    """Other roles, at which version."""

    model_config = ConfigDict(extra="ignore")
    roles: Annotated[list[Role], Field(min_length=1)]
    version: str


class ResetForm(SureForm):
    """That it is meant, and whether the passkeys are lost as well."""

    passkeys: bool = False


def _facts(asking: Asking, account: Account) -> dict[str, Any]:
    return {
        "account": account,
        "state": _STATES[_state(account)],
        "tone": _TONES[_state(account)],
        "roles": options(Role),
        "held": {role.value for role in account.roles},
        "held_words": joined(sorted(account.roles)),
        "own": account.person_key == asking.caller.person_key,
    }


ACCOUNTS = Managed(
    "/desk/accounts",
    "desk/account.html",
    MayManageAccounts,
    use_cases.get_account,
    use_cases.list_accounts,
    _facts,
)


@router.get("/desk/accounts")
def list_accounts(request: Request, asking: Administrator) -> Response:
    """List accounts."""
    return table_page(request, asking, "desk/accounts.html", Shown(TABLE, ACCOUNTS.rows(request, asking)))


@router.get("/desk/accounts/new")
def new_account(request: Request, asking: Administrator) -> Response:
    """Show the form of a new account."""
    asking.allow(MayManageAccounts(asking.caller.operator or ""))
    return _form(request, asking, {})


@router.post("/desk/accounts/new")
def create_account(
    request: Request, asking: Administrator, wanted: Annotated[Filled[AccountForm], form(AccountForm)]
) -> Response:
    """Create an account and invite its person; the token is on the answer and nowhere else."""
    asking.allow(MayManageAccounts(asking.caller.operator or ""))
    chosen, platform = wanted.value, platform_of(request)
    if chosen is None:
        return _form(request, asking, wanted.again(), status=422)
    operator = chosen.operator or asking.caller.operator
    asking.allow(MayManageAccounts(operator or ""))
    made: list[tuple[Account, str]] = []

    def work() -> None:
        new = use_cases.NewAccount(chosen.user_name, chosen.person_number, frozenset(chosen.roles), operator)
        with unit_of_work(platform.engine) as connection:
            account = use_cases.create_account(platform.accounts, connection, new, by=actor(asking))
            token = use_cases.invite(platform.accounts, connection, account, by=actor(asking))
            made.append((account, token))

    if refused := tried(work):
        return _form(request, asking, {"refused": refused, "entered": wanted.entered}, status=409)
    return _token(request, asking, *made[0])


@router.get("/desk/accounts/{reference}")
def show_account(request: Request, reference: Reference, asking: Administrator) -> Response:
    """Show an account."""
    return ACCOUNTS.page(request, asking, ACCOUNTS.get(request, asking, reference))


@router.post("/desk/accounts/{reference}/roles")
def change_roles(
    request: Request,
    reference: Reference,
    asking: Administrator,
    wanted: Annotated[Filled[RolesForm], form(RolesForm)],
) -> Response:
    """Give an account other roles; nobody changes their own."""
    chosen, platform = wanted.value, platform_of(request)

    def work(connection: Connection, account: Account) -> None:
        if chosen is not None:
            require_version(etag(chosen.version), etag(account.version))
            use_cases.change_roles(platform.accounts, connection, account, chosen.roles, by=actor(asking))

    return ACCOUNTS.act(request, asking, reference, wanted, work, then="roles")


@router.post("/desk/accounts/{reference}/disable")
def disable_account(
    request: Request,
    reference: Reference,
    asking: Administrator,
    wanted: Annotated[Filled[SureForm], form(SureForm)],
) -> Response:
    """Let an account sign in no more; its sessions end at once."""
    platform = platform_of(request)

    def work(connection: Connection, account: Account) -> None:
        use_cases.disable_account(platform.accounts, connection, account, by=actor(asking))

    return ACCOUNTS.act(request, asking, reference, wanted, work, then="disabled")


@router.post("/desk/accounts/{reference}/enable")
def enable(
    request: Request,
    reference: Reference,
    asking: Administrator,
    wanted: Annotated[Filled[SureForm], form(SureForm)],
) -> Response:
    """Let a disabled account sign in again."""
    platform = platform_of(request)

    def work(connection: Connection, account: Account) -> None:
        use_cases.enable_account(platform.accounts, connection, account, by=actor(asking))

    return ACCOUNTS.act(request, asking, reference, wanted, work, then="enabled")


@router.post("/desk/accounts/{reference}/end-sessions")
def end_sessions(request: Request, reference: Reference, asking: Administrator) -> Response:
    """End every session of an account; nothing else changes, so nothing is asked twice."""
    platform = platform_of(request)

    def work(connection: Connection, account: Account) -> None:
        use_cases.end_sessions(platform.accounts, connection, account, by=actor(asking))

    return ACCOUNTS.act(request, asking, reference, MEANT, work, then="sessions_ended")


@router.post("/desk/accounts/{reference}/invitation")
def invite(request: Request, reference: Reference, asking: Administrator) -> Response:
    """Make a new one-time token; earlier ones are worthless."""
    platform = platform_of(request)

    def work(connection: Connection, account: Account) -> str:
        return use_cases.invite(platform.accounts, connection, account, by=actor(asking))

    return ACCOUNTS.act(request, asking, reference, MEANT, work, then=partial(_token, request, asking))


@router.post("/desk/accounts/{reference}/reset")
def reset(
    request: Request,
    reference: Reference,
    asking: Administrator,
    wanted: Annotated[Filled[ResetForm], form(ResetForm)],
) -> Response:
    """End all sessions, take the credentials away, forgive failed sign-ins, and invite the person again."""
    platform = platform_of(request)
    passkeys = wanted.value is not None and wanted.value.passkeys

    def work(connection: Connection, account: Account) -> str:
        return use_cases.reset_credentials(
            platform.accounts, connection, account, by=actor(asking), passkeys=passkeys
        )

    return ACCOUNTS.act(request, asking, reference, wanted, work, then=partial(_token, request, asking))


def _token(request: Request, asking: Asking, account: Account, token: str) -> Response:
    answer = desk_page(request, asking, "desk/account_token.html", {"account": account, "token": token})
    answer.headers["cache-control"] = "no-store"
    return answer


def _form(request: Request, asking: Asking, context: dict[str, Any], *, status: int = 200) -> Response:
    facts = {"roles": options(Role), "refused": None, "own_operator": asking.caller.operator, **context}
    return desk_page(request, asking, "desk/account_new.html", facts, status=status)
