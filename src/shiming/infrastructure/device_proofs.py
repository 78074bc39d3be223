"""Proofs that a device sent a request: a JWS over method, path, body hash, time and nonce, in a header.

    Shiming-Device-Proof: <compact JWS>
    header  {"typ": "device-proof+jwt", "alg": "ES256" or "Ed25519", "kid": "<RFC 7638 thumbprint>"}
    payload {"htm": "POST", "htu": "/v1/...", "bh": "<SHA-256 of the body, base64url>", "iat": 1763800000,
             "jti": "<nonce>", "umh": "<of Upload-Metadata, as the body's; only where it is sent>"}

The form is that of DPoP (RFC 9449) with the key enrolled instead of carried along, and a hash of the body.
ES256 is what browsers keep non-extractable everywhere; programs use Ed25519.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

HEADER = "shiming-device-proof"
TYPE = "device-proof+jwt"
PROOF_CHARACTERS_MAX = 2_000  # one has some 500
NONCE_CHARACTERS = range(16, 65)
KEY_CHARACTERS_MAX = 400  # a public key as JSON has some 130
_ALGORITHMS = {"OKP": "Ed25519", "EC": "ES256"}
_CURVES = {"OKP": "Ed25519", "EC": "P-256"}
_MEMBERS = {"OKP": ("kty", "crv", "x"), "EC": ("kty", "crv", "x", "y")}
_MALFORMED = (JoseError, ValueError, LookupError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class DeviceProof:
    """What a proof says; `issued_at` in seconds since 1970."""

    key_id: str
    method: str
    path: str
    body_hash: str
    issued_at: int
    nonce: str
    said_hash: str = ""  # of the header Upload-Metadata; empty: none was sent


def body_hash(body: bytes) -> str:
    """Return the hash of a body as a proof states it.

    >>> body_hash(b"")
    '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'
    """
    return stated_hash(hashlib.sha256(body).digest())


def stated_hash(sha256: bytes) -> str:
    """Return a SHA-256 as a proof states it, for a body that was hashed while it arrived."""
    return base64.urlsafe_b64encode(sha256).decode().rstrip("=")


def new_key() -> dict[str, Any]:
    """Return a fresh private key as a JWK, for a program that keeps it in a file of its own."""
    return dict(OKPKey.generate_key("Ed25519", private=True).as_dict(private=True))


def public_half(private: Mapping[str, Any]) -> str:
    """Return the public key of a private JWK, as `public_key` wants it; ValueError for what is no key."""
    try:
        key = _imported(private)
        members = {name: key.as_dict(private=False)[name] for name in _MEMBERS[str(private["kty"])]}
    except _MALFORMED as problem:
        raise ValueError("no key") from problem
    return json.dumps(members, sort_keys=True, separators=(",", ":"))


def public_key(text: str) -> str | None:
    """Return a public JWK in its one form; None unless it is a P-256 or Ed25519 key without private part."""
    try:
        given = json.loads(text) if len(text) <= KEY_CHARACTERS_MAX else None
        if not isinstance(given, dict) or "d" in given or given["crv"] != _CURVES[given["kty"]]:
            return None
        return public_half(given)
    except (*_MALFORMED, ValueError):
        return None


def thumbprint(public: str) -> str:
    """Return the RFC 7638 thumbprint of a public key: the same key is enrolled once."""
    return str(_imported(json.loads(public)).thumbprint())


def sign_proof(private: Mapping[str, Any], proof: DeviceProof) -> str:
    """Return the proof as the header carries it."""
    algorithm = _ALGORITHMS[str(private["kty"])]
    return jwt.encode(
        {"alg": algorithm, "typ": TYPE, "kid": proof.key_id},
        {
            "htm": proof.method,
            "htu": proof.path,
            "bh": proof.body_hash,
            "iat": proof.issued_at,
            "jti": proof.nonce,
            **({"umh": proof.said_hash} if proof.said_hash else {}),
        },
        _imported(private),
        algorithms=[algorithm],
    )


def claimed_key(proof: str) -> str | None:
    """Return the key that a proof says it is signed with, before anything is verified."""
    try:
        if len(proof) > PROOF_CHARACTERS_MAX:
            return None
        head = proof.split(".", 1)[0]
        return str(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"])
    except _MALFORMED:
        return None


def read_proof(proof: str, public: str) -> DeviceProof | None:
    """Return what a proof says if this key signed it; None for anything else."""
    try:
        if len(proof) > PROOF_CHARACTERS_MAX:
            return None
        known = json.loads(public)
        read = jwt.decode(proof, _imported(known), algorithms=[_ALGORITHMS[known["kty"]]])
        claims = read.claims
        if read.header.get("typ") != TYPE or len(claims["jti"]) not in NONCE_CHARACTERS:
            return None
        if not isinstance(claims["iat"], int) or not isinstance(claims["jti"], str):
            return None
        return DeviceProof(
            key_id=str(read.header["kid"]),
            method=str(claims["htm"]),
            path=str(claims["htu"]),
            body_hash=str(claims["bh"]),
            issued_at=claims["iat"],
            nonce=claims["jti"],
            said_hash=str(claims.get("umh", "")),
        )
    except _MALFORMED:
        return None


def _imported(jwk: Mapping[str, Any]) -> OKPKey | ECKey:
    return OKPKey.import_key(dict(jwk)) if jwk["kty"] == "OKP" else ECKey.import_key(dict(jwk))
