"""The operator's OpenID provider: authorization code with PKCE (RFC 7636), nonce, and a checked id_token.

Everything that comes back is checked as OpenID Connect Core, section 3.1.3.7 says: issuer, audience,
signature by a key of the provider, algorithm, times and nonce.
"""

import hashlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shiming.accounts.base64url import to_base64url
from shiming.vocabulary.errors import BadInput, Text, Unavailable

ALGORITHMS = ("RS256", "ES256", "PS256", "Ed25519")  # never "none", never a shared secret
DISCOVERY_KEPT_S = 3_600.0  # providers change their addresses rarely
KEYS_REFETCHED_AFTER_S = 30.0  # a flood of unknown key ids does not become a flood of requests
TIMEOUT_S = 5.0
ANSWER_BYTES_MAX = 256_000  # a key set with certificates has some 20 000
LEEWAY_S = 60  # clocks of two organisations
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_MALFORMED = (JoseError, ValueError, LookupError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """The provider as the operator configured it."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedInAtProvider:
    """Who the provider says signed in."""

    issuer: str
    subject: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProviderRefused:
    """The provider's answer does not hold; `reason` is a stable code for the log."""

    reason: str


@dataclass(slots=True)
class _Kept:
    metadata: Mapping[str, Any]
    metadata_at: float
    keys: KeySet | None = None
    keys_at: float = 0.0


class OpenIdProvider:
    """One provider; its metadata and keys are kept for a while. Safe to share between threads."""

    def __init__(self, settings: ProviderSettings) -> None:
        _refuse_plain_http(settings.issuer)
        self._settings = settings
        self._client = httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)
        self._kept: _Kept | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def authorization_url(self, *, state: str, nonce: str, verifier: str, redirect_uri: str) -> str:
        """Return where the browser goes to sign in."""
        question = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid",
            "state": state,
            "nonce": nonce,
            "code_challenge": to_base64url(hashlib.sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        endpoint = self._endpoint("authorization_endpoint")
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(question)}"

    def exchange(
        self, *, code: str, nonce: str, verifier: str, redirect_uri: str, now: datetime
    ) -> SignedInAtProvider | ProviderRefused:
        """Trade a code for an id_token and check it."""
        answer = self._send(
            "POST",
            self._endpoint("token_endpoint"),
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect_uri,
                "code_verifier": verifier,
            },
            auth=(self._settings.client_id, self._settings.client_secret),
        )
        if answer.status_code != httpx.codes.OK:
            return ProviderRefused("CODE_REFUSED")
        try:
            id_token = answer.json()["id_token"]
        except _MALFORMED:
            return ProviderRefused("NO_ID_TOKEN")
        return self._verified(str(id_token), nonce, now)

    def _verified(self, id_token: str, nonce: str, now: datetime) -> SignedInAtProvider | ProviderRefused:
        try:
            claims = self._claims(id_token)
            registry = jwt.JWTClaimsRegistry(
                now=int(now.timestamp()),
                leeway=LEEWAY_S,
                iss={"essential": True, "value": self._settings.issuer},
                aud={"essential": True, "value": self._settings.client_id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            )
            registry.validate(claims)
        except _MALFORMED as problem:
            return ProviderRefused(getattr(problem, "error", None) or type(problem).__name__)
        audience = claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != self._settings.client_id:
            return ProviderRefused("OTHER_AUDIENCE")
        return SignedInAtProvider(self._settings.issuer, str(claims["sub"]))

    def _claims(self, id_token: str) -> dict[str, Any]:
        try:
            return jwt.decode(id_token, self._keys(), algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError):  # perhaps signed by a key that is newer than what we keep
            return jwt.decode(id_token, self._keys(again=True), algorithms=list(ALGORITHMS)).claims

    def _endpoint(self, name: str) -> str:
        endpoint = str(self._metadata().metadata.get(name, ""))
        _refuse_plain_http(endpoint)
        return endpoint

    def _metadata(self) -> _Kept:
        with self._lock:
            if self._kept is None or time.monotonic() - self._kept.metadata_at > DISCOVERY_KEPT_S:
                address = f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration"
                found = self._json(address)
                if found.get("issuer") != self._settings.issuer:
                    raise _unavailable("ISSUER_DIFFERS")
                self._kept = _Kept(found, time.monotonic())
            return self._kept

    def _keys(self, *, again: bool = False) -> KeySet:
        kept = self._metadata()
        with self._lock:
            age = time.monotonic() - kept.keys_at
            if kept.keys is None or (again and age > KEYS_REFETCHED_AFTER_S) or age > DISCOVERY_KEPT_S:
                address = str(kept.metadata.get("jwks_uri", ""))
                _refuse_plain_http(address)
                try:
                    kept.keys = KeySet.import_key_set(self._json(address))  # type: ignore[arg-type] # checked there
                except _MALFORMED as problem:
                    raise _unavailable("KEYS_UNREADABLE") from problem
                kept.keys_at = time.monotonic()
            return kept.keys

    def _json(self, address: str) -> dict[str, Any]:
        answer = self._send("GET", address)
        try:
            found = answer.json()
        except ValueError as problem:
            raise _unavailable("NOT_JSON") from problem
        if answer.status_code != httpx.codes.OK or not isinstance(found, dict):
            raise _unavailable(f"STATUS_{answer.status_code}")
        return found

    def _send(self, method: str, address: str, **content: Any) -> httpx.Response:
        try:
            with self._client.stream(method, address, **content) as answer:
                body = bytearray()
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > ANSWER_BYTES_MAX:
                        raise _unavailable("ANSWER_TOO_LARGE")
                return httpx.Response(answer.status_code, content=bytes(body))
        except httpx.HTTPError as problem:
            raise _unavailable(type(problem).__name__) from problem


def _refuse_plain_http(address: str) -> None:
    """Let plain HTTP pass to this machine only; nobody else's words count without TLS."""
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return
    raise BadInput(
        "PROVIDER_ADDRESS_INVALID",
        Text(zh="身份提供方地址必须使用 https。", en="The identity provider's address must be https."),
        Text(zh="请检查 SHIMING_OIDC_ISSUER。", en="Check SHIMING_OIDC_ISSUER."),
    )


def _unavailable(reason: str) -> Unavailable:
    return Unavailable(
        "PROVIDER_UNAVAILABLE",
        Text(zh="身份提供方暂时无法使用。", en="The identity provider cannot be reached."),
        Text(zh="请稍后再试，或使用其他登录方式。", en="Try again later, or sign in another way."),
        {"reason": reason},
    )
