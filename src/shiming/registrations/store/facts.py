"""What a registration is decided on, read in one round trip.

One row for each piece of evidence of the session, or one without any; what belongs to session, number and
person is the same in all of them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.idempotency import Kept
from shiming.registrations.model.registration import ProvenSession, RegistrationFacts

_IDENTITY_RECORD = "identity_record"

#: Parameters: session_id, operator, number, cap_scope, product_class, client, key.
FACTS = """
SELECT s.id, s.outcome, s.level, s.subject, s.operator, s.decided_at, s.challenge_origin, s.receipt_hash,
       s.consumed_by, n.line_id AS number_held_by, c.active, k.request_hash, k.status, k.response, k.headers,
       e.evidence_id, e.kind AS evidence_kind, e.subject AS evidence_subject
FROM (SELECT 1) AS always
LEFT JOIN proofing_sessions s ON s.id = :session_id
LEFT JOIN numbers_in_use n ON n.number = :number
LEFT JOIN cap_counters c
  ON c.subject = s.subject AND c.cap_scope = :cap_scope AND c.product_class = :product_class
LEFT JOIN idempotency_keys k ON k.client = :client AND k.key = :key
LEFT JOIN evidence e
  ON e.case_reference = :session_id AND (e.operator = :operator OR e.operator = '') AND e.erased_at IS NULL
ORDER BY e.evidence_id
"""
_AS_READ = sa.text(FACTS)


@dataclass(frozen=True, slots=True)
class Found:
    """The facts, and what the idempotency key was used for before: hash of the request, and the answer."""

    facts: RegistrationFacts
    answered: tuple[str, Kept] | None = None


def read_facts(connection: Connection, parameters: Mapping[str, Any]) -> Found:
    """Read in the caller's transaction."""
    return found(connection.execute(_AS_READ, parameters).mappings().all())


def found(rows: Sequence[Any]) -> Found:
    """Return the facts in the rows of `FACTS`, in the driver's own kind of mapping and of instant."""
    first = rows[0]
    session = None if first["id"] is None else _session(first)
    evidence = [row for row in rows if row["evidence_id"] is not None]
    subject = first["subject"]
    facts = RegistrationFacts(
        session=session,
        evidence=tuple(row["evidence_id"] for row in evidence),
        identity_recorded=any(
            row["evidence_kind"] == _IDENTITY_RECORD and row["evidence_subject"] == subject
            for row in evidence
        ),
        number_held_by=first["number_held_by"],
        active=first["active"] or 0,
    )
    if first["request_hash"] is None:
        return Found(facts)
    return Found(facts, (first["request_hash"], kept(first)))


def kept(row: Mapping[str, Any]) -> Kept:
    """Return the stored answer of an idempotency key."""
    return Kept(row["status"], row["response"], json.loads(row["headers"]))


def _session(row: Mapping[str, Any]) -> ProvenSession:
    return ProvenSession(
        session_id=row["id"],
        outcome=row["outcome"] or "",
        level=row["level"],
        subject=row["subject"],
        decided_at=_instant(row["decided_at"]),
        challenge_origin=row["challenge_origin"],
        receipt_hash=row["receipt_hash"],
        operator=row["operator"],
        consumed_by=row["consumed_by"],
    )


def _instant(value: datetime | str | None) -> datetime | None:
    """Read what PostgreSQL gives as an instant and SQLite as UTC text."""
    if value is None:
        return None
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value.astimezone(UTC)
