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
from shiming.jurisdictions.model import HolderKind, ProductClass
from shiming.privacy.model import LeafRef
from shiming.registrations.model.lines import Line
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.model.registration import RegistrationPolicy, SessionUsable

KIND = "registration_receipt"
VERSION = 4


def receipt_content(
    line: Line,
    session: SessionUsable,
    order: LineOrder | None,
    *,
    evidence: tuple[str, ...],
    policy: RegistrationPolicy,
    leaf: LeafRef,
) -> dict[str, Any]:
    """Return what the receipt of a line says."""
    return {
        "kind": KIND,
        "version": VERSION,
        "line": {
            "id": line.line_id,
            "number": line.number.reveal("registration receipt"),
            "operator": line.operator,
            "kind": line.kind.value,
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
        "representative": _representative(order),
        "organisation": None if order is None else order.organisation,
        "contract": _contract(order),
        "rules": _rules(line, order, policy),
        "pack": {"id": policy.pack_id, "version": policy.pack_version, "hash": policy.pack_hash},
        "evidence": list(evidence),
        "ledger": {"leaf": leaf.leaf_id, "hash": leaf.hash},
    }


def _representative(order: LineOrder | None) -> dict[str, Any] | None:
    """Return who acted for the holder, by references: role, own proof, document of the authority."""
    behalf = None if order is None else order.representative
    if behalf is None:
        return None
    return {
        "role": behalf.role.value,
        "session": behalf.session_id,
        "authority_evidence": behalf.authority_evidence,
    }


def _contract(order: LineOrder | None) -> dict[str, Any] | None:
    """Return which terms were accepted, and how the line was confirmed."""
    if order is None or order.terms is None:
        return None
    said = order.confirmation
    return {
        "terms": {
            "version": order.terms.version,
            "hash": order.terms.content_hash,
            "accepted_at": order.terms.accepted_at.isoformat(),
            "channel": order.terms.channel.value,
        },
        "confirmed": said and {"how": said.method.value, "at": said.confirmed_at.isoformat()},
    }


def _rules(line: Line, order: LineOrder | None, policy: RegistrationPolicy) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = []
    holder = HolderKind.PERSON if order is None else order.holder_kind
    cap = policy.cap_of(ProductClass(line.product_class), holder)
    if cap is not None:
        most = cap.policy.lines_per_holder_max
        rules.append({"rule": "line_cap", "citation": most.citation, "cap": most.value, "name": cap.name})
    rules.append({"rule": "session_usable", "citation": policy.session_citation})
    if order is not None and policy.rules is not None:
        citation = policy.rules.entries[order.entry].requirements.citation
        rules.append({"rule": "entry", "citation": citation, "entry": order.entry.value})
    rules.append({"rule": "number_free", "citation": policy.number_citation})
    return rules


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
