"""The ledger finds and names every change that a test makes behind its back, on both engines."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DatabaseError

from shiming.infrastructure.clock import FixedClock
from shiming.infrastructure.database import open_database, reading, unit_of_work
from shiming.infrastructure.signed_notes import parse_note
from shiming.privacy.model import LeafRef, LedgerBroken, LedgerFault, LedgerVerified
from shiming.privacy.rules.checkpoint import Checkpoint, parse_checkpoint
from shiming.privacy.rules.merkle import EMPTY_ROOT
from shiming.privacy.store.ledger import GUARDS
from shiming.privacy.store.ledger_tree import ledger_batches, ledger_tiles
from shiming.privacy.use_cases.ledger import record
from shiming.privacy.use_cases.sealing import seal_ledger
from shiming.privacy.use_cases.verifying import verify_ledger
from tests.databases import a_database
from tests.privacy.ledger_desk import NOW, Ledger, a_log, ledger_keys

LEAVES, SEALED = 6, 4  # 1-1 to 1-6 in the one lane of one connection; two batches of two are sealed


@pytest.fixture
def ledger(database: Engine) -> Ledger:
    ledger = Ledger(database)
    ledger.append(2, "op1")
    ledger.seal()
    ledger.append(2)
    ledger.seal()
    ledger.append(LEAVES - SEALED, "op2")
    return ledger


def test_an_untouched_ledger_verifies_and_so_does_an_empty_one(database: Engine) -> None:
    ledger = Ledger(database)
    assert ledger.verify() == LedgerVerified(0, 0)
    assert ledger.append(3).leaf_id == "1-3"
    assert ledger.verify() == LedgerVerified(3, 0)
    assert (sealed := ledger.seal()).leaves == sealed.size == 3
    assert ledger.seal().leaves == 0
    assert ledger.verify() == LedgerVerified(3, 3)


# SQL from numbers and columns that stand in this file; both engines understand it.
def change(what: str, sequence: int) -> str:
    return f"UPDATE ledger_leaves SET {what} WHERE sequence = {sequence}"  # noqa: S608


def drop(which: str) -> str:
    return f"DELETE FROM ledger_leaves WHERE sequence {which}"  # noqa: S608


def copy_of(sequence: int, *, operator: str = "operator", lane: str = "lane", place: str = "sequence") -> str:
    return (
        f"INSERT INTO ledger_leaves SELECT {operator}, {lane}, {place}, leaf, hash, mac, key_id "  # noqa: S608
        f"FROM ledger_leaves WHERE sequence = {sequence}"
    )


def swap(one: int, other: int) -> tuple[str, str, str]:
    return (
        change("sequence = 99", one),
        change(f"sequence = {one}", other),
        change(f"sequence = {other}", 99),
    )


FOREIGN_LANE = "INSERT INTO ledger_lanes (lane, sequence, mac, key_id) VALUES (7, 1, '00', 'l1')"
EARLIER_HEAD = "UPDATE ledger_lanes SET sequence = sequence - 1"
OTHER_HASH = "substr(hashes, 1, 32)"


CASES: list[tuple[tuple[str, ...], list[tuple[str, str]]]] = [
    # changed
    ((change("leaf = replace(leaf, 'test', 'text')", 3),), [("1-3", "LEAF_CHANGED")]),
    ((change("leaf = replace(leaf, 'test', 'text')", 6),), [("1-6", "LEAF_CHANGED")]),
    ((change("hash = upper(hash)", 5),), [("1-5", "LEAF_CHANGED")]),
    ((change("mac = '00'", 2),), [("1-2", "LEAF_FOREIGN")]),
    ((change("key_id = 'l9'", 2),), [("1-2", "LEAF_FOREIGN")]),
    ((change("leaf = '{}', hash = '00'", 2),), [("1-2", "LEAF_CHANGED")]),
    ((change("operator = 'op9'", 5),), [("1-5", "LEAF_MOVED")]),
    # removed: sealed, unsealed in the middle, last, more than one, all
    ((drop("= 1"),), [("1-1", "LEAF_MISSING")]),
    ((drop("= 3"),), [("1-3", "LEAF_MISSING")]),
    ((drop("= 5"),), [("1-5", "LEAF_MISSING")]),
    ((drop("= 6"),), [("1-6", "LEAF_MISSING")]),
    ((drop(">= 3"),), [(f"1-{number}", "LEAF_MISSING") for number in (3, 4, 5, 6)]),
    ((drop("> 0"),), [(f"1-{number}", "LEAF_MISSING") for number in range(1, 7)]),
    # inserted
    ((copy_of(6, place="7"),), [("1-7", "LEAF_MOVED")]),
    ((copy_of(6, operator="'zz'"),), [("1-6", "LEAF_MOVED")]),
    ((copy_of(6, operator="''"),), [("1-6", "LEAF_MOVED")]),
    ((copy_of(2, place="1000000000000"),), [("1-1000000000000", "LEAF_MOVED")]),
    # reordered
    (swap(2, 5), [("1-2", "LEAF_MOVED"), ("1-5", "LEAF_MOVED")]),
    (swap(5, 6), [("1-5", "LEAF_MOVED"), ("1-6", "LEAF_MOVED")]),
    ((change("sequence = 9", 5),), [("1-5", "LEAF_MISSING"), ("1-9", "LEAF_MOVED")]),
    # lanes
    ((FOREIGN_LANE,), [("7-1", "LEAF_MISSING")]),
    (
        (FOREIGN_LANE, copy_of(6, lane="7", place="1")),
        [("7-1", "LEAF_MOVED")],
    ),
    (
        ("INSERT INTO ledger_lanes (lane, sequence, mac, key_id) VALUES (7, 0, '00', 'l1')",),
        [("lane 7", "HEAD_FOREIGN")],
    ),
    ((copy_of(6, lane="7"),), [("7-6", "LEAF_MOVED"), ("lane 7", "HEAD_MISSING")]),
    ((EARLIER_HEAD,), [("lane 1", "HEAD_SET_BACK")]),
    ((EARLIER_HEAD, drop("= 6")), [("lane 1", "HEAD_FOREIGN")]),
    (("UPDATE ledger_lanes SET sequence = 7",), [("1-7", "LEAF_MISSING")]),
    (("UPDATE ledger_lanes SET mac = '00'",), [("lane 1", "HEAD_FOREIGN")]),
    (("UPDATE ledger_lanes SET key_id = 'l9'",), [("lane 1", "HEAD_FOREIGN")]),
    (("DELETE FROM ledger_lanes",), [("lane 1", "HEAD_MISSING")]),
    (
        ("UPDATE ledger_lanes SET sequence = 2", drop("> 2")),
        [("1-3", "LEAF_MISSING"), ("1-4", "LEAF_MISSING"), ("lane 1", "HEAD_SET_BACK")],
    ),
    # batches, checkpoints, runs
    (
        ("UPDATE ledger_batches SET checkpoint = replace(checkpoint, '2', '3') WHERE batch = 1",),
        [("batch 1", "CHECKPOINT_FOREIGN")],
    ),
    (
        ("UPDATE ledger_batches SET checkpoint = 'none' WHERE batch = 2",),
        [("batch 2", "CHECKPOINT_FOREIGN")],
    ),
    (
        ("UPDATE ledger_batches SET root = replace(replace(root, '0', '1'), '2', '3') WHERE batch = 2",),
        [("batch 2", "ROOT_CHANGED"), ("batch 2", "CHECKPOINT_FOREIGN")],
    ),
    (("UPDATE ledger_batches SET previous_root = '' WHERE batch = 2",), [("batch 2", "BATCH_MISSING")]),
    (
        ("DELETE FROM ledger_batches WHERE batch = 1",),
        [("batch 1", "BATCH_MISSING"), ("run 1-1", "RUN_CHANGED")],
    ),
    (
        ("DELETE FROM ledger_batches WHERE batch = 2",),
        [("batch 2", "BATCH_MISSING"), ("tiles of level 0", "TILE_CHANGED")],
    ),
    (
        ("DELETE FROM ledger_batches",),
        [("batch 1", "BATCH_MISSING"), ("tiles of level 0", "TILE_CHANGED")],
    ),
    (("DELETE FROM ledger_runs WHERE batch = 2",), [("batch 2", "RUN_CHANGED")]),
    (("UPDATE ledger_runs SET batch = 1",), [("run 1-3", "RUN_CHANGED")]),
]


def test_every_change_is_found_and_named(ledger: Ledger) -> None:
    untouched = ledger.snapshot()
    for statements, findings in CASES:
        ledger.tamper(*statements)
        assert (statements, ledger.findings()) == (statements, findings)
        ledger.restore(untouched)
        assert ledger.findings() == []


def test_a_tile_of_another_length_is_found(ledger: Ledger) -> None:
    untouched = ledger.snapshot()
    for hashes in ("substr(hashes, 1, 32)", "hashes || hashes"):
        ledger.tamper(f"UPDATE ledger_tiles SET hashes = {hashes}")  # noqa: S608 - stands above
        assert "TILE_CHANGED" in {why for _, why in ledger.findings()}
        ledger.restore(untouched)


def test_a_changed_tile_is_found_with_the_leaf_and_the_root(ledger: Ledger) -> None:
    with ledger.intruder() as connection:
        (tile,) = connection.execute(sa.select(ledger_tiles.c.hashes)).scalars()
        connection.execute(ledger_tiles.update().values(hashes=tile[:40] + b"!" + tile[41:]))
    assert ledger.findings() == [("1-2", "LEAF_NOT_AS_SEALED"), ("batch 1", "ROOT_CHANGED")]
    assert [(one.at, one.why) for one in ledger.seal().stopped] == [("batch 2", LedgerFault.ROOT_CHANGED)]
    ledger.tamper("DELETE FROM ledger_tiles")
    assert sorted(ledger.findings()) == [("batch 1", "ROOT_CHANGED"), ("tile 0/0", "TILE_CHANGED")]
    assert [(one.at, one.why) for one in ledger.seal().stopped] == [("tile 0/0", LedgerFault.TILE_CHANGED)]


def test_nothing_is_sealed_onto_tiles_that_hold_more_than_was_signed(ledger: Ledger) -> None:
    with ledger.intruder() as connection:
        (tile,) = connection.execute(sa.select(ledger_tiles.c.hashes)).scalars()
        connection.execute(ledger_tiles.update().values(hashes=tile + tile[:32]))
    assert [(one.at, one.why.value) for one in ledger.seal().stopped] == [("tile 0/0", "TILE_CHANGED")]
    assert ledger.findings() == [("tiles of level 0", "TILE_CHANGED")]


def test_tiles_above_the_first_level_are_compared_with_those_below(database: Engine) -> None:
    ledger = Ledger(database)
    with unit_of_work(database) as connection:
        for index in range(600):
            ledger.append_in(connection, index)
    assert ledger.seal(batch_leaves_max=250).batches == 3
    assert ledger.verify() == LedgerVerified(600, 600)
    with ledger.intruder() as connection:
        upper = ledger_tiles.c.level == 1
        hashes = connection.execute(sa.select(ledger_tiles.c.hashes).where(upper)).scalar_one()
        connection.execute(ledger_tiles.update().where(upper).values(hashes=hashes[:32] + bytes(32)))
    assert ledger.findings() == [("tile 0/1", "TILE_CHANGED")]
    ledger.tamper("DELETE FROM ledger_tiles WHERE level = 1")
    assert ledger.findings() == [
        ("tile 0/0", "TILE_CHANGED"),
        ("tile 0/1", "TILE_CHANGED"),
        ("tiles of level 1", "TILE_CHANGED"),
    ]


def test_a_rewritten_leaf_is_found_by_the_tree_even_when_the_ledger_key_is_known(ledger: Ledger) -> None:
    """Who has the key of the codes, but not the one that signs checkpoints, cannot change what is sealed."""
    thief = Ledger(ledger.engine)
    ledger.tamper("DELETE FROM ledger_leaves WHERE sequence = 2", "UPDATE ledger_lanes SET sequence = 1")
    with unit_of_work(ledger.engine) as connection:
        record(connection, thief.keys, kind="test.other", facts={}, now=NOW, operator="op1")
    ledger.tamper("UPDATE ledger_lanes SET sequence = 6")
    assert ledger.findings()[0] == ("1-2", "LEAF_NOT_AS_SEALED")


def test_keys_of_another_installation_make_everything_foreign(ledger: Ledger) -> None:
    found = Ledger(ledger.engine, keys=ledger_keys(b"x" * 32)).verify()
    assert isinstance(found, LedgerBroken)
    assert (found.at, found.why, found.found) == ("1-1", LedgerFault.LEAF_FOREIGN, LEAVES)
    other_log = Ledger(ledger.engine, log=a_log(b"o" * 32))
    assert other_log.findings() == [("batch 1", "CHECKPOINT_FOREIGN"), ("batch 2", "CHECKPOINT_FOREIGN")]
    assert [one.why.value for one in other_log.seal().stopped] == ["CHECKPOINT_FOREIGN"]
    both = (ledger.log.key, other_log.log.key)
    sealed = seal_ledger(
        ledger.engine, ledger.keys, other_log.log, FixedClock(NOW), older_keys=(ledger.log.key,)
    )
    assert sealed.size == LEAVES
    assert verify_ledger(ledger.engine, ledger.keys, both) == LedgerVerified(LEAVES, LEAVES)


def test_findings_are_bounded_and_counted(database: Engine) -> None:
    ledger = Ledger(database)
    with unit_of_work(database) as connection:
        for index in range(300):
            ledger.append_in(connection, index)
    ledger.tamper("UPDATE ledger_leaves SET mac = '00' WHERE sequence <= 20", drop("BETWEEN 21 AND 299"))
    found = ledger.verify()
    assert isinstance(found, LedgerBroken)
    assert (len(found.findings), found.found) == (100, 299)


def kept_checkpoint(ledger: Ledger) -> Checkpoint:
    with reading(ledger.engine) as connection:
        (note,) = connection.execute(
            sa.select(ledger_batches.c.checkpoint).order_by(ledger_batches.c.batch.desc()).limit(1)
        ).scalars()
    return parse_checkpoint(parse_note(note).text)


def test_a_whole_rollback_is_found_by_what_was_kept_outside(ledger: Ledger) -> None:
    earlier = ledger.snapshot()
    old_checkpoint = kept_checkpoint(ledger)
    leaf = ledger.append()
    ledger.seal()
    checkpoint = kept_checkpoint(ledger)
    assert _verify_with(ledger, checkpoint, leaf) == LedgerVerified(7, 7)
    ledger.restore(earlier)
    assert ledger.verify() == LedgerVerified(LEAVES, SEALED)  # alone it cannot know
    assert _verify_with(ledger, old_checkpoint, None) == LedgerVerified(LEAVES, SEALED)
    assert _verify_with(ledger, Checkpoint("shiming/test", 0, EMPTY_ROOT), None) == ledger.verify()
    contradicted = LedgerFault.KNOWN_CHECKPOINT_CONTRADICTED
    for _ in range(2):
        found = _verify_with(ledger, checkpoint, leaf)
        assert isinstance(found, LedgerBroken)
        assert [one.why for one in found.findings] == [LedgerFault.KNOWN_LEAF_CONTRADICTED, contradicted]
        with unit_of_work(ledger.engine) as connection:  # another history of the same length
            record(connection, ledger.keys, kind="test.other", facts={}, now=NOW)
        ledger.seal()


def _verify_with(
    ledger: Ledger, checkpoint: Checkpoint, leaf: LeafRef | None
) -> LedgerVerified | LedgerBroken:
    return verify_ledger(
        ledger.engine, ledger.keys, (ledger.log.key,), known_checkpoint=checkpoint, known_leaf=leaf
    )


GUARD_NAMES = sorted(name for _, name, _ in GUARDS)


def test_a_missing_guard_is_a_finding(ledger: Ledger) -> None:
    for done, name in enumerate(GUARD_NAMES, 1):
        ledger.drop_guard(name)
        assert sorted(ledger.findings()) == [(f"guard {one}", "GUARD_MISSING") for one in GUARD_NAMES[:done]]


def test_a_guard_that_no_longer_guards_is_a_finding(ledger: Ledger) -> None:
    every = [(f"guard {name}", "GUARD_MISSING") for name in GUARD_NAMES]
    with ledger.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ALTER TABLE ledger_leaves_p3 DISABLE TRIGGER USER")
        else:
            connection.exec_driver_sql("DROP TRIGGER ledger_leaves_no_delete")
            connection.exec_driver_sql("DROP TRIGGER ledger_leaves_no_update")
            for verb in ("delete", "update"):
                made = f"CREATE TRIGGER ledger_leaves_no_{verb} BEFORE {verb.upper()} ON ledger_leaves"
                connection.exec_driver_sql(f"{made} BEGIN SELECT 1; END")
    assert sorted(ledger.findings()) == [one for one in every if "leaves" in one[0]]
    if ledger.engine.dialect.name == "postgresql":
        with ledger.engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE OR REPLACE FUNCTION shiming_refuse_change() RETURNS trigger LANGUAGE plpgsql "
                "AS 'BEGIN RETURN OLD; END'"
            )
        assert sorted(ledger.findings()) == every


FORBIDDEN = [
    "UPDATE ledger_leaves SET leaf = '{}'",
    "DELETE FROM ledger_leaves",
    "DELETE FROM ledger_lanes",
    "UPDATE ledger_lanes SET sequence = 3",
    "UPDATE ledger_batches SET root = ''",
    "UPDATE ledger_batches SET sealed_at = '2030-01-01 00:00:00', checkpoint = checkpoint || 'x'",
    "UPDATE ledger_batches SET checkpoint = substr(checkpoint, 1, length(checkpoint) - 1)",
    "UPDATE ledger_batches SET checkpoint = 'x' || checkpoint",
    "DELETE FROM ledger_batches",
    "UPDATE ledger_runs SET batch = 1",
    "DELETE FROM ledger_runs",
    "DELETE FROM ledger_tiles",
    "UPDATE ledger_tiles SET hashes = substr(hashes, 1, 32)",
    "UPDATE ledger_tiles SET hashes = substr(hashes, 33) || hashes",
    "UPDATE ledger_tiles SET tile = 1",
]


def test_the_program_itself_cannot_change_what_is_written(ledger: Ledger) -> None:
    for statement in FORBIDDEN:
        with (
            pytest.raises(DatabaseError, match=r"stays|append-only|forward|keeps|grows|gains"),
            ledger.engine.begin() as connection,
        ):
            connection.exec_driver_sql(statement)


SLOPPY = [
    "UPDATE ledger_leaves SET leaf = CAST(leaf AS BLOB) WHERE sequence = 2",
    "UPDATE ledger_leaves SET leaf = CAST(x'ff' AS TEXT) WHERE sequence = 2",
    "UPDATE ledger_leaves SET mac = CAST(x'ff' AS TEXT) WHERE sequence = 2",
    "UPDATE ledger_leaves SET sequence = 'first' WHERE sequence = 1",
    "UPDATE ledger_leaves SET sequence = -1 WHERE sequence = 1",
    "UPDATE ledger_leaves SET lane = 'left' WHERE sequence = 1",
    "UPDATE ledger_leaves SET sequence = 1.5 WHERE sequence = 2",
    "UPDATE ledger_lanes SET sequence = 'none'",
    "UPDATE ledger_lanes SET mac = CAST(x'ff' AS TEXT)",
    "UPDATE ledger_runs SET last_sequence = 'all' WHERE batch = 1",
    "UPDATE ledger_runs SET first_index = 'start' WHERE batch = 1",
    "UPDATE ledger_batches SET size = 'large' WHERE batch = 2",
    "UPDATE ledger_batches SET root = x'00' WHERE batch = 2",
    "UPDATE ledger_batches SET checkpoint = CAST(x'ff' AS TEXT) WHERE batch = 2",
    "UPDATE ledger_batches SET sealed_at = 'yesterday', previous_root = 'x' WHERE batch = 2",
    "UPDATE ledger_tiles SET hashes = 'text'",
    "UPDATE ledger_tiles SET level = 'ground'",
]


@pytest.mark.parametrize("statement", SLOPPY)
def test_values_of_another_kind_do_not_stop_the_examination(tmp_path: Path, statement: str) -> None:
    """SQLite keeps whatever is written into a column; PostgreSQL refuses these."""
    with a_database("sqlite", tmp_path / "database") as url:
        ledger = Ledger(open_database(url))
        ledger.append(2)
        ledger.seal()
        ledger.append(2)
        ledger.seal()
        ledger.tamper(statement)
        assert ledger.findings()
        ledger.seal()
        ledger.engine.dispose()
