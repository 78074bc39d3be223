"""One's own account: passkeys, what one may do, another password, signing out.

GET  /passkey      enrol one (static/js/passkey.js talks to /v1/me/passkeys); ?next= where to go afterwards
GET  /me
POST /me/password
POST /sign-out
"""

from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BaseModel, Field

from shiming.accounts.asking import (
    KnownCaller,
    forget_session_cookies,
    platform_of,
    session_token,
    set_session_cookies,
)
from shiming.accounts.permissions import MayReadOwnAccount
from shiming.accounts.sign_in_api import PASSWORD_CHARACTERS_MAX
from shiming.accounts.use_cases.accounts import show_own_account
from shiming.accounts.use_cases.gatekeeper import codes_of_principal
from shiming.accounts.use_cases.password_sign_in import SignInRefused, change_password
from shiming.accounts.use_cases.sessions import sign_out
from shiming.entrypoints.http_problems import STATUSES
from shiming.entrypoints.pages.account.permission_words import ROLE_WORDS, words_of
from shiming.entrypoints.pages.account.visitor import must_enrol
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.preferences import local_path
from shiming.entrypoints.pages.rendering import page, see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.http.asking import Asking, Forbidden, asked
from shiming.infrastructure.http.problems import status_of
from shiming.vocabulary.errors import BadInput

router = page_router()

_NOT_VALID = 422
Own = Annotated[Asking, asked(MayReadOwnAccount)]


class PasswordChangeForm(BaseModel):
    """The present password and the next."""

    present: str = Field(min_length=1, max_length=PASSWORD_CHARACTERS_MAX)
    password: str = Field(min_length=1, max_length=PASSWORD_CHARACTERS_MAX)


@router.get("/passkey")
def show_passkey_enrolment(request: Request, asking: Own) -> Response:
    """Offer to enrol a passkey; a session that must do so is led nowhere else."""
    _staff(asking)
    target = local_path(request.query_params.get("next"))
    return page(request, "account/passkey.html", {"next": target, "needed": must_enrol(asking)})


@router.get("/me")
def show_me(request: Request, asking: Own) -> Response:
    """Show who one is here and what one may do."""
    _staff(asking)
    return _own_page(request, asking)


@router.post("/me/password")
def change_own_password(
    request: Request, asking: Own, filled: Annotated[Filled[PasswordChangeForm], form(PasswordChangeForm)]
) -> Response:
    """Replace one's own password; every other session ends."""
    account, platform, wanted = _staff(asking), platform_of(request), filled.value
    if wanted is None:
        return _own_page(request, asking, status=_NOT_VALID, mistakes=filled.mistakes)
    try:
        found = change_password(
            platform.accounts,
            platform.engine,
            account=account,
            present=wanted.present,
            password=wanted.password,
        )
        if isinstance(found, SignInRefused):
            raise found.problem()
    except BadInput as error:  # a wrong password, or one that the policy does not take
        return _own_page(request, asking, status=status_of(error, STATUSES), error=error)
    answer = see_other("/me", said="password_changed")
    set_session_cookies(answer, found, platform.accounts)
    return answer


@router.post("/sign-out")
def end_session(request: Request, asking: Own) -> Response:
    """End this session; other sessions of the account go on."""
    account, platform, token = _staff(asking), platform_of(request), session_token(request)
    if token is not None:
        with unit_of_work(platform.engine) as connection:
            sign_out(platform.accounts, connection, account, token)
    answer = see_other("/", said="signed_out")
    forget_session_cookies(answer, platform.accounts)
    return answer


def _own_page(request: Request, asking: Asking, *, status: int = 200, **shown: Any) -> Response:
    with reading(platform_of(request).engine) as connection:
        account, passkeys = show_own_account(connection, asking.caller.reference)
    caller = asking.caller
    principal = caller.principal if isinstance(caller, KnownCaller) else None
    facts = {
        "account": account,
        "roles": [ROLE_WORDS[role] for role in sorted(account.roles)],
        "passkeys": passkeys,
        "permissions": words_of(codes_of_principal(principal)) if principal else (),
        "needed": must_enrol(asking),
        "error": None,
        **shown,
    }
    return page(request, "account/me.html", facts, status=status)


def _staff(asking: Asking) -> str:
    """Return the account of a member of staff; a program has no pages."""
    asking.allow(MayReadOwnAccount())
    if asking.caller.kind != "staff":
        raise Forbidden(MayReadOwnAccount.code)
    return asking.caller.reference
