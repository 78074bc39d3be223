"""Signing in at the operator's OpenID provider. There is no self-registration: the account must be linked.

Nonce and PKCE verifier are derived from a secret that only the browser holds (a short-lived cookie) and the
state, so that an answer is worth nothing in another browser; the state itself is good once.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

from sqlalchemy.engine import Connection, Engine

from shiming.accounts.connectors.openid_provider import OpenIdProvider, ProviderRefused
from shiming.accounts.errors import refused
from shiming.accounts.model import SignInMethod
from shiming.accounts.store import accounts as account_store
from shiming.accounts.store import sign_in as store
from shiming.accounts.use_cases.password_sign_in import SignInRefused
from shiming.accounts.use_cases.sessions import SignedIn, open_session, record
from shiming.accounts.use_cases.tools import CHALLENGE_LIFE, AccountTools, hash_of
from shiming.infrastructure.database import transact
from shiming.vocabulary.permissions import inside

CALLBACK_PATH = "/v1/sign-in/oidc/callback"
_STATE = "oidc.state"


@dataclass(frozen=True, slots=True)
class SentToProvider:
    """Where the browser goes, and the secret that it keeps meanwhile."""

    location: str
    browser_secret: str = field(repr=False)


@inside("whoever signs in is nobody yet")
def begin_provider_sign_in(tools: AccountTools, engine: Engine) -> SentToProvider:
    """Return where to sign in."""
    provider = _provider(tools)
    state, browser_secret = tools.new_secret(), tools.new_secret()
    location = provider.authorization_url(
        state=state,
        nonce=_derived(browser_secret, "nonce", state),
        verifier=_derived(browser_secret, "verifier", state),
        redirect_uri=_redirect_uri(tools),
    )
    expires_at = tools.clock.now() + CHALLENGE_LIFE
    transact(
        engine,
        lambda connection: store.insert_secret(
            connection, secret_hash=hash_of(state), purpose=_STATE, account="", expires_at=expires_at
        ),
    )
    return SentToProvider(location, browser_secret)


@inside("whoever signs in is nobody yet")
def end_provider_sign_in(
    tools: AccountTools,
    engine: Engine,
    *,
    state: str,
    code: str,
    browser_secret: str | None,
    replaces: str | None = None,
) -> SignedIn | SignInRefused:
    """Sign in with the provider's answer."""
    provider, now = _provider(tools), tools.clock.now()
    known = transact(
        engine,
        lambda connection: store.spend_secret(
            connection, secret_hash=hash_of(state), purpose=_STATE, now=now
        ),
    )
    if known is None or not browser_secret:
        return SignInRefused("PROVIDER_REFUSED")
    answer = provider.exchange(
        code=code,
        nonce=_derived(browser_secret, "nonce", state),
        verifier=_derived(browser_secret, "verifier", state),
        redirect_uri=_redirect_uri(tools),
        now=now,
    )

    def work(connection: Connection) -> SignedIn | SignInRefused:
        if isinstance(answer, ProviderRefused):
            facts = {"account": None, "why": "PROVIDER_REFUSED"}
            tools.record(connection, kind="login.failed", facts=facts, now=now)
            return SignInRefused("PROVIDER_REFUSED")
        account = account_store.find_by_link(connection, answer.issuer, answer.subject)
        if account is None:
            facts = {"account": None, "why": "PROVIDER_ACCOUNT_UNKNOWN"}
            tools.record(connection, kind="login.failed", facts=facts, now=now)
            return SignInRefused("PROVIDER_ACCOUNT_UNKNOWN")
        if account.disabled_at is not None:
            record(tools, connection, "login.failed", account, now, why="ACCOUNT_DISABLED")
            return SignInRefused("PROVIDER_ACCOUNT_UNKNOWN")
        return open_session(tools, connection, account, SignInMethod.OIDC, replaces=replaces)

    return transact(engine, work)


def _provider(tools: AccountTools) -> OpenIdProvider:
    if tools.provider is None:
        raise refused("PROVIDER_NOT_CONFIGURED")
    return tools.provider


def _redirect_uri(tools: AccountTools) -> str:
    return tools.settings.public_url + CALLBACK_PATH


def _derived(browser_secret: str, what: str, state: str) -> str:
    key, message = browser_secret.encode(errors="replace"), f"{what} {state}".encode(errors="replace")
    return base64.urlsafe_b64encode(hmac.digest(key, message, hashlib.sha256)).decode().rstrip("=")
