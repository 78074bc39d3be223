"""Who stands behind a request, and what they may do. Knows nothing of HTTP but what it is handed.

A machine client shows a token: verified once, then known by its hash until it expires, while the database is
asked every half minute whether the client may still come in. Staff show a session cookie, which is looked up
each time, because signing somebody out must work at once.
"""

import hmac
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy.engine import Engine

from shiming.accounts.connectors.access_tokens import TOKEN_CHARACTERS_MAX, TokenClaims, read_token
from shiming.accounts.model import Allowed, Denied, Principal, PrincipalKind
from shiming.accounts.rules.permission_table import OWN_CODES, codes_of, decide_permission
from shiming.accounts.rules.session_limits import decide_session
from shiming.accounts.store import accounts as account_store
from shiming.accounts.store import clients as client_store
from shiming.accounts.store import sign_in as session_store
from shiming.accounts.use_cases.password_sign_in import SignInRefused, sign_in_by_password
from shiming.accounts.use_cases.sessions import csrf_token_of, must_enrol_passkey
from shiming.accounts.use_cases.token_keys import TokenKeys
from shiming.accounts.use_cases.tools import (
    SEEN_EVERY,
    TOKEN_CHECK_EVERY,
    TOKENS_KEPT_MAX,
    AccountTools,
    hash_of,
)
from shiming.infrastructure.database import reading, unit_of_work
from shiming.vocabulary.errors import Unavailable
from shiming.vocabulary.permissions import Permission, inside


@dataclass(frozen=True, slots=True)
class Credentials:
    """What came with a request; `changes` is true for methods other than GET, HEAD and OPTIONS."""

    bearer: str | None = field(default=None, repr=False)
    session: str | None = field(default=None, repr=False)
    csrf: str | None = field(default=None, repr=False)
    changes: bool = False


@dataclass(frozen=True, slots=True)
class NotAuthenticated:
    """Credentials were shown and do not hold; `code` is a stable code."""

    code: str


@dataclass(frozen=True, slots=True)
class _KnownToken:
    principal: Principal
    claims: TokenClaims
    ask_again_at: datetime


class Gatekeeper:
    """One for each server process; safe to share between threads."""

    def __init__(self, tools: AccountTools, engine: Engine, token_keys: TokenKeys) -> None:
        self._tools = tools
        self._engine = engine
        self._token_keys = token_keys
        self._tokens: OrderedDict[str, _KnownToken] = OrderedDict()
        self._lock = threading.Lock()

    @inside("the edge asks it before every use case")
    def authenticate(self, shown: Credentials) -> Principal | NotAuthenticated | None:
        """Return who asks; None when no credentials were shown. A token counts before a cookie."""
        if shown.bearer is not None:
            return self._by_token(shown.bearer) or NotAuthenticated("TOKEN_INVALID")
        if shown.session is None:
            return None
        principal = self._by_session(shown.session)
        if principal is None:
            return NotAuthenticated("SESSION_OVER")
        if shown.changes and not _same(shown.csrf or "", csrf_token_of(shown.session)):
            return NotAuthenticated("CSRF_TOKEN_MISSING")
        return principal

    @inside("a command at a terminal has no browser")
    def authenticate_once(self, user_name: str, password: str) -> Principal | SignInRefused:
        """Return who signs in by password for one command; the session is over before it begins."""
        signed_in = sign_in_by_password(self._tools, self._engine, user_name=user_name, password=password)
        if isinstance(signed_in, SignInRefused):
            return signed_in
        principal = self._by_session(signed_in.token)
        with unit_of_work(self._engine) as connection:
            session_store.revoke_session(connection, hash_of(signed_in.token), self._tools.clock.now())
        return principal or SignInRefused("SIGN_IN_FAILED")

    @inside("an asynchronous route asks it first, to stay out of the thread pool")
    def known_token(self, bearer: str) -> Principal | None:
        """Return who holds a token that was verified a moment ago, without reading the database."""
        now = self._tools.clock.now()
        with self._lock:
            known = self._tokens.get(hash_of(bearer))
        if known is None or now >= known.ask_again_at or now.timestamp() >= known.claims.expires_at:
            return None
        return known.principal

    @inside("the edge asks it before every use case")
    def decide(self, principal: Principal, question: Permission) -> Allowed | Denied:
        """Answer a question."""
        return decide_permission(principal, question)

    @inside("whoever disabled a client on this server need not wait for the next check")
    def forget_tokens(self) -> None:
        """Ask the database again about every token."""
        with self._lock:
            self._tokens.clear()

    def _by_token(self, bearer: str) -> Principal | None:
        if len(bearer) > TOKEN_CHARACTERS_MAX:
            return None
        if (known := self.known_token(bearer)) is not None:
            return known
        now, key = self._tools.clock.now(), hash_of(bearer)
        with self._lock:
            verified = self._tokens.pop(key, None)
        claims = verified.claims if verified else self._read(bearer, now)
        if claims is None or now.timestamp() >= claims.expires_at:
            return None
        principal = self._client(claims)
        if principal is None:
            return None
        with self._lock:
            self._tokens[key] = _KnownToken(principal, claims, now + TOKEN_CHECK_EVERY)
            if len(self._tokens) > TOKENS_KEPT_MAX:
                self._tokens.popitem(last=False)
        return principal

    def _read(self, bearer: str, now: datetime) -> TokenClaims | None:
        issuer = self._tools.settings.issuer
        return read_token(bearer, issuer=issuer, public_key=self._token_keys.public_key, now=now)

    def _client(self, claims: TokenClaims) -> Principal | None:
        with reading(self._engine) as connection:
            client = client_store.find_client(connection, claims.client)
        if client is None or client.disabled_at is not None:
            return None
        issued_at = datetime.fromtimestamp(claims.issued_at, UTC)
        if client.tokens_valid_from is not None and issued_at < client.tokens_valid_from:
            return None
        return Principal(
            reference=client.reference,
            person_key=client.reference,
            kind=PrincipalKind.CLIENT,
            scopes=claims.scopes & client.scopes,
            operator=client.operator,
        )

    def _by_session(self, token: str) -> Principal | None:
        now, key = self._tools.clock.now(), hash_of(token)
        with reading(self._engine) as connection:
            session = session_store.find_session(connection, key)
            if session is None or decide_session(session, policy=self._tools.settings.sessions, now=now):
                return None
            account = account_store.find_account(connection, session.account)
        if account is None or account.disabled_at is not None:
            return None
        if now >= session.last_seen_at + SEEN_EVERY:
            self._note_seen(key, now)
        return Principal(
            reference=account.reference,
            person_key=account.person_key,
            kind=PrincipalKind.STAFF,
            roles=account.roles,
            operator=account.operator,
            must_enrol_passkey=must_enrol_passkey(self._tools, account, session.method),
        )

    def _note_seen(self, key: str, now: datetime) -> None:
        try:
            with unit_of_work(self._engine) as connection:
                session_store.session_seen(connection, key, now)
        except Unavailable:  # a busy database must not sign anybody out; the next request notes it
            return


@inside("a caller is shown what they may do")
def codes_of_principal(principal: Principal) -> frozenset[str]:
    """Return the codes that a principal holds now."""
    return OWN_CODES if principal.must_enrol_passkey else codes_of(principal)


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), wanted.encode())
