"""SD-JWT (RFC 9901) by the library `sd-jwt`, which is not in the base install.

The library makes and reads them. It leaves some of the standard's checks to its caller (which algorithms,
disclosures that no digest refers to, reserved names), so `rules.sd_jwt_disclosures` reads each presentation
as well, and what the two read must be the same. Our private key never leaves its signer.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shiming.infrastructure.canonical_json import canonical_bytes, parse_object
from shiming.infrastructure.signing import Signer
from shiming.registrations.errors.portable_receipts import driver_missing, holder_key_refused
from shiming.registrations.model.portable_receipts import HolderKey
from shiming.registrations.rules.portable_receipt import problem_of_key_binding
from shiming.registrations.rules.sd_jwt_disclosures import DisclosureProblem, disclosed_claims
from shiming.vocabulary.errors import BadInput

TYPE, KEY_BINDING_TYPE = "dc+sd-jwt", "kb+jwt"
OUR_ALGORITHM = "EdDSA"
PRESENTATION_CHARACTERS_MAX = 65_536
_JWS_PARTS = 3
#: Kinds of holders' keys that wallets have, and the algorithm of each.
_ALGORITHMS = {("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
_PUBLIC_MEMBERS = ("kty", "crv", "x", "y")
_PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


@dataclass(frozen=True, slots=True)
class KeyBinding:
    """The proof that a verifier asks of the holder."""

    nonce: str
    audience: str


def parse_holder_key(jwk: Mapping[str, Any]) -> HolderKey:
    """Return the public key of a wallet; BadInput for a private one, another kind, or one that is none."""
    if _PRIVATE_MEMBERS & set(jwk):
        raise holder_key_refused("HOLDER_KEY_PRIVATE")
    if (jwk.get("kty"), jwk.get("crv")) not in _ALGORITHMS:
        raise holder_key_refused("HOLDER_KEY_INVALID")
    public = {name: str(jwk[name]) for name in _PUBLIC_MEMBERS if name in jwk}
    library = _library()
    try:
        library.jwk.JWK(**public).get_op_key("verify")
    except (ValueError, TypeError, KeyError, library.jws.JWException):
        raise holder_key_refused("HOLDER_KEY_INVALID") from None
    return HolderKey(public)


def issue(
    shown: Mapping[str, Any],
    disclosable: Mapping[str, Any],
    *,
    holder: HolderKey | None,
    signer: Signer,
    decoys: bool = True,
) -> str:
    """Return an SD-JWT: `shown` for every verifier, `disclosable` claim by claim as the holder wishes.

    Values of both may hold `SDObj` of the library to be disclosable in themselves. Decoys hide how many
    claims there are.
    """
    library = _library()

    class Issuer(library.issuer.SDJWTIssuer):  # type: ignore[name-defined,misc] # untyped, imported when needed
        """Signs by our signer, which keeps the private key."""

        def _create_signed_jws(self) -> None:
            header = {"alg": OUR_ALGORITHM, "typ": TYPE, "kid": signer.key_id}
            signed = f"{_encode(canonical_bytes(header))}.{_encode(json.dumps(self.sd_jwt_payload).encode())}"
            signature = base64.b64decode(signer.sign(signed.encode()))
            self.serialized_sd_jwt = f"{signed}.{_encode(signature)}"

    claims = {**shown, **{library.common.SDObj(name): value for name, value in disclosable.items()}}
    holder_key = None if holder is None else _jwk(holder.jwk)
    made = Issuer(claims, None, holder_key, OUR_ALGORITHM, add_decoy_claims=decoys)
    issuance: str = made.sd_jwt_issuance
    return issuance


def verify(
    presentation: str, issuer_keys: tuple[Mapping[str, str], ...], wanted: KeyBinding | None, now: datetime
) -> dict[str, Any]:
    """Return the claims of a presentation; raise `DisclosureProblem` with the code of what is wrong.

    (1) its form and sizes; (2) algorithms and types, before anything is verified; (3) the signature, by a
    trusted key; (4) the disclosures, by our rules and by the library; (5) the holder's key, when it is asked.
    """
    token, disclosures, binding = _parts(presentation)
    header, payload = _header(token), _content(token.split(".")[1])
    if header.get("alg") != OUR_ALGORITHM or header.get("typ") != TYPE or "crit" in header:
        raise DisclosureProblem("SD_JWT_ALGORITHM")
    claims = disclosed_claims(payload, disclosures)
    if wanted is not None:
        _require_binding(binding, payload, now)
    for key in issuer_keys:
        found = _by_library(presentation, key, payload, wanted)
        if found is not None:
            if found != claims:
                raise DisclosureProblem("SD_JWT_FORM")
            return claims
    raise DisclosureProblem("SD_JWT_SIGNATURE")


def _by_library(
    presentation: str, key: Mapping[str, str], payload: Mapping[str, Any], wanted: KeyBinding | None
) -> dict[str, Any] | None:
    """Return what the library reads; None when this key did not sign."""
    library = _library()
    issuer_key, algorithm = _jwk(key), _holder_algorithm(payload)

    class Verifier(library.verifier.SDJWTVerifier):  # type: ignore[name-defined,misc] # as above
        """Takes our algorithm from issuers, and of holders the one of their key."""

        def _verify_sd_jwt(self, get_key: Any, sign_alg: str | None = None) -> None:
            super()._verify_sd_jwt(get_key, sign_alg or OUR_ALGORITHM)

        def _verify_key_binding_jwt(self, aud: str, nonce: str, sign_alg: str | None = None) -> None:
            super()._verify_key_binding_jwt(aud, nonce, sign_alg or algorithm)

    asked = {} if wanted is None else {"expected_aud": wanted.audience, "expected_nonce": wanted.nonce}
    try:
        read = Verifier(presentation, lambda *_: issuer_key, **asked)
        found: dict[str, Any] = read.get_verified_payload()
    except library.jws.InvalidJWSSignature:
        try:
            Verifier(presentation, lambda *_: issuer_key)
        except library.jws.InvalidJWSSignature:
            return None
        raise DisclosureProblem("KEY_BINDING_WRONG") from None
    except (ValueError, KeyError, TypeError, library.jws.JWException):
        raise DisclosureProblem("SD_JWT_FORM" if wanted is None else "KEY_BINDING_WRONG") from None
    return found


def _require_binding(binding: str, payload: Mapping[str, Any], now: datetime) -> None:
    """Look at the proof of the holder's key before its signature is verified."""
    if not binding or _holder_algorithm(payload) is None:
        raise DisclosureProblem("KEY_BINDING_MISSING")
    header = _header(binding)
    if header.get("typ") != KEY_BINDING_TYPE or header.get("alg") != _holder_algorithm(payload):
        raise DisclosureProblem("KEY_BINDING_WRONG")
    problem = problem_of_key_binding(_content(binding.split(".")[1]).get("iat"), now=now)
    if problem:
        raise DisclosureProblem(problem)


def _holder_algorithm(payload: Mapping[str, Any]) -> str | None:
    confirmation = payload.get("cnf")
    jwk = confirmation.get("jwk") if isinstance(confirmation, dict) else None
    return _ALGORITHMS.get((str(jwk.get("kty")), str(jwk.get("crv")))) if isinstance(jwk, dict) else None


def _parts(presentation: str) -> tuple[str, list[str], str]:
    """Split a presentation in compact form; only characters of base64url, dots and tildes are in it."""
    plain = presentation.replace("-", "").replace("_", "").replace(".", "").replace("~", "")
    parts = presentation.split("~")
    if len(presentation) > PRESENTATION_CHARACTERS_MAX or not plain.isalnum() or not plain.isascii():
        raise DisclosureProblem("SD_JWT_FORM")
    if len(parts) == 1 or any(each.count(".") != _JWS_PARTS - 1 for each in (parts[0], parts[-1]) if each):
        raise DisclosureProblem("SD_JWT_FORM")
    return parts[0], parts[1:-1], parts[-1]


def _header(token: str) -> dict[str, Any]:
    return _content(token.split(".", maxsplit=1)[0])


def _content(part: str) -> dict[str, Any]:
    try:
        return parse_object(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, BadInput):
        raise DisclosureProblem("SD_JWT_FORM") from None


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _jwk(members: Mapping[str, str]) -> Any:
    return _library().jwk.JWK(**members)


@dataclass(frozen=True, slots=True)
class _Library:
    issuer: Any
    verifier: Any
    common: Any
    jwk: Any
    jws: Any


def _library() -> _Library:
    """Import the library; Unavailable with what to run when it is not installed."""
    try:
        from jwcrypto import jwk, jws  # noqa: PLC0415 - not in the base install
        from sd_jwt import common, issuer, verifier  # noqa: PLC0415 - not in the base install
    except ModuleNotFoundError as problem:
        raise driver_missing(problem.name) from problem
    return _Library(issuer, verifier, common, jwk, jws)
