"""Signing in and out, passkeys, and what one may know about oneself."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from shiming.accounts.asking import (
    KnownCaller,
    forget_session_cookies,
    platform_of,
    session_token,
    set_session_cookies,
)
from shiming.accounts.permissions import MayReadOwnAccount
from shiming.accounts.use_cases import passkeys as passkey_use_cases
from shiming.accounts.use_cases.accounts import show_own_account
from shiming.accounts.use_cases.gatekeeper import codes_of_principal
from shiming.accounts.use_cases.password_sign_in import (
    SignInRefused,
    change_password,
    enrol_password,
    sign_in_by_password,
)
from shiming.accounts.use_cases.sessions import SignedIn, sign_out
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.http.asking import Asking, Forbidden, asked, open_to_all
from shiming.infrastructure.http.problems import problem_responses

USER_NAME = r"^\s{0,8}[A-Za-z][A-Za-z0-9._-]{2,39}\s{0,8}$"
PASSWORD_CHARACTERS_MAX = 256  # what is read at all; the policy accepts fewer
PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
_SIGNS_IN = "whoever signs in is nobody yet"

router = APIRouter(tags=["sign-in"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PasswordSignIn(_Body):
    """A user name and a password."""

    user_name: str = Field(pattern=USER_NAME, max_length=60)
    password: str = Field(min_length=1, max_length=PASSWORD_CHARACTERS_MAX)


class Enrolment(_Body):
    """A one-time token and the password that the person chose."""

    token: str = Field(pattern=r"^[A-Za-z0-9_-]{20,100}$")
    password: str = Field(min_length=1, max_length=PASSWORD_CHARACTERS_MAX)


class PasswordChange(_Body):
    """The present password and the next."""

    present: str = Field(min_length=1, max_length=PASSWORD_CHARACTERS_MAX)
    password: str = Field(min_length=1, max_length=PASSWORD_CHARACTERS_MAX)


class PasskeyAnswer(_Body):
    """What the browser's navigator.credentials returned, as JSON (WebAuthn level 3, toJSON)."""

    credential: dict[str, JsonValue]


class PasskeyEnrolment(PasskeyAnswer):
    """The same for a new passkey, with a name by which the person knows it."""

    name: str = Field(default="", max_length=80, pattern=PRINTABLE)


class SessionShown(BaseModel):
    """A session that began; its token is in the cookie alone."""

    account: str
    method: str
    csrf_token: str = Field(description="Send it back as X-CSRF-Token with every change.")
    must_enrol_passkey: bool = Field(
        description="The role needs a passkey: until one is enrolled the session may do nothing else."
    )


class PasskeyShown(BaseModel):
    """A passkey of one's own."""

    name: str
    created_at: str
    last_used_at: str | None


class Me(BaseModel):
    """What is known about the caller."""

    reference: str
    kind: str
    operator: str | None
    permissions: list[str]
    user_name: str | None = None
    roles: list[str] = []
    must_enrol_passkey: bool = False
    passkeys: list[PasskeyShown] = []


def answer_sign_in(request: Request, response: Response, found: SignedIn | SignInRefused) -> SessionShown:
    """Set the cookies of a new session, or raise why there is none."""
    if isinstance(found, SignInRefused):
        raise found.problem()
    set_session_cookies(response, found, platform_of(request).accounts)
    return SessionShown(
        account=found.account.reference,
        method=found.method.value,
        csrf_token=found.csrf_token,
        must_enrol_passkey=found.must_enrol_passkey,
    )


@router.post(
    "/v1/sign-in/password",
    dependencies=[open_to_all(_SIGNS_IN)],
    responses=problem_responses(400, 401, 403, 429),
)
def sign_in_with_password(request: Request, response: Response, body: PasswordSignIn) -> SessionShown:
    """Sign in by user name and password; too many failures make the name wait."""
    platform = platform_of(request)
    found = sign_in_by_password(
        platform.accounts,
        platform.engine,
        user_name=body.user_name,
        password=body.password,
        replaces=session_token(request),
    )
    return answer_sign_in(request, response, found)


@router.post(
    "/v1/enrolments",
    dependencies=[open_to_all("whoever enrols proves it by the one-time token")],
    responses=problem_responses(400, 401),
)
def choose_first_password(request: Request, response: Response, body: Enrolment) -> SessionShown:
    """Choose a password with a one-time token, and be signed in."""
    platform = platform_of(request)
    found = enrol_password(platform.accounts, platform.engine, token=body.token, password=body.password)
    return answer_sign_in(request, response, found)


@router.put("/v1/me/password", responses=problem_responses(400))
def change_own_password(
    request: Request,
    response: Response,
    body: PasswordChange,
    asking: Annotated[Asking, asked(MayReadOwnAccount)],
) -> SessionShown:
    """Replace one's own password; every other session ends."""
    platform, account = platform_of(request), _staff(asking)
    found = change_password(
        platform.accounts, platform.engine, account=account, present=body.present, password=body.password
    )
    return answer_sign_in(request, response, found)


@router.post("/v1/sign-in/passkey/options", dependencies=[open_to_all(_SIGNS_IN)])
def begin_passkey_sign_in(request: Request) -> dict[str, Any]:
    """Return the options for navigator.credentials.get(); their challenge is good once."""
    platform = platform_of(request)
    with unit_of_work(platform.engine) as connection:
        return passkey_use_cases.begin_sign_in(platform.accounts, connection)


@router.post(
    "/v1/sign-in/passkey", dependencies=[open_to_all(_SIGNS_IN)], responses=problem_responses(400, 401, 403)
)
def sign_in_with_passkey(request: Request, response: Response, body: PasskeyAnswer) -> SessionShown:
    """Sign in with a passkey."""
    platform = platform_of(request)
    with unit_of_work(platform.engine) as connection:
        found = passkey_use_cases.sign_in_by_passkey(
            platform.accounts, connection, body.credential, replaces=session_token(request)
        )
    return answer_sign_in(request, response, found)


@router.post("/v1/me/passkeys/options", responses=problem_responses(400, 409))
def begin_passkey_enrolment(
    request: Request, asking: Annotated[Asking, asked(MayReadOwnAccount)]
) -> dict[str, Any]:
    """Return the options for navigator.credentials.create()."""
    platform, account = platform_of(request), _staff(asking)
    with unit_of_work(platform.engine) as connection:
        return passkey_use_cases.begin_enrolment(platform.accounts, connection, account)


@router.post("/v1/me/passkeys", status_code=201, responses=problem_responses(400))
def enrol_own_passkey(
    request: Request,
    response: Response,
    body: PasskeyEnrolment,
    asking: Annotated[Asking, asked(MayReadOwnAccount)],
) -> SessionShown:
    """Keep a new passkey; the session is replaced by one that began with it."""
    platform, account = platform_of(request), _staff(asking)
    with unit_of_work(platform.engine) as connection:
        found = passkey_use_cases.enrol_passkey(
            platform.accounts,
            connection,
            account,
            body.credential,
            name=body.name,
            replaces=session_token(request),
        )
    return answer_sign_in(request, response, found if isinstance(found, SignInRefused) else found.session)


@router.post("/v1/sign-out", status_code=204)
def end_session(
    request: Request, response: Response, asking: Annotated[Asking, asked(MayReadOwnAccount)]
) -> None:
    """End this session; other sessions of the account go on."""
    platform, token, account = platform_of(request), session_token(request), _staff(asking)
    if token is not None:
        with unit_of_work(platform.engine) as connection:
            sign_out(platform.accounts, connection, account, token)
    forget_session_cookies(response, platform.accounts)


@router.get("/v1/me")
def show_me(request: Request, asking: Annotated[Asking, asked(MayReadOwnAccount)]) -> Me:
    """Return who the caller is and what they may do."""
    asking.allow(MayReadOwnAccount())
    caller = asking.caller
    permissions = []
    if isinstance(caller, KnownCaller) and caller.principal is not None:
        permissions = sorted(codes_of_principal(caller.principal))
    me = Me(reference=caller.reference, kind=caller.kind, operator=caller.operator, permissions=permissions)
    if caller.kind == "client":
        return me
    with reading(platform_of(request).engine) as connection:
        account, passkeys = show_own_account(connection, caller.reference)
    return me.model_copy(
        update={
            "user_name": account.user_name,
            "roles": sorted(role.value for role in account.roles),
            "must_enrol_passkey": isinstance(caller, KnownCaller)
            and caller.principal is not None
            and caller.principal.must_enrol_passkey,
            "passkeys": [
                PasskeyShown(
                    name=passkey.name,
                    created_at=passkey.created_at.isoformat(),
                    last_used_at=passkey.last_used_at.isoformat() if passkey.last_used_at else None,
                )
                for passkey in passkeys
            ],
        }
    )


def _staff(asking: Asking) -> str:
    """Return the account of a member of staff; a program has neither password nor passkey."""
    asking.allow(MayReadOwnAccount())
    if asking.caller.kind != "staff":
        raise Forbidden(MayReadOwnAccount.code)
    return asking.caller.reference
