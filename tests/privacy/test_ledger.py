"""The ledger finds every change that a test makes behind its back, with a plain SQLite connection."""

import contextlib
import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from shiming.infrastructure.database import reading, unit_of_work
from shiming.privacy.model import LedgerBroken, LedgerFault, LedgerHead, LedgerVerified
from shiming.privacy.store import ledger_head, ledger_leaves
from shiming.privacy.use_cases.ledger import GENESIS, Fact, prepare_tables, record, verify_ledger
from shiming.vocabulary.errors import Unavailable
from tests.privacy.builders import NOW, Vault, a_vault

LEAVES = 6
OLD_HEAD = "UPDATE ledger_head SET (only, sequence, hash, mac, key_id) = (?, ?, ?, ?, ?)"


def append(vault: Vault, count: int = 1) -> LedgerHead:
    head = GENESIS
    for index in range(count):
        with unit_of_work(vault.engine) as connection:
            head = record(connection, vault.keys, kind="test.leaf", facts={"index": index}, now=NOW)
    return head


def a_ledger(tmp_path: Path) -> Vault:
    vault = a_vault(tmp_path)
    append(vault, LEAVES)
    return vault


@contextlib.contextmanager
def intruder(vault: Vault, *, drop_guards: bool = True) -> Iterator[sqlite3.Connection]:
    """Write to the database file as somebody with the rights of the process, but without the keys."""
    connection = sqlite3.connect(vault.settings.data_folder / "shiming.db")
    guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in guards if drop_guards else ():
        connection.execute(f"DROP TRIGGER {name}")
    yield connection
    for _, sql in guards if drop_guards else ():
        connection.execute(sql)
    connection.commit()
    connection.close()


def tampered(vault: Vault, *statements: str) -> LedgerVerified | LedgerBroken:
    with intruder(vault) as connection:
        for statement in statements:
            connection.execute(statement)
    return verify_ledger(vault.engine, vault.keys)


def test_an_untouched_ledger_verifies_and_so_does_an_empty_one(tmp_path: Path) -> None:
    vault = a_vault(tmp_path)
    assert verify_ledger(vault.engine, vault.keys) == LedgerVerified(GENESIS)
    head = append(vault, LEAVES)
    assert head.sequence == LEAVES
    assert verify_ledger(vault.engine, vault.keys) == LedgerVerified(head)
    assert verify_ledger(vault.engine, vault.keys, known_head=GENESIS) == LedgerVerified(head)


# The four below write SQL from numbers and columns that stand in this file.
def copy_of(sequence: int, place: int) -> str:
    return (
        f"INSERT INTO ledger_leaves SELECT {place}, leaf, hash, mac, key_id FROM ledger_leaves "  # noqa: S608
        f"WHERE sequence = {sequence}"
    )


def change(what: str, sequence: int) -> str:
    return f"UPDATE ledger_leaves SET {what} WHERE sequence = {sequence}"  # noqa: S608


def drop(which: str) -> str:
    return f"DELETE FROM ledger_leaves WHERE sequence {which}"  # noqa: S608


def point_head(columns: str) -> str:
    return f"UPDATE ledger_head SET ({columns}) = (SELECT {columns} FROM ledger_leaves WHERE sequence = 5)"  # noqa: S608


GARBAGE = f"leaf = 'garbage', hash = '{hashlib.sha256(b'garbage').hexdigest()}'"


@pytest.mark.parametrize(
    ("statements", "at", "why"),
    [
        ((change("leaf = replace(leaf, 'test', 'text')", 3),), 3, "LEAF_CHANGED"),
        ((change("hash = upper(hash)", 6),), 6, "LEAF_CHANGED"),
        ((change("leaf = CAST(leaf AS BLOB)", 2),), 2, "LEAF_CHANGED"),
        ((change("leaf = CAST(x'ff' AS TEXT)", 2),), 2, "LEAF_CHANGED"),
        ((change("mac = CAST(x'ff' AS TEXT)", 2),), 2, "LEAF_FOREIGN"),
        ((change("sequence = 'first'", 1),), 1, "LEAF_MISSING"),
        (("UPDATE ledger_head SET hash = CAST(x'ff' AS TEXT)",), 7, "HEAD_FOREIGN"),
        ((change(GARBAGE, 4),), 4, "LEAF_FOREIGN"),
        ((change("mac = '00'", 2),), 2, "LEAF_FOREIGN"),
        ((change("key_id = 'l9'", 2),), 2, "LEAF_FOREIGN"),
        ((drop("= 1"),), 1, "LEAF_MISSING"),
        ((drop("= 4"),), 4, "LEAF_MISSING"),
        ((drop("= 6"),), 6, "TAIL_MISSING"),
        ((drop(">= 3"),), 3, "TAIL_MISSING"),
        ((drop(">= 1"),), 1, "TAIL_MISSING"),
        ((drop(">= 1"), "DELETE FROM ledger_head"), 1, "HEAD_MISSING"),
        (("DELETE FROM ledger_head",), 7, "HEAD_MISSING"),
        (("UPDATE ledger_head SET sequence = 5",), 7, "HEAD_FOREIGN"),
        ((drop("= 6"), point_head("sequence, hash")), 6, "HEAD_FOREIGN"),
        ((drop("= 6"), point_head("sequence, hash, mac")), 6, "HEAD_FOREIGN"),
        (
            (change("sequence = 99", 2), change("sequence = 2", 5), change("sequence = 5", 99)),
            2,
            "LEAF_MOVED",
        ),
        ((copy_of(4, 0),), 1, "LEAF_MISSING"),
        ((copy_of(6, 7),), 7, "LEAF_MOVED"),
    ],
)
def test_every_change_is_found_and_named(
    tmp_path: Path, statements: tuple[str, ...], at: int, why: str
) -> None:
    assert tampered(a_ledger(tmp_path), *statements) == LedgerBroken(at, LedgerFault(why))


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_any_changed_character_is_found_where_it_is(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    vault = a_ledger(tmp_path_factory.mktemp("ledger"))
    sequence = data.draw(st.integers(1, LEAVES))
    with intruder(vault) as connection:
        (leaf,) = connection.execute(
            "SELECT leaf FROM ledger_leaves WHERE sequence = ?", [sequence]
        ).fetchone()
        place = data.draw(st.integers(0, len(leaf) - 1))
        other = data.draw(st.characters(codec="ascii").filter(lambda character: character != leaf[place]))
        changed = leaf[:place] + other + leaf[place + 1 :]
        connection.execute("UPDATE ledger_leaves SET leaf = ? WHERE sequence = ?", [changed, sequence])
    found = verify_ledger(vault.engine, vault.keys)
    assert found == LedgerBroken(sequence, LedgerFault.LEAF_CHANGED)


def test_a_leaf_added_with_a_right_hash_but_without_the_key_is_foreign(tmp_path: Path) -> None:
    vault, forger = a_ledger(tmp_path / "a"), a_ledger(tmp_path / "b")
    append(forger)
    with reading(forger.engine) as connection:
        row = connection.execute(ledger_leaves.select().order_by(ledger_leaves.c.sequence.desc())).first()
    assert row is not None
    with intruder(vault) as connection_to_vault:
        connection_to_vault.execute("INSERT INTO ledger_leaves VALUES (?, ?, ?, ?, ?)", tuple(row))
    # the same facts at the same instants make the same chain: only the key tells the two apart
    assert verify_ledger(vault.engine, vault.keys) == LedgerBroken(LEAVES + 1, LedgerFault.LEAF_FOREIGN)


def test_leaves_behind_the_head_are_found(tmp_path: Path) -> None:
    vault = a_ledger(tmp_path)
    with reading(vault.engine) as connection:
        old_head = connection.execute(ledger_head.select()).one()
    append(vault)
    with intruder(vault) as connection_to_vault:
        connection_to_vault.execute(OLD_HEAD, tuple(old_head))
    assert verify_ledger(vault.engine, vault.keys) == LedgerBroken(LEAVES + 2, LedgerFault.TAIL_ADDED)


def test_a_whole_rollback_is_found_by_a_head_kept_outside(tmp_path: Path) -> None:
    vault = a_ledger(tmp_path)
    with reading(vault.engine) as connection:
        old_head = connection.execute(ledger_head.select()).one()
    kept_outside = append(vault)
    with intruder(vault) as connection_to_vault:
        connection_to_vault.execute("DELETE FROM ledger_leaves WHERE sequence = ?", [LEAVES + 1])
        connection_to_vault.execute(OLD_HEAD, tuple(old_head))
    assert isinstance(verify_ledger(vault.engine, vault.keys), LedgerVerified)  # alone it cannot know
    broken = LedgerBroken(LEAVES + 1, LedgerFault.KNOWN_HEAD_CONTRADICTED)
    assert verify_ledger(vault.engine, vault.keys, known_head=kept_outside) == broken
    with unit_of_work(vault.engine) as connection:
        record(connection, vault.keys, kind="test.other", facts={}, now=NOW)
    assert verify_ledger(vault.engine, vault.keys, known_head=kept_outside) == broken


def test_missing_guards_are_a_finding(tmp_path: Path) -> None:
    vault = a_ledger(tmp_path)
    with intruder(vault, drop_guards=False) as connection:
        connection.execute("DROP TRIGGER ledger_leaves_no_delete")
    assert verify_ledger(vault.engine, vault.keys) == LedgerBroken(LEAVES + 1, LedgerFault.GUARD_MISSING)


@pytest.mark.parametrize(
    "statement",
    [
        lambda: ledger_leaves.update().values(leaf="{}"),
        ledger_leaves.delete,
        ledger_head.delete,
        lambda: ledger_head.update().values(sequence=1),
        lambda: ledger_head.insert().values(only=2, sequence=1, hash="", mac="", key_id=""),
    ],
)
def test_the_program_itself_cannot_change_what_is_written(
    tmp_path: Path, statement: Callable[[], object]
) -> None:
    vault = a_ledger(tmp_path)
    with pytest.raises(IntegrityError), unit_of_work(vault.engine) as connection:
        connection.execute(statement())  # type: ignore[call-overload] # any of several statements


def test_nothing_is_written_to_a_ledger_without_head_and_none_is_made_up(tmp_path: Path) -> None:
    vault = a_ledger(tmp_path)
    tampered(vault, "DELETE FROM ledger_head")
    prepare_tables(vault.engine, vault.keys)
    with pytest.raises(Unavailable) as refused:
        append(vault)
    assert refused.value.code == "LEDGER_HEAD_MISSING"


@pytest.mark.parametrize(
    "fact",
    [
        "张三丰",
        "José",
        "11010519491231002X",
        "+8613800138000",
        "13800138000",
        "E12345678",
        "John Smith",
        "x" * 201,
    ],
)
def test_personal_data_in_clear_is_refused(tmp_path: Path, fact: Fact) -> None:
    vault = a_vault(tmp_path)
    with pytest.raises(ValueError, match="fact 'holder'"), unit_of_work(vault.engine) as connection:
        record(connection, vault.keys, kind="test.leaf", facts={"holder": fact}, now=NOW)
    with pytest.raises(ValueError, match="Not A Kind"), unit_of_work(vault.engine) as connection:
        record(connection, vault.keys, kind="Not A Kind", facts={}, now=NOW)
    assert verify_ledger(vault.engine, vault.keys) == LedgerVerified(GENESIS)


def test_progress_is_told_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shiming.privacy.use_cases.ledger._PROGRESS_EVERY", 2)
    told: list[int] = []
    vault = a_ledger(tmp_path)
    verify_ledger(vault.engine, vault.keys, progress=told.append)
    assert told == [2, 4, 6]


@pytest.mark.parametrize("fault", list(LedgerFault))
def test_every_fault_speaks_both_languages(fault: LedgerFault) -> None:
    assert fault.text.zh
    assert fault.text.en.isascii()
