"""The pool on real databases: ranges, free numbers, reservations, rests, and many at once."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from shiming.infrastructure.database import reading, transact
from shiming.privacy.model import LedgerVerified
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.jobs.numbers import free_numbers_once
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.numbers import (
    SESSION_RESERVATIONS_MAX,
    BlockAdded,
    NumberNotGiven,
    NumberRange,
    NumberReserved,
    NumberState,
)
from shiming.registrations.model.registration import LineRegistered
from shiming.registrations.store import numbers as store
from shiming.registrations.store.number_tables import number_blocks, numbers_held
from shiming.registrations.use_cases import free_numbers
from shiming.registrations.use_cases.free_numbers import NumbersWanted, Place, find_free
from shiming.registrations.use_cases.numbers import list_blocks
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.msisdn import Msisdn
from tests.privacy.builders import NOW
from tests.registrations.builders import OPERATOR, a_number
from tests.registrations.stock_builders import StockDesk, a_range, a_stock_desk, codes_of, the_rules

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


# -- reservations


def test_a_number_is_kept_for_one_and_then_free_again(desk: StockDesk) -> None:
    desk.add_block(a_range(0, 99))
    kept = desk.reserve(a_number(1))
    assert isinstance(kept, NumberReserved)
    minutes = the_rules().numbering.reservation_minutes.value
    assert kept.until == NOW + timedelta(minutes=minutes)
    again = desk.reserve(a_number(1), now=NOW + timedelta(minutes=1))
    assert isinstance(again, NumberReserved)
    assert (again.repeated, again.until) == (True, kept.until)
    assert codes_of(desk.reserve(a_number(1), "SES-2")) == ["NUMBER_RESERVED"]
    assert desk.state(a_number(1)) is NumberState.RESERVED
    assert desk.state(a_number(1), kept.until) is NumberState.FREE
    assert isinstance(desk.reserve(a_number(1), "SES-2", now=kept.until), NumberReserved)
    assert not desk.release(a_number(1), "SES-1")
    assert not desk.release(a_number(1), "SES-2", operator=OTHER)
    assert desk.release(a_number(1), "SES-2")
    assert desk.state(a_number(1)) is NumberState.FREE
    assert len(desk.events("number.reserved")) == 2
    assert len(desk.events("number.released")) == 1
    told = str(desk.events("number.reserved", "number.released"))
    assert a_number(1).reveal("t")[3:] not in told


def test_what_may_not_be_kept(desk: StockDesk) -> None:
    desk.add_block(a_range(0, 99))
    desk.add_block(a_range(100, 199), OTHER)
    desk.add_block(a_range(50, 59), excluded=True)
    desk.line(3)
    codes = [codes_of(desk.reserve(a_number(index))) for index in (3, 55, 150, 500)]
    assert codes == [["NUMBER_TAKEN"], ["NUMBER_EXCLUDED"], *[["NUMBER_NOT_IN_POOL"]] * 2]
    for index in range(10, 10 + SESSION_RESERVATIONS_MAX):
        assert isinstance(desk.reserve(a_number(index)), NumberReserved)
    assert codes_of(desk.reserve(a_number(30))) == ["RESERVATIONS_TOO_MANY"]
    assert isinstance(desk.reserve(a_number(30), "ORG-1"), NumberReserved)
    with pytest.raises(BadInput, match="HELD_FOR_FORMAT"):
        desk.reserve(a_number(31), "a person")


def test_of_many_clerks_who_want_one_number_one_gets_it(desk: StockDesk) -> None:
    desk.add_block(a_range(0, 99))
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda turn: desk.reserve(a_number(turn % 3), f"SES-{turn}"), range(18)))
    kept = [outcome for outcome in outcomes if isinstance(outcome, NumberReserved)]
    assert Counter(each.number for each in kept) == Counter(a_number(index) for index in range(3))
    refused = [outcome for outcome in outcomes if isinstance(outcome, NumberNotGiven)]
    assert {code for each in refused for code in codes_of(each)} == {"NUMBER_RESERVED"}


def test_a_number_registered_between_the_look_and_the_keeping_is_not_kept(desk: StockDesk) -> None:
    """Reserving and registering one number at once: whoever is told yes has it."""
    desk.add_block(a_range(0, 99))
    with ThreadPoolExecutor(4) as pool:
        for index in range(8):
            kept = pool.submit(desk.reserve, a_number(index), "SES-other")
            line = pool.submit(desk.line, index)
            assert line.result()
            assert isinstance(kept.result(), NumberReserved | NumberNotGiven)
            assert desk.state(a_number(index)) is NumberState.IN_SERVICE


# -- rest after use


def test_a_number_rests_after_use_and_is_then_free(desk: StockDesk) -> None:
    desk.add_block(a_range(0, 99))
    line = desk.line(5)
    assert desk.state(a_number(5)) is NumberState.IN_SERVICE
    desk.terminate(line, NOW + DAY)
    over = NOW + DAY + timedelta(days=the_rules().numbering.quarantine_days.value)
    assert desk.state(a_number(5), NOW + DAY) is NumberState.QUARANTINE
    assert codes_of(desk.reserve(a_number(5), now=over - DAY)) == ["NUMBER_RESTING"]
    assert desk.state(a_number(5), over) is NumberState.FREE
    assert [json.loads(event["facts"]) for event in desk.events("number.rests")] == [{"line": line}]


def test_what_has_run_out_leaves_the_table(desk: StockDesk) -> None:
    desk.add_block(a_range(0, 99))
    for index in range(4):
        desk.reserve(a_number(index), f"SES-{index}")
    desk.reserve(a_number(9), "ORG-1")

    def tidy(after: timedelta) -> int:
        return free_numbers_once(desk.desk.tools, desk.engine, now=NOW + after)

    assert tidy(timedelta()) == 0
    assert tidy(DAY) == 4
    assert tidy(DAY) == 0
    assert desk.state(a_number(9), NOW + DAY) is NumberState.RESERVED
    (event,) = desk.events("numbers.freed")
    assert json.loads(event["facts"]) == {"count": 4}


# -- whatever happens


@pytest.fixture(scope="module")
def pool_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StockDesk]:
    desk = a_stock_desk(tmp_path_factory.mktemp("pool"))
    desk.add_block(a_range(0, 5))
    desk.add_block(a_range(4, 5), excluded=True)
    yield desk
    desk.engine.dispose()


acts = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "register", "terminate", "release", "day"]),
        st.integers(0, 6),
        st.integers(0, 1),
    ),
    max_size=14,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(acts)
def test_nothing_is_given_out_twice(pool_desk: StockDesk, steps: list[tuple[str, int, int]]) -> None:
    """A model of six numbers beside the real pool: each is in one state, and kept or used by one."""
    world = _World(pool_desk)
    for act, index, who in steps:
        world.act(act, index, who)
        world.compare()
    world.clear()


class _World:
    clock = NOW  # goes on from example to example, so that nothing of one is in the way of the next
    sessions = 0

    def __init__(self, desk: StockDesk) -> None:
        self.desk = desk
        self.kept: dict[int, tuple[str, object]] = {}
        self.used: dict[int, str] = {}
        self.resting: dict[int, object] = {}

    def act(self, act: str, index: int, who: int) -> None:
        number, holder = a_number(index), f"ORG-{who}"
        if act == "day":
            _World.clock += 31 * DAY
        elif act == "reserve":
            state = self.state(index)
            mine = state is NumberState.RESERVED and self.kept[index][0] == holder
            outcome = self.desk.reserve(number, holder, now=self.clock)
            assert isinstance(outcome, NumberReserved) == (state is NumberState.FREE or mine)
            if isinstance(outcome, NumberReserved):
                self.kept[index] = (holder, outcome.until)
        elif act == "release":
            mine = index in self.kept and self.kept[index][0] == holder
            if self.desk.release(number, holder):
                assert mine
                del self.kept[index]
        elif act == "register" and index not in self.used:
            _World.sessions += 1
            person = f"p1.world-{self.sessions}"
            outcome_of_line = self.desk.desk.register_for(person, f"SES-W{self.sessions}", number)
            assert isinstance(outcome_of_line, LineRegistered)
            self.used[index] = outcome_of_line.receipt["line"]["id"]
        elif act == "terminate" and index in self.used:
            self.desk.terminate(self.used.pop(index), self.clock)
            self.kept.pop(index, None)
            days = the_rules().numbering.quarantine_days.value
            self.resting[index] = self.clock + timedelta(days=days)

    def state(self, index: int) -> NumberState:
        if index in self.used:
            return NumberState.IN_SERVICE
        if index > 5:
            return NumberState.OUTSIDE
        if index > 3:
            return NumberState.EXCLUDED
        if index in self.resting and self.resting[index] > self.clock:  # type: ignore[operator] # instants
            return NumberState.QUARANTINE
        if index in self.kept and self.kept[index][1] > self.clock:  # type: ignore[operator] # as above
            return NumberState.RESERVED
        return NumberState.FREE

    def compare(self) -> None:
        states = {index: self.state(index) for index in range(7)}
        assert {index: self.desk.state(a_number(index), self.clock) for index in range(7)} == states
        with reading(self.desk.engine) as connection:
            wanted = NumbersWanted.parse(OPERATOR)
            found = find_free(self.desk.desk.tools, connection, wanted, limit=50, now=self.clock).numbers
        free = [a_number(index) for index, state in states.items() if state is NumberState.FREE]
        assert Counter(found) == Counter(free)

    def clear(self) -> None:
        for line in self.used.values():
            self.desk.terminate(line, self.clock)
        for index, (holder, _) in self.kept.items():
            self.desk.release(a_number(index), holder)
        _World.clock += 400 * DAY


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
