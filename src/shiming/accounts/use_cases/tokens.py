"""Access tokens of machine clients: OAuth 2.0 client credentials (RFC 6749 section 4.4).

A client proves itself by its secret (basic or post) or by a signed assertion (RFC 7523). Wrong
credentials are recorded, but never lock: nobody guesses 256 bits, and no stranger may stop a program.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy.engine import Connection, Engine

from shiming.accounts.connectors.access_tokens import (
    TokenClaims,
    claimed_client,
    read_assertion,
    sign_token,
)
from shiming.accounts.model import Client
from shiming.accounts.ports import Fact
from shiming.accounts.rules.permission_table import CLIENT_SCOPES
from shiming.accounts.store import clients as store
from shiming.accounts.store import sign_in as one_time
from shiming.accounts.use_cases.token_keys import TokenKeys
from shiming.accounts.use_cases.tools import TOKEN_LIFE, AccountTools, hash_of
from shiming.infrastructure.database import reading, transact
from shiming.vocabulary.permissions import inside

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
GRANT = "client_credentials"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION = "client.assertion"
_REFERENCE = re.compile(r"[0-9A-Z-]{5,40}")


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a client sent, from the form and the Authorization header."""

    grant_type: str = ""
    scope: str | None = None
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    assertion_type: str | None = None
    assertion: str | None = field(default=None, repr=False)
    ways: int = 1  # how many ways of proving itself were used at once; RFC 6749 section 2.3 allows one


@dataclass(frozen=True, slots=True)
class TokenIssued:
    """A token and how long it is good for."""

    access_token: str = field(repr=False)
    expires_in_s: int
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """An error of RFC 6749 section 5.2."""

    error: str
    description: str


@inside("the client proves itself in the request")
def issue_token(
    tools: AccountTools, engine: Engine, keys: TokenKeys, request: TokenRequest
) -> TokenIssued | TokenRefused:
    """Give a client an access token for the scopes that it asked for, or for all that it has."""
    if not request.grant_type:
        return TokenRefused("invalid_request", "grant_type is missing")
    if request.grant_type != GRANT:
        return TokenRefused("unsupported_grant_type", f"grant_type must be {GRANT}")
    if request.ways > 1:
        return TokenRefused("invalid_request", "use one way of client authentication")
    client = _authenticated(tools, engine, request)
    if client is None:
        _record_failure(tools, engine, request)
        return TokenRefused("invalid_client", "client authentication failed")
    asked = client.scopes if request.scope is None else frozenset(request.scope.split())
    if not asked or not asked <= client.scopes & CLIENT_SCOPES:
        return TokenRefused("invalid_scope", "the client may not have one of these scopes")
    now = tools.clock.now()
    claims = TokenClaims(
        client=client.reference,
        scopes=asked,
        issued_at=int(now.timestamp()),
        expires_at=int((now + TOKEN_LIFE).timestamp()),
        token_id=tools.new_secret(),
    )
    token = sign_token(keys.present(), claims, issuer=tools.settings.issuer)
    _record(tools, engine, "token.issued", client, {"scopes": len(asked)})
    return TokenIssued(token, int(TOKEN_LIFE.total_seconds()), asked)


@inside("clients find out how to get a token before they have one")
def metadata(tools: AccountTools) -> Mapping[str, object]:
    """Return the metadata of RFC 8414."""
    base = tools.settings.public_url
    return {
        "issuer": tools.settings.issuer,
        "token_endpoint": base + TOKEN_PATH,
        "jwks_uri": base + "/.well-known/jwks.json",
        "grant_types_supported": [GRANT],
        "response_types_supported": [],
        "scopes_supported": sorted(CLIENT_SCOPES),
        "token_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
        ],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256", "Ed25519", "PS256", "RS256"],
    }


def _authenticated(tools: AccountTools, engine: Engine, request: TokenRequest) -> Client | None:
    if request.assertion is not None:
        return _by_assertion(tools, engine, request)
    if request.client_secret is None or not _REFERENCE.fullmatch(request.client_id or ""):
        return None
    with reading(engine) as connection:
        found = store.find_credentials(connection, request.client_id or "")
    stored = (found and found.secret_hash) or hash_of("")
    matches = hmac.compare_digest(stored, hash_of(request.client_secret))
    is_good = found is not None and found.secret_hash and matches and found.client.disabled_at is None
    return found.client if found is not None and is_good else None


def _by_assertion(tools: AccountTools, engine: Engine, request: TokenRequest) -> Client | None:
    name = claimed_client(request.assertion or "")
    if request.assertion_type != ASSERTION_TYPE or name is None or not _REFERENCE.fullmatch(name):
        return None
    if request.client_id not in {None, name}:
        return None
    with reading(engine) as connection:
        found = store.find_credentials(connection, name)
    if found is None or found.public_keys is None or found.client.disabled_at is not None:
        return None
    base = tools.settings.public_url
    assertion = read_assertion(
        request.assertion or "",
        client=name,
        public_keys=found.public_keys,
        audiences=(tools.settings.issuer, base + TOKEN_PATH),
        now=tools.clock.now(),
    )
    if assertion is None:
        return None
    expires_at = datetime.fromtimestamp(assertion.expires_at, UTC)

    def keep(connection: Connection) -> bool:
        key = hash_of(f"{name} {assertion.assertion_id}")
        return one_time.insert_secret(
            connection, secret_hash=key, purpose=_ASSERTION, account=name, expires_at=expires_at
        )

    return found.client if transact(engine, keep) else None


def _record_failure(tools: AccountTools, engine: Engine, request: TokenRequest) -> None:
    """Record a failure of a client that exists; a stranger with made-up names does not fill the ledger."""
    name = request.client_id or claimed_client(request.assertion or "") or ""
    with reading(engine) as connection:
        client = store.find_client(connection, name) if _REFERENCE.fullmatch(name) else None
    if client is None:
        return
    _record(tools, engine, "token.refused", client, {"why": "invalid_client"})


def _record(
    tools: AccountTools, engine: Engine, kind: str, client: Client, facts: Mapping[str, Fact]
) -> None:
    def work(connection: Connection) -> None:
        tools.record(
            connection,
            kind=kind,
            facts={"client": client.reference, **facts},
            now=tools.clock.now(),
            operator=client.operator or "",
        )

    transact(engine, work)
