"""Accounts of staff, for administrators."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection

from shiming.accounts.asking import platform_of
from shiming.accounts.model import Account, Role
from shiming.accounts.permissions import MayManageAccounts
from shiming.accounts.use_cases import accounts as use_cases
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.etags import etag, if_match, require_version
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotency_key, idempotent
from shiming.infrastructure.http.page import Listing, PageAsked, paged
from shiming.infrastructure.http.problems import problem_responses
from shiming.vocabulary.reference_numbers import ReferenceNumber

OPERATOR = r"^[a-z0-9][a-z0-9-]{1,38}$"
REFERENCE = r"^[0-9A-Za-z-]{5,40}$"
Reference = Annotated[str, Path(pattern=REFERENCE, description="Reference of the account or client.")]
OperatorAsked = Annotated[
    str | None,
    Query(pattern=OPERATOR, description="Only those of this operator."),
]
Administrator = Annotated[Asking, asked(MayManageAccounts)]

router = APIRouter(prefix="/v1/accounts", tags=["accounts"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AccountWanted(_Body):
    """A new account. The number tells one human from another; only a keyed pseudonym of it is kept."""

    user_name: str = Field(pattern=r"^[a-z][a-z0-9._-]{2,39}$", max_length=40)
    person_number: str = Field(pattern=r"^[\w./()-][\w ./()-]{1,38}[\w./()-]$", max_length=40)
    roles: list[Role] = Field(min_length=1, max_length=len(Role))
    operator: str | None = Field(default=None, pattern=OPERATOR)


class AccountChange(_Body):
    """Other roles."""

    roles: list[Role] = Field(min_length=1, max_length=len(Role))


class CredentialReset(_Body):
    """Whether passkeys are lost as well."""

    passkeys: bool = False


class ProviderLink(_Body):
    """Who the person is at the operator's provider."""

    issuer: str = Field(pattern=r"^https?://[\x21-\x7e]{1,380}$", max_length=400)
    subject: str = Field(pattern=r"^[\x21-\x7e]{1,255}$", max_length=255)


class AccountCreated(BaseModel):
    """A new account, which cannot sign in before it was invited."""

    reference: str
    version: int


class AccountShown(BaseModel):
    """An account."""

    reference: str
    user_name: str
    roles: list[str]
    operator: str | None
    created_at: str
    disabled_at: str | None
    version: int
    linked_provider: bool
    passkeys: int


class AccountList(Listing):
    """A page of accounts."""

    items: list[AccountShown]


class SessionsEnded(BaseModel):
    """How many sessions an account had."""

    reference: str
    ended: int


class Invitation(BaseModel):
    """A one-time token, shown this once; the person sends it to POST /v1/enrolments."""

    token: str


@router.get("", responses=problem_responses(400))
def list_accounts(
    request: Request,
    asking: Administrator,
    page: Annotated[PageAsked, paged("accounts")],
    operator: OperatorAsked = None,
) -> AccountList:
    """List accounts in the order of their references."""
    wanted = operator or asking.caller.operator
    asking.allow(MayManageAccounts(wanted or ""))
    after = str(ReferenceNumber.parse(str(page.after[0]))) if page.after else None
    with reading(platform_of(request).engine) as connection:
        found = use_cases.list_accounts(connection, operator=wanted, after=after, limit=page.size + 1)
    shown = page.listing([_shown(account) for account in found], key=lambda item: (item.reference,))
    return AccountList(**shown)


@router.post("", status_code=201, response_model=AccountCreated, responses=problem_responses(400, 409))
def create_account(
    request: Request,
    body: AccountWanted,
    asking: Administrator,
    key: Annotated[str | None, idempotency_key()] = None,
) -> Response:
    """Create an account; invite the person afterwards. The answer repeats neither name nor number."""
    asking.allow(MayManageAccounts(body.operator or ""))
    platform, by = platform_of(request), actor(asking)
    wanted = use_cases.NewAccount(body.user_name, body.person_number, frozenset(body.roles), body.operator)

    def work(connection: Connection) -> Answer:
        account = use_cases.create_account(platform.accounts, connection, wanted, by=by)
        created = AccountCreated(reference=account.reference, version=account.version)
        location = f"{router.prefix}/{account.reference}"
        return Answer.of(201, created, location=location, etag=etag(account.version))

    return idempotent(
        platform.engine,
        asking.caller.reference,
        key,
        hash_of(request, body),
        work,
        now=platform.accounts.clock.now(),
    )


@router.get("/{reference}", responses=problem_responses(404))
def show_account(
    request: Request, response: Response, reference: Reference, asking: Administrator
) -> AccountShown:
    """Return an account with its ETag."""
    with reading(platform_of(request).engine) as connection:
        account = _get(asking, connection, reference)
    response.headers["etag"] = etag(account.version)
    return _shown(account)


@router.patch("/{reference}", responses=problem_responses(400, 404, 409, 412, 428))
def change_account(
    *,
    request: Request,
    response: Response,
    reference: Reference,
    body: AccountChange,
    asking: Administrator,
    version: Annotated[str, if_match()],
) -> AccountShown:
    """Give an account other roles; nobody changes their own."""
    platform = platform_of(request)
    with unit_of_work(platform.engine) as connection:
        account = _get(asking, connection, reference)
        require_version(version, etag(account.version))
        changed = use_cases.change_roles(
            platform.accounts, connection, account, frozenset(body.roles), by=actor(asking)
        )
    response.headers["etag"] = etag(changed.version)
    return _shown(changed)


@router.post("/{reference}/disable", responses=problem_responses(400, 404, 409))
def disable_account(request: Request, reference: Reference, asking: Administrator) -> AccountShown:
    """Let an account sign in no more; its sessions end at once."""
    platform = platform_of(request)
    with unit_of_work(platform.engine) as connection:
        account = _get(asking, connection, reference)
        return _shown(use_cases.disable_account(platform.accounts, connection, account, by=actor(asking)))


@router.post("/{reference}/enable", responses=problem_responses(400, 404, 409))
def enable_account(request: Request, reference: Reference, asking: Administrator) -> AccountShown:
    """Let a disabled account sign in again with its own credentials; its roles are checked anew."""
    platform = platform_of(request)
    with unit_of_work(platform.engine) as connection:
        account = _get(asking, connection, reference)
        return _shown(use_cases.enable_account(platform.accounts, connection, account, by=actor(asking)))


@router.delete("/{reference}/sessions", responses=problem_responses(400, 404))
def end_sessions(request: Request, reference: Reference, asking: Administrator) -> SessionsEnded:
    """End every session of an account, wherever it is signed in; its credentials stay."""
    platform = platform_of(request)
    with unit_of_work(platform.engine) as connection:
        account = _get(asking, connection, reference)
        ended = use_cases.end_sessions(platform.accounts, connection, account, by=actor(asking))
    return SessionsEnded(reference=account.reference, ended=ended)


@router.post("/{reference}/invitation", status_code=201, responses=problem_responses(400, 404, 409))
def invite(request: Request, response: Response, reference: Reference, asking: Administrator) -> Invitation:
    """Return a one-time token with which the person chooses a password; earlier tokens are worthless."""
    platform = platform_of(request)
    with unit_of_work(platform.engine) as connection:
        account = _get(asking, connection, reference)
        token = use_cases.invite(platform.accounts, connection, account, by=actor(asking))
    response.headers["cache-control"] = "no-store"
    return Invitation(token=token)


@router.post("/{reference}/credential-reset", status_code=201, responses=problem_responses(400, 404, 409))
def reset_credentials(
    request: Request, response: Response, reference: Reference, body: CredentialReset, asking: Administrator
) -> Invitation:
    """Take a lost password (and passkeys) away, end all sessions, and invite the person again."""
    platform = platform_of(request)
    with unit_of_work(platform.engine) as connection:
        account = _get(asking, connection, reference)
        token = use_cases.reset_credentials(
            platform.accounts, connection, account, by=actor(asking), passkeys=body.passkeys
        )
    response.headers["cache-control"] = "no-store"
    return Invitation(token=token)


@router.put("/{reference}/provider-link", status_code=204, responses=problem_responses(400, 404, 409))
def link_provider(request: Request, reference: Reference, body: ProviderLink, asking: Administrator) -> None:
    """Let a subject of the operator's provider sign in to this account."""
    platform = platform_of(request)
    with unit_of_work(platform.engine) as connection:
        account = _get(asking, connection, reference)
        use_cases.link_provider(
            platform.accounts,
            connection,
            account,
            issuer=body.issuer,
            subject=body.subject,
            by=actor(asking),
        )


def actor(asking: Asking) -> use_cases.Actor:
    """Return who changes something."""
    return use_cases.Actor(asking.caller.reference, asking.caller.person_key)


def _get(asking: Asking, connection: Connection, reference: str) -> Account:
    """Return an account that the caller may manage; who manages none learns nothing about references."""
    asking.allow(MayManageAccounts(asking.caller.operator or ""))
    account = use_cases.get_account(connection, reference)
    asking.allow(MayManageAccounts(account.operator or ""))
    return account


def _shown(account: Account) -> AccountShown:
    return AccountShown(
        reference=account.reference,
        user_name=account.user_name,
        roles=sorted(role.value for role in account.roles),
        operator=account.operator,
        created_at=account.created_at.isoformat(),
        disabled_at=account.disabled_at.isoformat() if account.disabled_at else None,
        version=account.version,
        linked_provider=account.linked_provider,
        passkeys=account.passkeys,
    )
