import threading
import time
from itertools import pairwise

import pytest

from shiming.infrastructure.writer_turns import TurnNotReached, WriterTurns


def queued(turns: WriterTurns) -> int:
    return len(turns._waiting)


def wait_until_queued(turns: WriterTurns, count: int) -> None:
    deadline = time.monotonic() + 10
    while queued(turns) < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    turns, served = WriterTurns(30), list[int]()

    def write(number: int) -> None:
        with turns.mine():
            served.append(number)

    threads = []
    with turns.mine():
        for number in range(20):
            threads.append(threading.Thread(target=write, args=(number,)))
            threads[-1].start()
            wait_until_queued(turns, number + 1)
    for thread in threads:
        thread.join(10)
    assert served == list(range(20))


def test_nobody_is_served_twice_while_another_waits() -> None:
    turns, served, start = WriterTurns(30), list[int](), threading.Barrier(4)

    def write(number: int) -> None:
        start.wait(10)
        for _ in range(50):
            with turns.mine():
                served.append(number)
                wait_until_queued(turns, 3) if served.count(number) < 40 and len(served) < 100 else None

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(served) == 200
    crowded = served[4:100]  # all four were waiting or writing at every change
    assert all(one != next_one for one, next_one in pairwise(crowded))
    assert {crowded[i : i + 4].count(number) for i in range(0, 92, 4) for number in range(4)} == {1}


def test_only_one_has_the_turn_whoever_gives_up_meanwhile() -> None:
    turns, inside, most = WriterTurns(0.002), list[int](), list[int]()
    given_up, served = list[int](), list[int]()

    def write(number: int) -> None:
        for _ in range(40):
            try:
                with turns.mine():
                    inside.append(number)
                    most.append(len(inside))
                    time.sleep(0.0015)
                    inside.remove(number)
                    served.append(number)
            except TurnNotReached:
                given_up.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert set(most) == {1}
    assert len(served) + len(given_up) == 240
    assert given_up  # the race that this test is about did happen
    with turns.mine():  # and nothing is left behind
        assert queued(turns) == 0


def test_a_turn_ends_with_a_failure_too() -> None:
    turns = WriterTurns(1)
    with pytest.raises(ValueError, match="broken"), turns.mine():
        raise ValueError("broken")
    with turns.mine():
        pass


def test_a_turn_inside_ones_own_turn_is_a_mistake() -> None:
    turns = WriterTurns(1)
    with turns.mine(), pytest.raises(RuntimeError, match="inside another"), turns.mine():
        pass
    with turns.mine():
        pass
