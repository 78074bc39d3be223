"""Write down a decision so that anybody can check it, and nobody is named in it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shiming.identity_proofing.model.decision import Adjudication, NeedsReview, Retry, Verified
from shiming.identity_proofing.model.evidence import Evidence
from shiming.identity_proofing.rules.recorded_evidence import evidence_to_json
from shiming.infrastructure.canonical_json import canonical_bytes, content_hash
from shiming.infrastructure.signing import Signer
from shiming.jurisdictions.model import Policy
from shiming.recognition.measurements import ModelUse

KIND = "decision_receipt"
VERSION = 1
ALGORITHM = "Ed25519"


def issue_receipt(
    adjudication: Adjudication,
    evidence: Evidence,
    policy: Policy,
    *,
    subject: str | None,
    issued_at: datetime,
    program: str,
    signer: Signer,
) -> dict[str, Any]:
    """Return the signed receipt of a decision. `subject` is the keyed pseudonym of the claimed person."""
    challenge = evidence.challenge
    content: dict[str, Any] = {
        "kind": KIND,
        "version": VERSION,
        "session": evidence.session_id,
        "subject": subject,
        "channel": evidence.channel.value,
        "route": evidence.route.value,
        "category": evidence.subject,
        "pack": {
            "id": policy.pack_id,
            "version": policy.pack_version,
            "hash": policy.content_hash,
            "on": evidence.on.isoformat(),
        },
        "challenge": {"id": challenge.id, "origin": challenge.origin.value} if challenge else None,
        "decision": decision_to_json(adjudication),
        "required": list(adjudication.required),
        "checks": [check.to_json() for check in adjudication.checks],
        "models": [use.to_json() for use in models_used(evidence)],
        "evidence": evidence_to_json(evidence),
        "issued_at": issued_at.isoformat(),
        "program": program,
    }
    signature = {
        "algorithm": ALGORITHM,
        "key_id": signer.key_id,
        "public_key": signer.public_key,
        "value": signer.sign(canonical_bytes(content)),
    }
    return {**content, "signature": signature}


def decision_to_json(adjudication: Adjudication) -> dict[str, Any]:
    """Return outcome, level, reasons, and what is asked of whom next."""
    decision = adjudication.decision
    result: dict[str, Any] = {
        "outcome": adjudication.outcome,
        "level": decision.level if isinstance(decision, Verified) else None,
        "reasons": [reason.to_json() for reason in adjudication.reasons],
    }
    if isinstance(decision, NeedsReview):
        result["by_whom"] = decision.by_whom.value
    if isinstance(decision, Retry):
        result |= {"what": decision.what, "left": decision.left, "routes": list(decision.routes)}
    return result


def models_used(evidence: Evidence) -> tuple[ModelUse, ...]:
    """Return every model behind the evidence once, by name."""
    document, face = evidence.document, evidence.face_clip_document
    uses: list[ModelUse] = []
    for source in (document.front if document else None, document.back if document else None):
        uses.extend(source.models if source else ())
    for part in (evidence.clip, face, evidence.digits):
        uses.extend(part.models if part else ())
    return tuple(sorted(dict.fromkeys(uses), key=lambda use: (use.name, use.version)))


def receipt_hash(receipt: Mapping[str, Any]) -> str:
    """Return the hash of a receipt by which other records refer to it."""
    return content_hash(dict(receipt))
