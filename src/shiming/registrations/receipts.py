"""The registration receipt: what was registered, by which proof and rule, signed.

RFC 8785 JSON with an Ed25519 signature over everything but the `signature` member. It carries the line and
its leaf in the ledger, no name and no identity number; the subscriber can keep it and show it. The content
is written with the line; it is signed when it is given out, and the same content gets the same signature
(RFC 8032 signatures are deterministic) as long as the key is the same.
"""

from collections.abc import Mapping
from typing import Any

from shiming.infrastructure.canonical_json import canonical_bytes
from shiming.infrastructure.signing import Signer, key_id_of, verify_signature
from shiming.privacy.model import LeafRef
from shiming.registrations.model.lines import Line
from shiming.registrations.model.registration import RegistrationPolicy, SessionUsable

KIND = "registration_receipt"
VERSION = 2


def receipt_content(
    line: Line,
    session: SessionUsable,
    *,
    evidence: tuple[str, ...],
    policy: RegistrationPolicy,
    leaf: LeafRef,
) -> dict[str, Any]:
    """Return what the receipt of a line says."""
    cap = policy.line_cap.lines_per_holder_max
    return {
        "kind": KIND,
        "version": VERSION,
        "line": {
            "id": line.line_id,
            "number": line.number.reveal("registration receipt"),
            "operator": line.operator,
            "product_class": line.product_class,
            "status": line.status.value,
            "registered_at": line.registered_at.isoformat(),
        },
        "proof": {
            "session": line.session_id,
            "level": session.level,
            "decision_receipt_hash": session.receipt_hash,
            "rehearsal": session.rehearsal,
        },
        "rules": [
            {"rule": "line_cap", "citation": cap.citation, "cap": cap.value},
            {"rule": "session_usable", "citation": policy.session_citation},
            {"rule": "number_free", "citation": policy.number_citation},
        ],
        "pack": {"id": policy.pack_id, "version": policy.pack_version, "hash": policy.pack_hash},
        "evidence": list(evidence),
        "ledger": {"leaf": leaf.leaf_id, "hash": leaf.hash},
    }


def sign_receipt(content: Mapping[str, Any], signer: Signer) -> dict[str, Any]:
    """Return the receipt with its signature."""
    return {
        **content,
        "signature": {
            "algorithm": "Ed25519",
            "key_id": signer.key_id,
            "public_key": signer.public_key,
            "value": signer.sign(canonical_bytes(dict(content))),
        },
    }


def receipt_is_genuine(receipt: Mapping[str, Any], public_key: str) -> bool:
    """Say whether a receipt is whole and was signed by the key that the verifier trusts."""
    content = {name: value for name, value in receipt.items() if name != "signature"}
    signature = receipt.get("signature")
    if not isinstance(signature, Mapping) or signature.get("key_id") != key_id_of(public_key):
        return False
    return verify_signature(public_key, str(signature.get("value")), canonical_bytes(content))
