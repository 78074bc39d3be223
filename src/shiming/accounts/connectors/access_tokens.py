"""Access tokens as signed JWTs (RFC 9068) and the assertions of clients (RFC 7523), by joserfc.

A token names its client and scopes and lives for minutes. Whoever holds the public keys can check one; that
the client was not disabled meanwhile is asked of the database by the use case.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from shiming.accounts.base64url import from_base64url, to_base64url

ALGORITHM = "Ed25519"  # RFC 9864; only this installation signs and reads its tokens
ASSERTION_ALGORITHMS = ("ES256", "Ed25519", "PS256", "RS256")
TOKEN_CHARACTERS_MAX = 4_096  # one with every scope has some 900
ASSERTION_LIFE_S_MAX = 300  # RFC 7523 leaves it to us; a client's clock is rarely off by more
LEEWAY_S = 30
RSA_MODULUS_CHARACTERS_MIN = 342  # 2048 bits in base64url; shorter ones are no longer safe
_TYPE = "at+jwt"
_MALFORMED = (JoseError, ValueError, LookupError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class TokenKey:
    """An Ed25519 key that signs tokens."""

    key_id: str
    seed: bytes = field(repr=False)
    public: str

    def jwk(self) -> dict[str, Any]:
        """Return the public half as a JSON Web Key (RFC 8037)."""
        return public_jwk(self.key_id, self.public)


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """What a token says; times are seconds since 1970."""

    client: str
    scopes: frozenset[str]
    issued_at: int
    expires_at: int
    token_id: str


def new_token_key(seed: bytes) -> TokenKey:
    """Make the key of a 32-byte seed; it is named by its RFC 7638 thumbprint."""
    key = OKPKey.import_key(_private_jwk(seed))
    return TokenKey(key.thumbprint(), seed, str(key.as_dict(private=False)["x"]))


def public_jwk(key_id: str, public: str) -> dict[str, Any]:
    """Return a public key as it is published."""
    return {"kty": "OKP", "crv": "Ed25519", "x": public, "kid": key_id, "alg": ALGORITHM, "use": "sig"}


def sign_token(key: TokenKey, claims: TokenClaims, *, issuer: str) -> str:
    """Return the token in its compact form."""
    return jwt.encode(
        {"alg": ALGORITHM, "typ": _TYPE, "kid": key.key_id},
        {
            "iss": issuer,
            "aud": issuer,
            "sub": claims.client,
            "client_id": claims.client,
            "scope": " ".join(sorted(claims.scopes)),
            "iat": claims.issued_at,
            "exp": claims.expires_at,
            "jti": claims.token_id,
        },
        OKPKey.import_key(_private_jwk(key.seed)),
        algorithms=[ALGORITHM],
    )


def read_token(
    token: str, *, issuer: str, public_key: Callable[[str], str | None], now: datetime
) -> TokenClaims | None:
    """Return what a token says; None when its form, key, signature, audience or time do not hold."""
    try:
        key_id = _header_of(token)["kid"]
        public = public_key(key_id)
        if public is None:
            return None
        read = jwt.decode(token, OKPKey.import_key(public_jwk(key_id, public)), algorithms=[ALGORITHM])
        if read.header.get("typ") != _TYPE:
            return None
        registry = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": issuer},
            client_id={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            jti={"essential": True},
        )
        registry.validate(read.claims)
        return TokenClaims(
            client=str(read.claims["client_id"]),
            scopes=frozenset(str(read.claims["scope"]).split()),
            issued_at=int(read.claims["iat"]),
            expires_at=int(read.claims["exp"]),
            token_id=str(read.claims["jti"]),
        )
    except _MALFORMED:
        return None


@dataclass(frozen=True, slots=True)
class Assertion:
    """A client's signed statement that it is itself, good once."""

    assertion_id: str
    expires_at: int


def read_assertion(
    assertion: str, *, client: str, public_keys: str, audiences: tuple[str, ...], now: datetime
) -> Assertion | None:
    """Return a client's assertion; None when anything about it does not hold (RFC 7523 section 3)."""
    try:
        read = jwt.decode(
            assertion, KeySet.import_key_set(json.loads(public_keys)), algorithms=list(ASSERTION_ALGORITHMS)
        )
        registry = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": client},
            sub={"essential": True, "value": client},
            aud={"essential": True, "values": list(audiences)},
            exp={"essential": True},
            jti={"essential": True},
        )
        registry.validate(read.claims)
        expires_at, assertion_id = int(read.claims["exp"]), read.claims["jti"]
    except _MALFORMED:
        return None
    too_long = expires_at > now.timestamp() + ASSERTION_LIFE_S_MAX + LEEWAY_S
    return None if too_long or not isinstance(assertion_id, str) else Assertion(assertion_id, expires_at)


def claimed_client(assertion: str) -> str | None:
    """Return who an assertion says it is from, before anything is verified."""
    try:
        payload = json.loads(_part(assertion, 1))
        return str(payload["sub"])
    except _MALFORMED:
        return None


def public_key_set(text: str) -> str | None:
    """Return a key set in canonical form if it holds public keys of accepted kinds only; None otherwise."""
    try:
        given = json.loads(text)
        if not given["keys"] or not all(_is_public(key) for key in given["keys"]):
            return None
        keys = KeySet.import_key_set(given).keys
        return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}, sort_keys=True)
    except _MALFORMED:
        return None


def _is_public(key: Mapping[str, Any]) -> bool:
    if key["kty"] == "RSA" and len(key["n"]) < RSA_MODULUS_CHARACTERS_MIN:
        return False
    return key["kty"] in {"EC", "OKP", "RSA"} and "d" not in key


def _private_jwk(seed: bytes) -> dict[str, Any]:
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    x = to_base64url(public.public_bytes(Encoding.Raw, PublicFormat.Raw))
    return {"kty": "OKP", "crv": "Ed25519", "d": to_base64url(seed), "x": x}


def _header_of(token: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(_part(token, 0))
    return found


def _part(token: str, index: int) -> bytes:
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise ValueError(len(token))
    return from_base64url(token.split(".")[index])
