"""Signing in at the operator's OpenID provider."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from shiming.accounts.asking import platform_of, session_token
from shiming.accounts.errors import refused
from shiming.accounts.sign_in_api import SessionShown, answer_sign_in
from shiming.accounts.use_cases.provider_sign_in import (
    CALLBACK_PATH,
    begin_provider_sign_in,
    end_provider_sign_in,
)
from shiming.accounts.use_cases.tools import CHALLENGE_LIFE
from shiming.infrastructure.http.asking import open_to_all
from shiming.infrastructure.http.problems import problem_responses

_COOKIE = "shiming_oidc"
_PATH = "/v1/sign-in/oidc"
_COOKIE_CHARACTERS_MAX = 200
_SIGNS_IN = "whoever signs in is nobody yet"
#: A page of our own leads on: after a redirection from another site the strict cookie would stay behind.
_ONWARDS = (
    '<!doctype html><html lang="zh"><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/">'
    '<title>登录 Sign-in</title><p><a href="/">继续 Go on</a></p></html>'
)

router = APIRouter(tags=["sign-in"])


@router.get(
    _PATH,
    status_code=303,
    response_class=Response,
    dependencies=[open_to_all(_SIGNS_IN)],
    responses={303: {"description": "Go to the provider."}, **problem_responses(404, 503)},
)
def begin_sign_in_at_provider(request: Request) -> Response:
    """Send the browser to the provider; a short-lived cookie binds the answer to this browser."""
    platform = platform_of(request)
    sent = begin_provider_sign_in(platform.accounts, platform.engine)
    response = Response(status_code=303, headers={"location": sent.location, "cache-control": "no-store"})
    response.set_cookie(
        _COOKIE,
        sent.browser_secret,
        max_age=int(CHALLENGE_LIFE.total_seconds()),
        path=_PATH,
        secure=platform.accounts.settings.cookies_secure,
        httponly=True,
        samesite="lax",  # it must come along when the provider sends the browser back
    )
    return response


@router.get(
    CALLBACK_PATH,
    response_model=SessionShown,
    dependencies=[open_to_all(_SIGNS_IN)],
    responses=problem_responses(401, 403, 404, 503),
)
def end_sign_in_at_provider(
    request: Request,
    response: Response,
    state: Annotated[str, Query(min_length=1, max_length=200)],
    code: Annotated[str | None, Query(min_length=1, max_length=2_000)] = None,
) -> SessionShown | Response:
    """Take the provider's answer: a session for the account that is linked to who signed in there."""
    platform = platform_of(request)
    if code is None:  # the provider answered with an error, which is nobody's business but theirs
        raise refused("PROVIDER_REFUSED")
    found = end_provider_sign_in(
        platform.accounts,
        platform.engine,
        state=state,
        code=code,
        browser_secret=(request.cookies.get(_COOKIE) or "")[:_COOKIE_CHARACTERS_MAX],
        replaces=session_token(request),
    )
    browser = "text/html" in request.headers.get("accept", "")
    answer = HTMLResponse(_ONWARDS) if browser else response
    shown = answer_sign_in(request, answer, found)
    secure = platform.accounts.settings.cookies_secure
    answer.delete_cookie(_COOKIE, path=_PATH, secure=secure, httponly=True, samesite="lax")
    return answer if browser else shown
