"""Receipts for a holder's wallet: make one, bound to the holder's key, and check one that is shown."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.engine import Connection

from shiming.infrastructure.signing import key_id_of
from shiming.jurisdictions.model import Policy
from shiming.registrations.connectors.sd_jwt_receipt import KeyBinding, issue, parse_holder_key, verify
from shiming.registrations.errors.portable_receipts import NOT_GENUINE
from shiming.registrations.model.portable_receipts import (
    HolderKey,
    PortableGenuine,
    PortableIssued,
    PortableNotGenuine,
    PortableRefused,
    WhatIsAsked,
)
from shiming.registrations.permissions.registration import MayReadReceipt
from shiming.registrations.rules.portable_receipt import (
    decide_portable,
    disclosable_claims,
    is_adult,
    problem_of_claims,
    shown_claims,
)
from shiming.registrations.rules.sd_jwt_disclosures import DisclosureProblem
from shiming.registrations.store.lines import find_line
from shiming.registrations.store.orders import find_order
from shiming.registrations.use_cases.paper_receipts import hash_of_text, note_receipt
from shiming.registrations.use_cases.registering import issue_receipt
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.permissions import asks, inside

PORTABLE = "sd_jwt"
_PUBLIC_KEY_BYTES = 32


@inside("read at the edge, before any line is looked for")
def read_holder_key(jwk: Mapping[str, Any]) -> HolderKey:
    """Return the public key of a wallet; BadInput for anything else."""
    return parse_holder_key(jwk)


@asks(MayReadReceipt)
def issue_portable_receipt(
    tools: RegistrationTools,
    connection: Connection,
    line_id: str,
    holder: HolderKey,
    *,
    issuer: str,
    policy: Policy,
    now: datetime,
) -> PortableIssued | PortableRefused | None:
    """Make a receipt bound to the holder's key, noted by its hash; None when there is no such line."""
    line = find_line(connection, line_id)
    if line is None:
        return None
    proof: Mapping[str, Any] = issue_receipt(tools, connection, line)["proof"]  # type: ignore[assignment] # JSON
    citation = policy.retention.identity.period.citation
    refusals = decide_portable(line, rehearsal=bool(proof["rehearsal"]), citation=citation)
    if refusals:
        return PortableRefused(refusals)
    order = find_order(connection, line.session_id)
    category = policy.documents.get(order.category) if order and order.category else None
    shown = shown_claims(issuer, now)
    disclosable = disclosable_claims(line, level=proof["level"], adult=is_adult(category))
    made = issue(shown, disclosable, holder=holder, signer=tools.signer)
    note_receipt(tools, connection, line, PORTABLE, hash_of_text(made), now=now)
    return PortableIssued(line_id, made, datetime.fromtimestamp(shown["exp"], UTC))


@inside("whoever is shown a receipt may check it")
def verify_portable_receipt(
    presentation: str, wanted: WhatIsAsked, *, now: datetime
) -> PortableGenuine | PortableNotGenuine:
    """Check what a wallet presents: issuer's key, disclosures, the holder's key, kind, issuer, time."""
    binding = None
    if wanted.nonce is not None or wanted.audience is not None:
        if not wanted.nonce or not wanted.audience:  # half a question proves nothing
            return PortableNotGenuine("KEY_BINDING_WRONG", NOT_GENUINE["KEY_BINDING_WRONG"])
        binding = KeyBinding(wanted.nonce, wanted.audience)
    try:
        claims = verify(presentation.strip(), wanted.issuer_keys, binding, now)
    except DisclosureProblem as problem:
        return PortableNotGenuine(problem.code, NOT_GENUINE[problem.code])
    code = problem_of_claims(claims, wanted, now=now)
    if code is not None:
        return PortableNotGenuine(code, NOT_GENUINE[code])
    return PortableGenuine(claims, holder_bound=binding is not None)


@inside("the published form of a public key")
def jwk_of(public_key: str, key_id: str | None = None) -> dict[str, str]:
    """Return an Ed25519 public key (base64) as a JWK (RFC 8037); ValueError for what is none."""
    raw = base64.b64decode(public_key, validate=True)
    if len(raw) != _PUBLIC_KEY_BYTES:
        message = "an Ed25519 public key has 32 bytes"
        raise ValueError(message)
    x = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": x,
        "alg": "EdDSA",
        "use": "sig",
        "kid": key_id or key_id_of(public_key),
    }
