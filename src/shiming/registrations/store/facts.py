"""What a registration is decided on, read in one round trip.

One row for each piece of evidence of the session, or one without any; what belongs to session, order, number
and holder is the same in all of them. The counter is the one that the order's product and holder go by.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.idempotency import Kept
from shiming.infrastructure.tables import UtcInstant
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.registration import (
    HolderCounter,
    PoolNumber,
    ProvenSession,
    RegistrationFacts,
)
from shiming.registrations.model.sims import CardStanding, SimState
from shiming.registrations.store.orders import line_orders, order_in

_IDENTITY_RECORD = "identity_record"
_QUARANTINE = "quarantine"
_ORDER = "o_"  # before the names of an order's columns
_PRODUCT_AND_HOLDER = "COALESCE(o.product_class, 'voice') || '/' || COALESCE(o.holder_kind, 'person')"
_SPELLED = {
    "postgresql": "(CAST(:{object} AS jsonb) ->> ({key}))",
    "sqlite": "json_extract(:{object}, '$.\"' || {key} || '\"')",
}

#: Parameters: session_id, operator, number, cap_names, cap_scopes, now, today, client, key, and the iccid of
#: a line whose card its order does not name.
_FACTS = f"""
SELECT s.id, s.outcome, s.level, s.subject, s.operator, s.decided_at, s.challenge_origin, s.receipt_hash,
       s.consumed_by, n.line_id AS number_held_by,
       c.active, c.version, c.last_registered_at, c.day, c.day_count,
       (SELECT count(*) FROM line_orders r WHERE r.cap_subject = s.subject AND r.cap_reserved_until > :now
          AND r.cap_scope = {{scope}} AND r.cap_name = {{name}} AND r.session_id <> :session_id)
          AS places_kept,
       b.operator AS block_operator, b.kind AS block_kind, b.last AS block_last, x.last AS excluded_last,
       h.state AS held_state, h.held_for, h.until AS held_until,
       m.operator AS sim_operator, m.state AS sim_state,
       w.session_id AS sim_held_for, w.until AS sim_held_until, w.line_id AS sim_line_id,
       (SELECT t.content_hash FROM terms_versions t WHERE t.operator = :operator
          AND t.effective_from <= :today ORDER BY t.effective_from DESC LIMIT 1) AS terms_in_force,
       {", ".join(f"o.{column.name} AS {_ORDER}{column.name}" for column in line_orders.c)},
       k.request_hash, k.status, k.response, k.headers,
       e.evidence_id, e.kind AS evidence_kind, e.subject AS evidence_subject
FROM (SELECT 1) AS always
LEFT JOIN proofing_sessions s ON s.id = :session_id
LEFT JOIN line_orders o ON o.session_id = :session_id
LEFT JOIN numbers_in_use n ON n.number = :number
LEFT JOIN numbers_held h ON h.number = :number
LEFT JOIN sims m ON m.iccid = COALESCE(CAST(:iccid AS text), o.iccid)
LEFT JOIN sim_holds w ON w.iccid = COALESCE(CAST(:iccid AS text), o.iccid)
LEFT JOIN number_blocks b ON b.block_id = (
  SELECT block_id FROM number_blocks WHERE excluded = FALSE AND first <= :number
    AND length(first) = length(CAST(:number AS text)) ORDER BY first DESC LIMIT 1)
LEFT JOIN number_blocks x ON x.block_id = (
  SELECT block_id FROM number_blocks WHERE excluded = TRUE AND first <= :number
    AND length(first) = length(CAST(:number AS text)) ORDER BY first DESC LIMIT 1)
LEFT JOIN cap_counters c
  ON c.subject = COALESCE(o.organisation, s.subject) AND c.cap_scope = {{scope}} AND c.cap_name = {{name}}
LEFT JOIN idempotency_keys k ON k.client = :client AND k.key = :key
LEFT JOIN evidence e
  ON e.case_reference = :session_id AND (e.operator = :operator OR e.operator = '') AND e.erased_at IS NULL
ORDER BY e.evidence_id
"""  # noqa: S608 - put together from the names of our own columns


def facts_query(dialect: str) -> str:
    """Return the query of an engine; both differ in how a member of a JSON object is named."""
    spelled = _SPELLED[dialect]
    return _FACTS.format(
        name=spelled.format(object="cap_names", key=_PRODUCT_AND_HOLDER),
        scope=spelled.format(object="cap_scopes", key=_PRODUCT_AND_HOLDER),
    )


_AS_READ = {
    dialect: sa.text(facts_query(dialect)).bindparams(
        sa.bindparam("now", type_=UtcInstant), sa.bindparam("today", type_=sa.Date)
    )
    for dialect in _SPELLED
}


@dataclass(frozen=True, slots=True)
class Found:
    """The facts, and what the idempotency key was used for before: hash of the request, and the answer."""

    facts: RegistrationFacts
    answered: tuple[str, Kept] | None = None


def read_facts(connection: Connection, parameters: Mapping[str, Any]) -> Found:
    """Read in the caller's transaction."""
    query = _AS_READ[connection.dialect.name]
    return found(connection.execute(query, parameters).mappings().all(), str(parameters["number"]))


def found(rows: Sequence[Any], number: str) -> Found:
    """Return the facts about a number in the rows, in the driver's own kind of mapping and of instant."""
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
        counter=_counter(first),
        places_kept=first["places_kept"],
        order=None if first["o_session_id"] is None else order_in(_order_columns(first)),
        pool=_pool(first, number),
        card=_card(first),
        terms_in_force=first["terms_in_force"],
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


def _counter(row: Mapping[str, Any]) -> HolderCounter:
    if row["active"] is None:
        return HolderCounter()
    return HolderCounter(
        active=row["active"],
        version=row["version"],
        last_registered_at=_instant(row["last_registered_at"]),
        day=row["day"],
        day_count=row["day_count"],
    )


def _pool(row: Mapping[str, Any], number: str) -> PoolNumber:
    in_block = row["block_last"] is not None and number <= row["block_last"]
    return PoolNumber(
        operator=row["block_operator"] if in_block else None,
        kind=LineKind(row["block_kind"]) if in_block else None,
        excluded=row["excluded_last"] is not None and number <= row["excluded_last"],
        held_for=row["held_for"],
        resting=row["held_state"] == _QUARANTINE,
        held_until=_instant(row["held_until"]),
    )


def _card(row: Mapping[str, Any]) -> CardStanding:
    return CardStanding(
        operator=row["sim_operator"],
        state=SimState(row["sim_state"]) if row["sim_state"] else None,
        held_for=row["sim_held_for"],
        held_until=_instant(row["sim_held_until"]),
        line_id=row["sim_line_id"],
    )


_INSTANTS = {column.name for column in line_orders.c if isinstance(column.type, UtcInstant)}
_COLUMNS = tuple((column.name, _ORDER + column.name, column.name in _INSTANTS) for column in line_orders.c)


def _order_columns(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _instant(row[read]) if instant else row[read] for name, read, instant in _COLUMNS}


def _instant(value: datetime | str | None) -> datetime | None:
    """Read what PostgreSQL gives as an instant and SQLite as UTC text."""
    if value is None:
        return None
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value.astimezone(UTC)
