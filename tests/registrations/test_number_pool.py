"""The pool on real databases: its ranges, tables of them, and the search for free numbers."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from openpyxl import Workbook

from shiming.infrastructure.database import reading, transact
from shiming.privacy.model import LedgerVerified
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.numbers import (
    BlockAdded,
    NumberRange,
    NumberState,
)
from shiming.registrations.store import numbers as store
from shiming.registrations.store.number_tables import number_blocks, numbers_held
from shiming.registrations.use_cases import free_numbers
from shiming.registrations.use_cases.free_numbers import NumbersWanted, Place, find_free
from shiming.registrations.use_cases.numbers import list_blocks
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.msisdn import Msisdn
from tests.privacy.builders import NOW
from tests.registrations.builders import OPERATOR, a_number
from tests.registrations.stock_builders import StockDesk, a_range, a_stock_desk, codes_of

DAY = timedelta(days=1)
OTHER = "cn-unicom"


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[StockDesk]:
    desk = a_stock_desk(tmp_path, database_url)
    yield desk
    desk.engine.dispose()


def search(
    desk: StockDesk, ending: str = "", *, limit: int = 1000, place: Place | None = None
) -> free_numbers.FreeNumbers:
    wanted = NumbersWanted.parse(OPERATOR, None, ending)
    with reading(desk.engine) as connection:
        return find_free(desk.desk.tools, connection, wanted, place=place, limit=limit, now=NOW)


def walk(desk: StockDesk, ending: str = "", *, limit: int = 7) -> list[Msisdn]:
    """All pages of a search."""
    found: list[Msisdn] = []
    place: Place | None = None
    while True:
        page = search(desk, ending, limit=limit, place=place)
        found += page.numbers
        if page.next is None:
            return found
        place = page.next


def stored(desk: StockDesk) -> int:
    with reading(desk.engine) as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(number_blocks)).scalar_one()


# -- ranges


def test_ranges_are_added_once_and_overlap_none(desk: StockDesk) -> None:
    assert isinstance(desk.add_block(a_range(100, 199)), BlockAdded)
    again = desk.add_block(a_range(100, 199))
    assert isinstance(again, BlockAdded)
    assert again.repeated
    assert codes_of(desk.add_block(a_range(150, 250))) == ["BLOCK_OVERLAPS"]
    assert codes_of(desk.add_block(a_range(0, 1000), OTHER)) == ["BLOCK_OF_OTHER_OPERATOR"]
    assert isinstance(desk.add_block(a_range(200, 299), OTHER), BlockAdded)
    assert codes_of(desk.add_block(a_range(190, 210), excluded=True)) == ["EXCLUSION_OUTSIDE_BLOCK"]
    assert codes_of(desk.add_block(a_range(210, 220), excluded=True)) == ["EXCLUSION_OUTSIDE_BLOCK"]
    assert isinstance(desk.add_block(a_range(110, 119), excluded=True), BlockAdded)
    assert codes_of(desk.add_block(a_range(115, 125), excluded=True)) == ["BLOCK_OVERLAPS"]
    assert stored(desk) == 3
    with reading(desk.engine) as connection:
        mine = list_blocks(connection, OPERATOR, limit=10)
        rest = list_blocks(connection, None, after=mine[0].block_id, limit=10)
    assert [block.excluded for block in sorted(mine, key=lambda block: block.range.first)] == [False, True]
    assert mine[0].block_id not in {block.block_id for block in rest}


def test_two_operators_cannot_get_overlapping_ranges_at_once(desk: StockDesk) -> None:
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(
            pool.map(
                lambda turn: desk.add_block(a_range(turn, turn + 10), (OPERATOR, OTHER)[turn % 2]), range(8)
            )
        )
    assert sum(isinstance(outcome, BlockAdded) for outcome in outcomes) == stored(desk) == 1


GOOD = """operator,first,last,kind,excluded
cn-mobile,+861380000xxxx,,mobile,
cn-mobile,+8613800010000,+8613800019999,,
cn-mobile,+8613800000100,+8613800000199,mobile,yes
cn-unicom,+8613100000000,+8613100009999,data_card,no
"""
BAD = """operator;first;last;kind;excluded
cn-mobile;+861380000xxxx;;mobile;
cn-mobile;+8613800005000;+8613800015000;mobile;
cn-unicom;+8613800000000;+8613800000099;mobile;
;+8613800020000;+8613800029999;;
cn-mobile;13800020000;;;
cn-mobile;+8613800029999;+8613800020000;;
cn-mobile;+14155550100;+14155550199;;
cn-mobile;+8613800030000;+8613800039999;pager;
cn-mobile;+8613800030000;+8613800039999;;maybe
cn-mobile;+8613800090000;+8613800090099;;yes
CN;+8613800030000;+8613800039999;;
cn-mobile;+8613800040000;+8613800049999;;;;;
cn-mobile;+8613800040000;+8613800049999;;
"""


def test_a_table_of_ranges_goes_in_and_again_changes_nothing(desk: StockDesk) -> None:
    first, again = desk.import_blocks(GOOD), desk.import_blocks(GOOD)
    assert (first.added, first.unchanged, first.refused) == (4, 0, 0)
    assert (again.added, again.unchanged, again.refused) == (0, 4, 0)
    assert desk.state(Msisdn("+8613800000150")) is NumberState.EXCLUDED
    events = [json.loads(event["facts"]) for event in desk.events("number_blocks.added")]
    assert sorted(event["numbers"] for event in events) == [10_000, 20_000]
    assert isinstance(verify_ledger(desk.engine, desk.desk.vault.keys), LedgerVerified)


def test_bad_rows_are_named_and_stop_no_good_one(desk: StockDesk) -> None:
    report = desk.import_blocks(BAD)
    assert (report.added, report.unchanged) == (2, 0)
    shown = [(row["line"], row["column"], row["code"]) for row in report.to_json()["bad_rows"]]
    assert shown == [
        (3, "first", "BLOCK_OVERLAPS"),
        (4, "first", "BLOCK_OF_OTHER_OPERATOR"),
        (5, "operator", "CELL_EMPTY"),
        (6, "first", "RANGE_FORMAT"),
        (7, "first", "RANGE_ORDER"),
        (8, "first", "RANGE_OTHER_REGION"),
        (9, "kind", "LINE_KIND_UNKNOWN"),
        (10, "excluded", "YES_OR_NO"),
        (11, "first", "EXCLUSION_OUTSIDE_BLOCK"),
        (12, "operator", "OPERATOR_FORMAT"),
        (13, "excluded", "CELLS_TOO_MANY"),
    ]
    assert report.refused == len(shown)


def test_a_spreadsheet_goes_in_too_and_only_for_the_own_operator(desk: StockDesk) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["operator", "first", "last"])
    sheet.append([OPERATOR, "+8613800000000", "+8613800000999"])
    sheet.append([OTHER, "+8613800001000", "+8613800001999"])
    stream = BytesIO()
    book.save(stream)
    report = desk.import_blocks(stream.getvalue(), "ranges.xlsx", operator=OPERATOR)
    assert (report.added, report.refused) == (1, 1)
    assert report.bad_rows[0].code == "OTHER_OPERATOR"


def test_what_is_no_such_table_is_refused_whole(desk: StockDesk) -> None:
    with pytest.raises(BadInput, match="TABLE_COLUMNS"):
        desk.import_blocks("operator,last\n")
    with pytest.raises(BadInput, match="TABLE_"):
        desk.import_blocks("")


def test_a_long_table_goes_in_by_batches(desk: StockDesk) -> None:
    """More rows than two batches, in no order, some of them twice."""
    rows = [
        f"cn-mobile,{a_number(i * 10).reveal('t')},{a_number(i * 10 + 9).reveal('t')}" for i in range(2100)
    ]
    shuffled = [rows[index * 1009 % 2100] for index in range(2100)]
    report = desk.import_blocks("\n".join(["operator,first,last", *shuffled, *shuffled[:50]]))
    assert (report.added, report.unchanged, report.refused) == (2100, 50, 0)
    assert len(desk.events("number_blocks.added")) == 3
    assert desk.state(a_number(12_345)) is NumberState.FREE
    assert desk.state(a_number(21_000)) is NumberState.OUTSIDE


# -- free numbers


def test_every_free_number_is_found_once_and_no_other(desk: StockDesk) -> None:
    for first, last in ((100, 129), (140, 159), (1000, 1019)):
        desk.add_block(a_range(first, last))
    desk.add_block(a_range(200, 299), OTHER)
    desk.add_block(a_range(105, 109), excluded=True)
    desk.add_block(a_range(150, 159), excluded=True)
    desk.line(110)
    desk.reserve(a_number(111))
    resting = desk.line(112)
    desk.terminate(resting)
    expected = {*range(100, 130), *range(140, 160), *range(1000, 1020)}
    expected -= {*range(105, 110), *range(150, 160), 110, 111, 112}
    for limit in (1, 7, 1000):
        found = walk(desk, limit=limit)
        assert Counter(found) == Counter(a_number(index) for index in expected)
    assert Counter(walk(desk, "5")) == Counter(a_number(i) for i in expected if i % 10 == 5)
    assert walk(desk, "77777") == []


def test_the_search_begins_where_chance_says(desk: StockDesk) -> None:
    desk.import_blocks("operator,first,last\ncn-mobile,+861380000xxxx,\ncn-mobile,+861380001xxxx,\n")
    begins = {search(desk, limit=1).numbers[0] for _ in range(12)}
    assert len(begins) > 6


def test_a_full_pool_is_not_walked_through_for_one_page(
    desk: StockDesk,
) -> None:
    desk.add_block(NumberRange("+8613800000000", "+8613899999999"))  # a hundred million
    with reading(desk.engine) as connection:
        asked = search(desk, "12345678", limit=20)
        plain = connection.execute(sa.select(sa.func.count()).select_from(numbers_held)).scalar_one()
    assert ([number.reveal("t") for number in asked.numbers], plain) == (["+8613812345678"], 0)


def test_a_page_ends_when_enough_was_looked_at(desk: StockDesk) -> None:
    desk.add_block(NumberRange("+8613800000000", "+8613800023999"))
    rows = [
        {"number": f"+86138000{n:05d}", "operator": OPERATOR, "state": "quarantine", "until": NOW + DAY}
        for n in range(24_000)
        if n != 23_500
    ]
    transact(desk.engine, lambda connection: connection.execute(numbers_held.insert(), rows))
    pages, place = 0, None
    found: list[Msisdn] = []
    while pages < 10:
        page = search(desk, limit=5, place=place)
        found += page.numbers
        pages, place = pages + 1, page.next
        if place is None:
            break
    assert found == [Msisdn("+8613800023500")]
    assert pages in {2, 3}


def test_the_search_may_be_for_one_range_and_one_kind_of_line(desk: StockDesk) -> None:
    desk.import_blocks(
        "operator,first,kind\ncn-mobile,+86138000000xx,\ncn-mobile,+86138000001xx,\n"
        "cn-mobile,+86138000002xx,data_card\n"
    )
    with reading(desk.engine) as connection:
        blocks = list_blocks(connection, OPERATOR, limit=10)
        for block in blocks:
            for kind in (None, LineKind.MOBILE, LineKind.DATA_CARD):
                wanted = NumbersWanted.parse(OPERATOR, kind, "7", block.block_id)
                found = find_free(desk.desk.tools, connection, wanted, limit=50, now=NOW)
                of_kind = kind in {None, block.kind}
                inside = [f"{block.range.first[:-2]}{tens}7" for tens in range(10)] if of_kind else []
                assert sorted(number.reveal("t") for number in found.numbers) == inside


def test_an_operator_without_numbers_has_none_free(desk: StockDesk) -> None:
    assert search(desk) == free_numbers.FreeNumbers((), None)


def test_the_nearest_range_is_found_among_many_lengths(desk: StockDesk) -> None:
    for block in (NumberRange("+861380", "+861389"), NumberRange("+8613800", "+8613899")):
        desk.add_block(block)
    with reading(desk.engine) as connection:
        found = store.nearest(connection, ("+861385", "+8613850", "+86138", "+861400"), excluded=False)
    assert {number: block and block.range.first for number, block in found.items()} == {
        "+861385": "+861380",
        "+8613850": "+8613800",
        "+86138": None,
        "+861400": "+861380",
    }
