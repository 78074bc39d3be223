"""The lane of heavy work: few run, in the order of asking; short moments are shared out in turn."""

import threading
import time

import pytest

from shiming.infrastructure.http.heavy_work import HeavyWork
from shiming.vocabulary.errors import Unavailable

SOON_S = 10.0


def _waiting(lane: HeavyWork, count: int) -> None:
    deadline = time.monotonic() + SOON_S
    while len(lane._queue) < count and time.monotonic() < deadline:
        time.sleep(0.001)
    assert len(lane._queue) == count


def test_places_are_given_in_the_order_of_asking() -> None:
    lane, order = HeavyWork(running_max=1), []

    def work(name: int) -> None:
        with lane.turn():
            order.append(name)

    crew = [threading.Thread(target=work, args=(name,)) for name in range(6)]
    with lane.turn():
        for number, each in enumerate(crew):
            each.start()
            _waiting(lane, number + 1)
    for each in crew:
        each.join(SOON_S)
    assert order == list(range(6))


def test_moments_of_several_are_shared_out_in_turn() -> None:
    lane, taken = HeavyWork(running_max=1), []

    def work(name: int) -> None:
        for _ in range(20):
            with lane.moment():
                taken.append(name)
                time.sleep(0.001)

    crew = [threading.Thread(target=work, args=(name,)) for name in range(3)]
    with lane.moment():
        for number, each in enumerate(crew):
            each.start()
            _waiting(lane, number + 1)
    for each in crew:
        each.join(SOON_S)
    half = taken[:30]
    assert [half.count(name) for name in range(3)] == [10, 10, 10]


def test_no_more_run_than_may_and_the_lane_is_free_afterwards() -> None:
    seen: list[tuple[int, int]] = []
    lane = HeavyWork(running_max=2, watch=lambda running, waiting: seen.append((running, waiting)))
    running, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lane.turn():
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.002)
            with lock:
                running -= 1

    crew = [threading.Thread(target=work) for _ in range(12)]
    for each in crew:
        each.start()
    for each in crew:
        each.join(SOON_S)
    assert most == 2
    assert seen[-1] == (0, 0)


def test_too_many_are_told_to_come_back_and_so_is_who_waits_too_long() -> None:
    lane = HeavyWork(running_max=1, waiting_max=1, wait_s_max=0.05)
    with lane.turn():
        began = time.monotonic()
        with pytest.raises(Unavailable, match="RECOGNITION_BUSY"), lane.turn():
            pass
        assert time.monotonic() - began >= 0.05
        waiter = threading.Thread(target=lambda: _wait_in_vain(lane))
        waiter.start()
        _waiting(lane, 1)
        with pytest.raises(Unavailable, match="RECOGNITION_BUSY"), lane.turn():
            pass
        waiter.join(SOON_S)
    with lane.turn():
        pass


def _wait_in_vain(lane: HeavyWork) -> None:
    with pytest.raises(Unavailable), lane.turn():
        pass
