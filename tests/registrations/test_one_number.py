"""A number that is kept for one is not given to another, on both engines."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.idempotency import Kept
from shiming.registrations.model.numbers import NumberHold, NumberNotGiven, NumberReserved, NumberState
from shiming.registrations.model.registration import LineRegistered, RegisterLine
from shiming.registrations.store import numbers as number_store
from shiming.registrations.use_cases.registering import register_line
from tests.privacy.builders import NOW
from tests.registrations.builders import OPERATOR, Desk, a_number
from tests.registrations.orders_builders import PACK
from tests.registrations.promise_builders import (
    a_desk_with_numbers,
    at_once,
    codes,
    keep,
    ordered,
    proven,
    registered_by_a_server,
    reserve,
)

NUMBERS = 8
RIVALS = 3  # who reserve, and as many who register, each number


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    yield from a_desk_with_numbers(tmp_path, database_url)


def test_who_keeps_a_number_and_who_registers_it_never_both_succeed(desk: Desk) -> None:
    for index in range(NUMBERS):
        number = a_number(index)
        keepers = [f"SES-K{index}-{rival}" for rival in range(RIVALS)]
        takers = [f"SES-T{index}-{rival}" for rival in range(RIVALS)]
        for session_id in (*keepers, *takers):
            ordered(desk, session_id, number)
        works: list[Callable[[], object]] = []
        for keeper, taker in zip(keepers, takers, strict=True):
            works += [partial(keep, desk, number, keeper), partial(desk.register, taker, number)]
        outcomes = at_once(*works)
        kept = [
            who for who, got in zip(keepers, outcomes[::2], strict=True) if isinstance(got, NumberReserved)
        ]
        taken = [got for got in outcomes[1::2] if isinstance(got, LineRegistered)]
        assert len(kept) + len(taken) == 1, (kept, taken)
        for keeper in kept:  # what was acknowledged stays good to its end
            assert isinstance(desk.register(keeper, number), LineRegistered)


def test_a_hold_that_is_not_committed_yet_is_waited_for(desk: Desk) -> None:
    """The facts say that the number is free; only the write can know better."""
    ordered(desk, "SES-1", a_number())
    held = threading.Event()

    def keep_slowly() -> None:
        with unit_of_work(desk.engine) as connection:
            assert isinstance(reserve(desk, connection, a_number(), "SES-2"), NumberReserved)
            held.set()
            time.sleep(0.3)

    with ThreadPoolExecutor(1) as pool:
        keeping = pool.submit(keep_slowly)
        assert held.wait(30)
        assert codes(desk.register("SES-1", a_number())) == ["NUMBER_RESERVED"]
        keeping.result()


def test_a_line_that_is_not_committed_yet_is_waited_for(desk: Desk) -> None:
    ordered(desk, "SES-1", a_number())
    written = threading.Event()

    def register_slowly() -> None:
        with unit_of_work(desk.engine) as connection:
            command = RegisterLine(OPERATOR, a_number(), "SES-1")
            done = register_line(desk.tools, connection, command, policy=PACK, now=NOW)
            assert isinstance(done, LineRegistered)
            written.set()
            time.sleep(0.3)

    with ThreadPoolExecutor(1) as pool:
        registering = pool.submit(register_slowly)
        assert written.wait(30)
        refused = keep(desk, a_number(), "SES-2")
        assert isinstance(refused, NumberNotGiven)
        assert codes(refused) == ["NUMBER_TAKEN"]
        registering.result()


def test_a_number_at_rest_is_not_registered_while_its_line_is_ending(desk: Desk) -> None:
    ordered(desk, "SES-1", a_number())
    first = desk.register("SES-1", a_number())
    assert isinstance(first, LineRegistered)
    ordered(desk, "SES-2", a_number())
    line_id = first.receipt["line"]["id"]
    _, refused = at_once(lambda: desk.terminate(line_id), lambda: desk.register("SES-2", a_number()))
    assert codes(refused) in (["NUMBER_TAKEN"], ["NUMBER_RESTING"])
    with reading(desk.engine) as connection:
        kept = number_store.number_facts(connection, a_number().reveal("test")).hold
    assert isinstance(kept, NumberHold)
    assert kept.state is NumberState.QUARANTINE


def test_a_server_too_leaves_a_kept_number_to_whom_it_is_kept_for(desk: Desk) -> None:
    """Both drivers of the hot path."""
    now = datetime.now(UTC)
    sessions = [f"SES-{rival}" for rival in range(4)]
    for session_id in sessions:
        ordered(desk, session_id, a_number(), now=now)
        proven(desk, session_id, when=now)
    held = NumberHold(NumberState.RESERVED, OPERATOR, "SES-2", now + timedelta(minutes=5))
    with unit_of_work(desk.engine) as connection:
        assert number_store.hold(connection, a_number().reveal("test"), held, now=now)
    outcomes = asyncio.run(registered_by_a_server(desk, [(each, a_number()) for each in sessions], now))
    assert [isinstance(outcome, Kept) for outcome in outcomes] == [False, False, True, False]
