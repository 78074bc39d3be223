"""What a single leaf is, and what it may not hold."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine

from shiming.infrastructure.database import open_database, unit_of_work
from shiming.privacy.model import LedgerFault, LedgerVerified
from shiming.privacy.store.ledger import ledger_leaves
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.privacy.use_cases.verifying import parse_leaf, verify_ledger
from shiming.vocabulary.errors import BadInput
from tests.databases import a_database
from tests.privacy.ledger_desk import NOW, Ledger


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_any_changed_character_is_found_where_it_is(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    with a_database("sqlite", tmp_path_factory.mktemp("ledger") / "database") as url:
        ledger = Ledger(open_database(url))
        ledger.append(3)
        sequence = data.draw(st.integers(1, 3))
        column = data.draw(st.sampled_from(["leaf", "hash", "mac"]))
        with ledger.intruder() as connection:
            row = ledger_leaves.c.sequence == sequence
            text = connection.execute(sa.select(ledger_leaves.c[column]).where(row)).scalar_one()
            place = data.draw(st.integers(0, len(text) - 1))
            other = data.draw(st.characters(codec="ascii").filter(lambda sign: sign != text[place]))
            changed = text[:place] + other + text[place + 1 :]
            connection.execute(ledger_leaves.update().where(row).values({column: changed}))
        assert ledger.findings() == [(f"1-{sequence}", "LEAF_FOREIGN" if column == "mac" else "LEAF_CHANGED")]
        ledger.engine.dispose()


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
    with a_database("sqlite", tmp_path / "database") as url:
        ledger = Ledger(open_database(url))
        with pytest.raises(ValueError, match="fact 'holder'"), unit_of_work(ledger.engine) as connection:
            record(connection, ledger.keys, kind="test.leaf", facts={"holder": fact}, now=NOW)
        with pytest.raises(ValueError, match="Not A Kind"), unit_of_work(ledger.engine) as connection:
            record(connection, ledger.keys, kind="Not A Kind", facts={}, now=NOW)
        assert ledger.verify() == LedgerVerified(0, 0)
        ledger.engine.dispose()


def test_progress_is_told_on_the_way(database: Engine) -> None:
    ledger = Ledger(database)
    with unit_of_work(database) as connection:
        for index in range(1100):
            ledger.append_in(connection, index)
    told: list[tuple[int, int]] = []
    verify_ledger(database, ledger.keys, progress=lambda *at: told.append(at))
    assert told == [(1000, 1100), (1100, 1100)]


@pytest.mark.parametrize("fault", list(LedgerFault))
def test_every_fault_speaks_both_languages(fault: LedgerFault) -> None:
    assert fault.text.zh
    assert fault.text.en.isascii()


def test_a_leaf_is_named_as_receipts_name_it(database: Engine) -> None:
    leaf = Ledger(database).append()
    assert parse_leaf(f" {leaf}\n") == leaf
    for text in ("", "1-1", f"{leaf}0", "a-b:" + leaf.hash):
        with pytest.raises(BadInput, match="LEAF_REFERENCE_FORMAT"):
            parse_leaf(text)
