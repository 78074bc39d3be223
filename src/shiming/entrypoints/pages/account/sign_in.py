"""Signing in: by passkey first (static/js/passkey.js talks to /v1/sign-in/passkey), by password otherwise.

GET  /sign-in            ?next=/counter: where to go afterwards; only paths of this site
POST /sign-in/password
GET  /enrol              the one-time token comes in the fragment (`/enrol#...`), which no log sees
POST /enrol
"""

from typing import Annotated
from urllib.parse import quote

from fastapi import Request, Response
from pydantic import BaseModel, Field

from shiming.accounts.asking import platform_of, session_token, set_session_cookies
from shiming.accounts.sign_in_api import PASSWORD_CHARACTERS_MAX, USER_NAME
from shiming.accounts.use_cases.password_sign_in import SignInRefused, enrol_password, sign_in_by_password
from shiming.accounts.use_cases.sessions import SignedIn
from shiming.entrypoints.http_problems import STATUSES
from shiming.entrypoints.pages.account.visitor import must_enrol, visitor
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.preferences import local_path
from shiming.entrypoints.pages.rendering import page, see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.http.asking import open_to_all
from shiming.infrastructure.http.problems import status_of
from shiming.vocabulary.errors import BadInput

router = page_router()

_SIGNS_IN = "whoever signs in is nobody yet"
_NEXT_CHARACTERS_MAX = 300  # paths of ours are shorter
_NOT_VALID = 422
PASSKEY_PAGE = "/passkey"


class PasswordForm(BaseModel):
    """A user name and a password."""

    user_name: str = Field(pattern=USER_NAME, max_length=60)
    password: str = Field(min_length=1, max_length=PASSWORD_CHARACTERS_MAX)
    next: str = Field(default="/", max_length=_NEXT_CHARACTERS_MAX)


class EnrolForm(BaseModel):
    """The one-time token and the password that the person chose."""

    token: str = Field(pattern=r"^[A-Za-z0-9_-]{20,100}$")
    password: str = Field(min_length=1, max_length=PASSWORD_CHARACTERS_MAX)


@router.get("/sign-in", dependencies=[open_to_all(_SIGNS_IN)])
def show_sign_in(request: Request) -> Response:
    """Show how to sign in; who is signed in already goes on."""
    target = local_path(request.query_params.get("next"))
    asking = visitor(request)
    if asking is not None:
        return see_other(_passkey_page(target) if must_enrol(asking) else target)
    return _sign_in_page(request, target)


@router.post("/sign-in/password", dependencies=[open_to_all(_SIGNS_IN)])
def sign_in_with_password(
    request: Request, filled: Annotated[Filled[PasswordForm], form(PasswordForm)]
) -> Response:
    """Sign in by user name and password."""
    wanted = filled.value
    if wanted is None:
        target = local_path(filled.entered.get("next"))
        return _sign_in_page(request, target, status=_NOT_VALID, **filled.again())
    platform, target = platform_of(request), local_path(wanted.next)
    found = sign_in_by_password(
        platform.accounts,
        platform.engine,
        user_name=wanted.user_name,
        password=wanted.password,
        replaces=session_token(request),
    )
    if isinstance(found, SignInRefused):
        error = found.problem()
        shown = {"error": error, "entered": {"user_name": wanted.user_name}}
        return _sign_in_page(request, target, status=status_of(error, STATUSES), **shown)
    return _signed_in(request, found, target)


@router.get("/enrol", dependencies=[open_to_all("whoever enrols proves it by the one-time token")])
def show_enrolment(request: Request) -> Response:
    """Ask for the one-time token and a first password."""
    return page(request, "account/enrol.html", {"error": None})


@router.post("/enrol", dependencies=[open_to_all("whoever enrols proves it by the one-time token")])
def choose_first_password(
    request: Request, filled: Annotated[Filled[EnrolForm], form(EnrolForm)]
) -> Response:
    """Choose a password with a one-time token, be signed in, and be offered a passkey."""
    wanted = filled.value
    if wanted is None:
        return page(request, "account/enrol.html", {"error": None, **filled.again()}, status=_NOT_VALID)
    platform = platform_of(request)
    try:
        found = enrol_password(
            platform.accounts, platform.engine, token=wanted.token, password=wanted.password
        )
        if isinstance(found, SignInRefused):
            raise found.problem()
    except BadInput as error:  # a token that is over, or a password that the policy does not take
        facts = {"error": error, "entered": {"token": wanted.token}}
        return page(request, "account/enrol.html", facts, status=status_of(error, STATUSES))
    answer = see_other(PASSKEY_PAGE)
    set_session_cookies(answer, found, platform.accounts)
    return answer


def _sign_in_page(request: Request, target: str, *, status: int = 200, **shown: object) -> Response:
    provider = platform_of(request).accounts.provider is not None
    facts = {"next": target, "error": None, "provider": provider, **shown}
    return page(request, "account/sign_in.html", facts, status=status)


def _signed_in(request: Request, found: SignedIn, target: str) -> Response:
    answer = see_other(_passkey_page(target) if found.must_enrol_passkey else target)
    set_session_cookies(answer, found, platform_of(request).accounts)
    return answer


def _passkey_page(target: str) -> str:
    return f"{PASSKEY_PAGE}?next={quote(target)}"
