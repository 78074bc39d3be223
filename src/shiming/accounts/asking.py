"""Accounts at the HTTP edge: the gatekeeper that routes ask, and the cookies of a session.

The session cookie is HttpOnly and SameSite=Strict, and Secure with the `__Host-` prefix wherever the
installation is reached by TLS. A second cookie lets pages of this origin read the CSRF token, which they send
back as `X-CSRF-Token`; it is bound to the session's secret, so that a planted cookie is of no use.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from fastapi import Request, Response
from sqlalchemy.engine import Engine

from shiming.accounts.errors import refused
from shiming.accounts.model import Allowed, Principal
from shiming.accounts.use_cases.gatekeeper import Credentials, Gatekeeper, NotAuthenticated
from shiming.accounts.use_cases.password_sign_in import SignInRefused
from shiming.accounts.use_cases.sessions import SignedIn
from shiming.accounts.use_cases.token_keys import TokenKeys
from shiming.accounts.use_cases.tools import AccountTools
from shiming.infrastructure.http.asking import Caller, Unauthenticated
from shiming.vocabulary.errors import Text
from shiming.vocabulary.permissions import Permission

CSRF_HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_COOKIE_CHARACTERS_MAX = 200  # ours has 43
_TOKEN_REFUSED = Text(zh="访问令牌无效或已过期。", en="The access token is not valid any more.")
_SESSION_OVER = Text(zh="登录已结束，请重新登录。", en="The session is over; sign in again.")


class AccountsPlatform(Protocol):
    """What these routes need of the wired program; `request.app.state.platform`."""

    @property
    def engine(self) -> Engine: ...  # noqa: D102 - named by its type
    @property
    def accounts(self) -> AccountTools: ...  # noqa: D102
    @property
    def token_keys(self) -> TokenKeys: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class KnownCaller(Caller):
    """A caller with the principal behind it; what it may do is decided by that."""

    principal: Principal | None = None

    @classmethod
    def of(cls, principal: Principal) -> "KnownCaller":
        """Return the caller that routes see."""
        return cls(
            reference=principal.reference,
            person_key=principal.person_key,
            kind="client" if principal.kind == "client" else "staff",
            operator=principal.operator,
            principal=principal,
        )


class HttpGatekeeper:
    """The platform's gatekeeper, as `infrastructure.http.asking` wants it."""

    def __init__(self, gatekeeper: Gatekeeper, *, cookies_secure: bool) -> None:
        self._gatekeeper = gatekeeper
        self._session_cookie = session_cookie(secure=cookies_secure)

    def caller(self, request: Request) -> KnownCaller | None:
        """Return who calls; None without credentials; raise for credentials that do not hold."""
        found = self._gatekeeper.authenticate(
            Credentials(
                bearer=_bearer(request.headers),
                session=_short(request.cookies.get(self._session_cookie)),
                csrf=_short(request.headers.get(CSRF_HEADER)),
                changes=request.method not in SAFE_METHODS,
            )
        )
        match found:
            case NotAuthenticated(code="CSRF_TOKEN_MISSING"):
                raise refused("CSRF_TOKEN_MISSING")
            case NotAuthenticated(code):
                raise Unauthenticated(code, _TOKEN_REFUSED if code == "TOKEN_INVALID" else _SESSION_OVER)
            case Principal():
                return KnownCaller.of(found)
            case _:
                return None

    def known_caller(self, request: Request) -> KnownCaller | None:
        """Return who calls if their token was verified a moment ago; reads no database, for async routes."""
        bearer = _bearer(request.headers)
        principal = None if bearer is None else self._gatekeeper.known_token(bearer)
        return KnownCaller.of(principal) if principal else None

    def sign_in_staff(self, user_name: str, password: str) -> KnownCaller:
        """Return who acts at a terminal; raise BadInput when that is nobody, or needs a passkey."""
        found = self._gatekeeper.authenticate_once(user_name, password)
        if isinstance(found, SignInRefused):
            raise found.problem()
        if found.must_enrol_passkey:
            raise refused("PASSKEY_REQUIRED")
        return KnownCaller.of(found)

    def allow(self, caller: Caller, question: Permission) -> bool:
        """Say whether this caller may do this; whoever this gatekeeper did not let in may nothing."""
        if not isinstance(caller, KnownCaller) or caller.principal is None:
            return False
        return isinstance(self._gatekeeper.decide(caller.principal, question), Allowed)


def platform_of(request: Request) -> AccountsPlatform:
    """Return the wired program."""
    platform: AccountsPlatform = request.app.state.platform
    return platform


def session_cookie(*, secure: bool) -> str:
    """Return the name of the session cookie; browsers take `__Host-` names from this host by TLS only."""
    return "__Host-shiming_session" if secure else "shiming_session"


def csrf_cookie(*, secure: bool) -> str:
    """Return the name of the cookie that pages read the CSRF token from."""
    return "__Host-shiming_csrf" if secure else "shiming_csrf"


def session_token(request: Request) -> str | None:
    """Return the session token that the browser sent."""
    secure = platform_of(request).accounts.settings.cookies_secure
    return _short(request.cookies.get(session_cookie(secure=secure)))


def set_session_cookies(response: Response, signed_in: SignedIn, tools: AccountTools) -> None:
    """Hand the new session to the browser."""
    secure, seconds = tools.settings.cookies_secure, int(tools.settings.sessions.absolute.total_seconds())
    for name, value, hidden in (
        (session_cookie(secure=secure), signed_in.token, True),
        (csrf_cookie(secure=secure), signed_in.csrf_token, False),
    ):
        response.set_cookie(
            name, value, max_age=seconds, path="/", secure=secure, httponly=hidden, samesite="strict"
        )
    response.headers["cache-control"] = "no-store"


def forget_session_cookies(response: Response, tools: AccountTools) -> None:
    """Take the session from the browser."""
    secure = tools.settings.cookies_secure
    for name, hidden in ((session_cookie(secure=secure), True), (csrf_cookie(secure=secure), False)):
        response.delete_cookie(name, path="/", secure=secure, httponly=hidden, samesite="strict")


def _bearer(headers: Mapping[str, str]) -> str | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _short(value: str | None) -> str | None:
    return value if value is None or len(value) <= _COOKIE_CHARACTERS_MAX else value[:_COOKIE_CHARACTERS_MAX]
