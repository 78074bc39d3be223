"""The registration on SQLite: the steps of the PostgreSQL function as prepared statements of the driver.

The caller's transaction is begun immediately, so nothing can change between its facts and its writing; that
a step finds something else is told all the same, as on PostgreSQL, and the caller rolls back.
"""

from datetime import UTC, datetime
from typing import Any, Protocol


class Cursor(Protocol):
    """A cursor of the driver."""

    rowcount: int

    def execute(self, statement: str, parameters: Any = (), /) -> Any: ...  # noqa: D102 - of DB-API
    def fetchone(self) -> Any: ...  # noqa: D102
    def fetchall(self) -> list[Any]: ...  # noqa: D102


_KEY = """INSERT INTO idempotency_keys
(client, key, request_hash, status, response, headers, response_hash, created_at)
VALUES (:client, :key, :request_hash, 201, :response, :headers, :response_hash, :registered_at)
ON CONFLICT DO NOTHING"""
_SESSION = """UPDATE proofing_sessions SET consumed_by = :line_id
WHERE id = :session_id AND consumed_by IS NULL"""
_COUNTER = """INSERT INTO cap_counters
(subject, cap_scope, cap_name, active, cap, version, last_registered_at, day, day_count)
VALUES (:subject, :cap_scope, :cap_name, 1, :cap, 1, :registered_at, :day, 1)
ON CONFLICT (subject, cap_scope, cap_name)
DO UPDATE SET active = active + 1, cap = excluded.cap, version = version + 1,
  last_registered_at = excluded.last_registered_at, day = excluded.day,
  day_count = CASE WHEN day = excluded.day THEN day_count + 1 ELSE 1 END
WHERE version = :counter_version AND active < excluded.cap
RETURNING active"""
_PLACE = "UPDATE line_orders SET cap_reserved_until = NULL WHERE session_id = :session_id"
_NUMBER = """INSERT INTO numbers_in_use (number, operator, line_id) VALUES (:number, :operator, :line_id)
ON CONFLICT DO NOTHING"""
_HELD = """SELECT 1 FROM numbers_held WHERE number = :number AND until > :registered_at
AND (state = 'quarantine' OR held_for NOT IN (:session_id, :subject))"""
_CARD = """INSERT INTO sim_holds (iccid, operator, session_id, line_id)
VALUES (:iccid, :operator, :session_id, :line_id)
ON CONFLICT (iccid) DO UPDATE
SET operator = excluded.operator, session_id = excluded.session_id, line_id = excluded.line_id, until = NULL
WHERE line_id IS NULL AND (session_id = excluded.session_id OR until <= :registered_at)"""
_LANE = """UPDATE ledger_lanes SET sequence = :sequence, mac = :head_mac, key_id = :mac_key_id
WHERE lane = :lane AND sequence = :sequence - 1"""
_LEAF = """INSERT INTO ledger_leaves (operator, lane, sequence, leaf, hash, mac, key_id)
VALUES (:operator, :lane, :sequence, :leaf, :leaf_hash, :leaf_mac, :mac_key_id)"""
_LINE = """INSERT INTO lines
(line_id, operator, number, kind, product_class, cap_scope, cap_name, subject, session_id, position, status,
 registered_at)
VALUES (:line_id, :operator, :number, :kind, :product_class, :cap_scope, :cap_name, :subject, :session_id,
        :position, :status, :registered_at)"""
_ACT = """INSERT INTO registrations
(line_id, act, operator, kind, session_id, pack_hash, registered_at, receipt)
VALUES (:line_id, 1, :operator, 'registered', :session_id, :pack_hash, :registered_at, :receipt)"""
_EVENT = """INSERT INTO outbox (event_id, type, subject, operator, occurred_at, facts)
VALUES (:event_id, 'line.registered', :line_id, :operator, :registered_at, :event_facts)"""


def write_on_sqlite(cursor: Cursor, values: dict[str, Any]) -> int | str | None:
    """Write; return how many lines the holder has (None: not counted), or the code of what had changed."""
    values["registered_at"] = text_of(values["registered_at"])
    if values["key"] is not None and not _changes(cursor, _KEY, values):
        return "REPEATED"
    if values["position"] == 1 and not _changes(cursor, _SESSION, values):
        return "SESSION_CONSUMED"
    active: int | None = None
    if values["cap_name"] is not None:
        cursor.execute(_COUNTER, values)
        counted = cursor.fetchone()
        if counted is None:
            return "COUNTER_MOVED"
        active = counted[0]
    if values["place_kept"]:
        cursor.execute(_PLACE, values)
    taken = _take_number_and_card(cursor, values)
    if taken is not None:
        return taken
    if values["lane"] is not None:
        if not _changes(cursor, _LANE, values):
            return "LANE_MOVED"
        cursor.execute(_LEAF, values)
    for statement in (_LINE, _ACT, _EVENT):
        cursor.execute(statement, values)
    return active


def _take_number_and_card(cursor: Cursor, values: dict[str, Any]) -> str | None:
    if not _changes(cursor, _NUMBER, values):
        return "NUMBER_TAKEN"
    if values["pooled"] and cursor.execute(_HELD, values).fetchone() is not None:
        return "NUMBER_HELD"
    if values["iccid"] is not None and not _changes(cursor, _CARD, values):
        return "SIM_TAKEN"
    return None


def _changes(cursor: Cursor, statement: str, values: dict[str, Any]) -> bool:
    cursor.execute(statement, values)
    return cursor.rowcount == 1


def text_of(instant: datetime) -> str:
    """Return an instant as `infrastructure.tables.UtcInstant` keeps it on SQLite."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
