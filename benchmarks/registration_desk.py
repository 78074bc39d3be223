"""A registration desk with many decided sessions, for the benchmarks of registration."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from shiming.infrastructure.idempotency import Kept
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.privacy.model import LeafRef
from shiming.registrations.model.lines import Line
from shiming.registrations.model.registration import RegisterLine, RegistrationPolicy
from shiming.registrations.use_cases.drafting import ClientKey, Wanted
from shiming.vocabulary.msisdn import Msisdn
from tests.databases import a_database
from tests.registrations.builders import Desk, a_desk, add_block

OPERATORS = 3
#: Rows as proofing leaves them: a decision receipt of some kilobytes, two pieces of evidence a session.
_SESSIONS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)
INSERT INTO proofing_sessions (id, pack_id, pack_version, pack_hash, channel, route, category, state,
  opened_at, expires_at, progress, evidence, subject, outcome, level, challenge_origin, decided_at, receipt,
  receipt_hash)
SELECT 'SES-' || i, 'cn', '1', 'sha256:0', 'outlet', 'clerk', 'natural_person', 'decided', :now, :now,
  '{}', :figures, 'p1.person-of-a-benchmark-' || i, 'Verified', 'ial2', 'drawn', :now, :receipt,
  'sha256:000000000000000000000000000000000000000000000000000000' || i
FROM n
"""
_KEYS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)
INSERT INTO data_keys (data_key_id, operator, subject, purpose, retention_class, case_reference, kek_id,
  wrapped, created_at)
SELECT 'KEY-' || i, '', 'p1.person-of-a-benchmark-' || i, 'registration', 'identity', 'SES-' || i, 'kek1',
  :wrapped, :now
FROM n
"""
_EVIDENCE = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)
INSERT INTO evidence (operator, evidence_id, data_key_id, subject, case_reference, kind, purpose,
  retention_class, bytes_stored, ciphertext_sha256, stored_at, object_removed)
SELECT '', 'EVD-' || i || :kind, 'KEY-' || i, 'p1.person-of-a-benchmark-' || i, 'SES-' || i, :kind,
  'registration', 'identity', 500, '0000', :now, :removed
FROM n
"""


_ORDERS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)
INSERT INTO line_orders (session_id, operator, entry, kind, product_class, channel, created_at, identifier,
  holder_kind, category, iccid, imsi, sim_form, terms_version, terms_hash, terms_accepted_at, terms_channel,
  confirmed_identifier, confirmation_method, confirmed_at)
SELECT 'SES-' || i, 'op-' || (i % :operators), 'open', 'mobile', 'voice', 'shop', :now,
  '+86138' || (i % :operators) || substr(CAST(10000000 + i AS text), 2), 'person', 'adult',
  '898601' || CAST(1000000000000 + i AS text), '46000' || CAST(1000000000 + i AS text),
  'physical', '1', 'sha256:0', :now, 'shop',
  '+86138' || (i % :operators) || substr(CAST(10000000 + i AS text), 2), 'read_back', :now
FROM n
"""

_TERMS = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :many)
INSERT INTO terms_versions (operator, version, effective_from, content, content_hash, published_at)
SELECT 'op-' || i, '1', :today, '{}', 'sha256:0', :now FROM n
"""


@contextmanager
def a_busy_desk(engine_kind: str, sessions: int) -> Iterator[tuple[Desk, str]]:
    """Give a desk on a fresh database with this many sessions that wait to register a line, and its URL."""
    with TemporaryDirectory() as folder, a_database(engine_kind, Path(folder) / "database") as url:
        desk = a_desk(Path(folder), the_pack(), url)
        now = sa.bindparam("now", datetime.now(UTC), type_=sa.DateTime(timezone=engine_kind != "sqlite"))
        with desk.engine.begin() as connection:
            common = {"many": sessions}
            for statement, more in (
                (_SESSIONS, {"figures": "f" * 1500, "receipt": "r" * 4000}),
                (_KEYS, {"wrapped": b"w" * 40}),
                (_EVIDENCE, {"kind": "identity_record", "removed": False}),
                (_EVIDENCE, {"kind": "document_front", "removed": False}),
                (_ORDERS, {"operators": OPERATORS}),
                (_TERMS, {"many": OPERATORS, "today": datetime.now(UTC).date() - timedelta(days=1)}),
            ):
                connection.execute(sa.text(statement).bindparams(now), {**common, **more})
            for operator in range(OPERATORS):
                add_block(connection, number_of(operator), operator=f"op-{operator}")
        if engine_kind == "postgresql":
            with desk.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM ANALYZE")
                connection.exec_driver_sql("CHECKPOINT")
        try:
            yield desk, url
        finally:
            desk.engine.dispose()


def reply(line: Line, leaf: LeafRef) -> Kept:
    """Answer as the HTTP route does."""
    shown = {
        "id": line.line_id,
        "number": line.number.reveal("benchmark"),
        "operator": line.operator,
        "holder": line.subject,
        "session": line.session_id,
        "registered_at": line.registered_at.isoformat(),
        "leaf": leaf.leaf_id,
    }
    return Kept(201, json.dumps(shown), {"location": f"/v1/registrations/{line.line_id}"})


def number_of(index: int) -> Msisdn:
    """Return the number that session `index` ordered: a block of ten million for each operator."""
    return Msisdn(f"+86138{index % OPERATORS}{index:07d}")


def the_pack() -> RegistrationPolicy:
    """Return the rules of the built-in pack, as a server has them."""
    pack = read_pack("cn")
    return RegistrationPolicy.of(
        policy_on(pack, datetime.now(UTC).date()),
        number_regions=pack.header.number_regions,
        time_zone=pack.header.time_zone,
    )


def wanted(desk: Desk, index: int) -> Wanted:
    """Ask for the number that belongs to session `index`, as a client does with an idempotency key."""
    command = RegisterLine(f"op-{index % OPERATORS}", number_of(index), f"SES-{index}")
    key = ClientKey("CLI-benchmark", f"key-{index}", "0" * 64)
    return Wanted(command, desk.policy, datetime.now(UTC), reply, key)
