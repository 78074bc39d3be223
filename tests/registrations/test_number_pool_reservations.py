"""Numbers of the pool that are kept, used and at rest: one at a time, many at once, in any order."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shiming.infrastructure.database import reading
from shiming.registrations.jobs.numbers import free_numbers_once
from shiming.registrations.model.numbers import (
    SESSION_RESERVATIONS_MAX,
    NumberNotGiven,
    NumberReserved,
    NumberState,
)
from shiming.registrations.model.registration import LineRegistered
from shiming.registrations.use_cases.free_numbers import NumbersWanted, find_free
from shiming.vocabulary.errors import BadInput
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
