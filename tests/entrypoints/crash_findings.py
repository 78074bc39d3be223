"""What must be true when everything that could be killed was killed: each function is one promise."""

import json
from collections import Counter
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.entrypoints.database_checks import check_database
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.outbox import outbox
from shiming.infrastructure.tables import schema
from shiming.privacy.model import AccessRequest, EvidenceContent, LedgerVerified, Purpose
from shiming.privacy.use_cases.access_log import look
from shiming.privacy.use_cases.sweeping import list_missing_objects, sweep_orphans
from shiming.privacy.use_cases.verifying import verify_ledger
from tests.entrypoints.crash_site import Aftermath

LINES, COUNTERS = schema.tables["lines"], schema.tables["cap_counters"]
LEAVES, EVIDENCE = schema.tables["ledger_leaves"], schema.tables["evidence"]


def examine(found: Aftermath) -> dict[str, int]:
    """Hold every promise against what is there; return what was counted."""
    with reading(found.platform.engine) as connection:
        lines = every_acknowledged_registration_is_there_once(connection, found)
        caps_are_exact(connection)
        every_line_is_in_the_ledger_once(connection)
        everything_kept_is_there(connection, found)
        told_at_least_once(connection, found)
    no_evidence_without_its_object_and_no_object_without_its_row(found)
    evidence_is_readable(found)
    the_ledger_verifies(found)
    the_database_is_whole(found)
    answers_do_not_change(found)
    return {
        "acknowledged": len(found.registered),
        "refused": len(found.refused),
        "lines": lines,
        "sessions": len(found.kept),
        "requests repeated": found.repeats,
        "events delivered": sum(found.told.events.values()),
        **{f"kills of {name}": count for name, count in found.kills.items()},
    }


def every_acknowledged_registration_is_there_once(connection: Connection, found: Aftermath) -> int:
    rows = connection.execute(sa.select(LINES.c.line_id, LINES.c.session_id, LINES.c.number)).all()
    assert max(Counter(row.session_id for row in rows).values(), default=1) == 1
    assert max(Counter(row.number for row in rows).values(), default=1) == 1
    there = {(row.line_id, row.session_id, row.number) for row in rows}
    assert {(reply.line, reply.session, reply.number) for reply in found.registered} <= there
    # nobody gave up, so nothing is there that nobody heard of
    assert {row.session_id for row in rows} == {reply.session for reply in found.registered}
    return len(rows)


def caps_are_exact(connection: Connection) -> None:
    key = [LINES.c.subject, LINES.c.cap_scope, LINES.c.cap_name]
    active = sa.select(*key, sa.func.count()).where(LINES.c.status != "terminated").group_by(*key)
    counters = connection.execute(
        sa.select(
            COUNTERS.c.subject,
            COUNTERS.c.cap_scope,
            COUNTERS.c.cap_name,
            COUNTERS.c.active,
            COUNTERS.c.cap,
        )
    ).all()
    assert {tuple(row) for row in connection.execute(active)} == {
        tuple(row)[:4] for row in counters if row.active
    }
    assert all(row.active <= row.cap for row in counters)


def every_line_is_in_the_ledger_once(connection: Connection) -> None:
    leaves = connection.execute(sa.select(LEAVES.c.leaf).where(LEAVES.c.leaf.contains('"line.registered"')))

    recorded = Counter(json.loads(leaf)["facts"]["line"] for leaf in leaves.scalars())
    assert recorded == Counter(connection.execute(sa.select(LINES.c.line_id)).scalars())


def everything_kept_is_there(connection: Connection, found: Aftermath) -> None:
    cases = Counter(connection.execute(sa.select(EVIDENCE.c.case_reference)).scalars())
    assert {case: cases[case] for case in found.kept} == dict.fromkeys(found.kept, 1)


def told_at_least_once(connection: Connection, found: Aftermath) -> None:
    lines = set(connection.execute(sa.select(LINES.c.line_id)).scalars())
    assert lines <= found.told.subjects
    assert found.told.subjects <= lines  # and of nothing that did not happen
    assert found.told.unsigned == 0
    assert connection.execute(sa.select(sa.func.count()).select_from(outbox)).scalar_one() >= 0


def no_evidence_without_its_object_and_no_object_without_its_row(found: Aftermath) -> None:
    """Ciphertexts that a killed counter left without a row are what the sweep finds, once they are old."""
    tools, engine = found.platform.privacy, found.platform.engine
    assert list_missing_objects(tools, engine) == ()
    tomorrow = found.platform.clock.now() + timedelta(days=2)
    sweep_orphans(tools, engine, now=tomorrow)
    with reading(engine) as connection:
        rows = set(connection.execute(sa.select(EVIDENCE.c.evidence_id)).scalars())
    assert set(tools.objects.list_ids(older_than=tomorrow)) == rows
    assert list_missing_objects(tools, engine) == ()


def evidence_is_readable(found: Aftermath) -> None:
    tools, now = found.platform.privacy, found.platform.clock.now()
    with unit_of_work(found.platform.engine) as connection:
        rows = connection.execute(
            sa.select(EVIDENCE.c.evidence_id, EVIDENCE.c.case_reference).limit(20)
        ).all()
        for row in rows:
            request = AccessRequest(actor="ACC-1", purpose=Purpose.DISPUTE, case_reference=row.case_reference)
            assert isinstance(look(tools, connection, row.evidence_id, request, now=now), EvidenceContent)


def the_ledger_verifies(found: Aftermath) -> None:
    platform = found.platform
    verified = verify_ledger(platform.engine, platform.keys, platform.ledger_keys)
    assert isinstance(verified, LedgerVerified), verified


def the_database_is_whole(found: Aftermath) -> None:
    answers = check_database(found.platform.engine, found.platform.privacy, objects=True)
    assert [answer for answer in answers if not answer.well] == []


def answers_do_not_change(found: Aftermath) -> None:
    assert found.changed_answers == []
    known = {"LINES_OF_DAY_REACHED", "NUMBER_TAKEN"}
    assert {reason for reply in found.refused for reason in reply.reasons} <= known
