"""The registration as one PostgreSQL function: everything that it writes in one round trip.

`shiming_register_line` raises the condition `REFUSED` (SQLSTATE) with the code as message when something
changed since the facts were read; PostgreSQL then undoes all of it, and whoever called reads the facts
again, which the rules explain. Written so that the happy path needs no sub-transaction.

Order of locks, the same in `lines.terminate`: the session, the holder's counter, the order, the number, the
card, the ledger lane. A lane belongs to one connection, so nobody waits for it.

It writes tables of other features (sessions, ledger, outbox, idempotency keys), by their names: the price
of one round trip, paid in this folder only (docs/decisions/0014-one-statement-registration.md).
"""

import re

import sqlalchemy as sa
from sqlalchemy import event

from shiming.registrations.store.tables import lines

#: SQLSTATE of a registration that met a change: a class that PostgreSQL does not use.
REFUSED = "SM001"
LANE_MOVED = "LANE_MOVED"

#: Parameter and type, in the order of the call: the fields of `writing.Draft`.
PARAMETERS = {
    "line_id": "text",
    "operator": "text",
    "number": "text",
    "kind": "text",
    "status": "text",
    "product_class": "text",
    "cap_scope": "text",
    "cap_name": "text",
    "cap": "integer",
    "counter_version": "integer",
    "day": "text",
    "position": "integer",
    "place_kept": "boolean",
    "pooled": "boolean",
    "iccid": "text",
    "subject": "text",
    "session_id": "text",
    "registered_at": "timestamptz",
    "pack_hash": "text",
    "receipt": "text",
    "lane": "integer",
    "sequence": "bigint",
    "leaf": "text",
    "leaf_hash": "text",
    "leaf_mac": "text",
    "head_mac": "text",
    "mac_key_id": "text",
    "event_id": "text",
    "event_facts": "text",
    "client": "text",
    "key": "text",
    "request_hash": "text",
    "response": "text",
    "headers": "text",
    "response_hash": "text",
}
CALL = f"SELECT shiming_register_line({', '.join(f':{name}' for name in PARAMETERS)})"
# ruff: noqa: S608 - the text is put together from the constants above, never from input
FUNCTION = f"""
CREATE OR REPLACE FUNCTION shiming_register_line({", ".join(f"p_{n} {t}" for n, t in PARAMETERS.items())})
RETURNS integer LANGUAGE plpgsql AS $body$
DECLARE
  v_active integer;
BEGIN
  IF p_key IS NOT NULL THEN
    INSERT INTO idempotency_keys (client, key, request_hash, status, response, headers, response_hash,
                                  created_at)
    VALUES (p_client, p_key, p_request_hash, 201, p_response, p_headers, p_response_hash, p_registered_at)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'REPEATED' USING ERRCODE = '{REFUSED}';
    END IF;
  END IF;

  IF p_position = 1 THEN
    UPDATE proofing_sessions SET consumed_by = p_line_id WHERE id = p_session_id AND consumed_by IS NULL;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'SESSION_CONSUMED' USING ERRCODE = '{REFUSED}';
    END IF;
  END IF;

  IF p_cap_name IS NOT NULL THEN
    INSERT INTO cap_counters AS held (subject, cap_scope, cap_name, active, cap, version, last_registered_at,
                                      day, day_count)
    VALUES (p_subject, p_cap_scope, p_cap_name, 1, p_cap, 1, p_registered_at, p_day, 1)
    ON CONFLICT (subject, cap_scope, cap_name)
    DO UPDATE SET active = held.active + 1, cap = p_cap, version = held.version + 1,
      last_registered_at = p_registered_at, day = p_day,
      day_count = CASE WHEN held.day = p_day THEN held.day_count + 1 ELSE 1 END
    WHERE held.version = p_counter_version AND held.active < p_cap
    RETURNING active INTO v_active;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'COUNTER_MOVED' USING ERRCODE = '{REFUSED}';
    END IF;
  END IF;

  IF p_place_kept THEN
    UPDATE line_orders SET cap_reserved_until = NULL WHERE session_id = p_session_id;
  END IF;

  INSERT INTO numbers_in_use (number, operator, line_id) VALUES (p_number, p_operator, p_line_id)
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'NUMBER_TAKEN' USING ERRCODE = '{REFUSED}';
  END IF;
  -- whoever keeps a number holds its row above until the hold is committed: it is seen here
  IF p_pooled THEN
    PERFORM FROM numbers_held h WHERE h.number = p_number AND h.until > p_registered_at
      AND (h.state = 'quarantine' OR h.held_for NOT IN (p_session_id, p_subject));
    IF FOUND THEN
      RAISE EXCEPTION 'NUMBER_HELD' USING ERRCODE = '{REFUSED}';
    END IF;
  END IF;

  IF p_iccid IS NOT NULL THEN
    INSERT INTO sim_holds AS held (iccid, operator, session_id, line_id)
    VALUES (p_iccid, p_operator, p_session_id, p_line_id)
    ON CONFLICT (iccid) DO UPDATE
    SET operator = p_operator, session_id = p_session_id, line_id = p_line_id, until = NULL
    WHERE held.line_id IS NULL AND (held.session_id = p_session_id OR held.until <= p_registered_at);
    IF NOT FOUND THEN
      RAISE EXCEPTION 'SIM_TAKEN' USING ERRCODE = '{REFUSED}';
    END IF;
  END IF;

  IF p_lane IS NOT NULL THEN
    UPDATE ledger_lanes SET sequence = p_sequence, mac = p_head_mac, key_id = p_mac_key_id
    WHERE lane = p_lane AND sequence = p_sequence - 1;
    IF NOT FOUND THEN
      RAISE EXCEPTION '{LANE_MOVED}' USING ERRCODE = '{REFUSED}';
    END IF;
  END IF;

  -- one statement: the executor is started once for the rows that nothing can refuse any more
  WITH leaf AS (
    INSERT INTO ledger_leaves (operator, lane, sequence, leaf, hash, mac, key_id)
    SELECT p_operator, p_lane, p_sequence, p_leaf, p_leaf_hash, p_leaf_mac, p_mac_key_id
    WHERE p_lane IS NOT NULL
  ), line AS (
    INSERT INTO lines (line_id, operator, number, kind, product_class, cap_scope, cap_name, subject,
                       session_id, position, status, registered_at)
    VALUES (p_line_id, p_operator, p_number, p_kind, p_product_class, p_cap_scope, p_cap_name, p_subject,
            p_session_id, p_position, p_status, p_registered_at)
  ), act AS (
    INSERT INTO registrations (line_id, act, operator, kind, session_id, pack_hash, registered_at, receipt)
    VALUES (p_line_id, 1, p_operator, 'registered', p_session_id, p_pack_hash, p_registered_at, p_receipt)
  )
  INSERT INTO outbox (event_id, type, subject, operator, occurred_at, facts)
  VALUES (p_event_id, 'line.registered', p_line_id, p_operator, p_registered_at, p_event_facts);
  RETURN v_active;
END
$body$
"""
_NAME = re.compile(r"(?<!:):([a-z_]+)")

event.listen(
    lines,
    "after_create",
    sa.DDL(FUNCTION.replace("%", "%%")).execute_if(dialect="postgresql"),  # type: ignore[no-untyped-call] # as in infrastructure.tables
)


def numbered(statement: str) -> tuple[str, tuple[str, ...]]:
    """Return a statement with `$1` for its first name and so on, as asyncpg wants it, and the names.

    >>> numbered("SELECT :b, :a, :b::text")
    ('SELECT $1, $2, $1::text', ('b', 'a'))
    """
    names = tuple(dict.fromkeys(_NAME.findall(statement)))
    return _NAME.sub(lambda found: f"${names.index(found[1]) + 1}", statement), names
