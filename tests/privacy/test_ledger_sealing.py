"""Sealing beside writers: late committers, many connections, two sealers, a sealer that is killed."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shiming.infrastructure.database import open_database, reading, unit_of_work
from shiming.privacy.model import LeafRef, LedgerVerified
from shiming.privacy.store.ledger import LANE_LOCK, ledger_leaves
from shiming.privacy.store.ledger_tree import find_index, ledger_batches, ledger_runs
from shiming.privacy.use_cases.sealing import count_unsealed
from tests.databases import a_database
from tests.privacy.ledger_desk import Ledger


def numbers_by_lane(engine: Engine) -> dict[int, list[int]]:
    lanes: dict[int, list[int]] = {}
    query = sa.select(ledger_leaves.c.lane, ledger_leaves.c.sequence).order_by(
        *ledger_leaves.c["lane", "sequence"]
    )
    with reading(engine) as connection:
        for lane, sequence in connection.execute(query):
            lanes.setdefault(lane, []).append(sequence)
    return lanes


def index_of(engine: Engine, leaf: LeafRef) -> int | None:
    with reading(engine) as connection:
        return find_index(connection, leaf.lane, leaf.sequence)


def test_a_leaf_that_commits_late_is_sealed_by_the_next_seal(tmp_path: Path) -> None:
    """The first transaction begins first and commits last; nothing of either is skipped."""
    with a_database("postgresql", tmp_path) as url:
        early, late = Ledger(open_database(url)), Ledger(open_database(url))
        transaction = late.engine.begin()
        with transaction as slow:
            waiting = late.append_in(slow)
            done = early.append(3)
            assert early.seal().size == 3
            assert early.verify() == LedgerVerified(3, 3)
            second = late.append_in(slow)
        assert waiting.lane == second.lane != done.lane
        assert index_of(early.engine, waiting) is None
        assert early.seal().leaves == 2
        assert [index_of(early.engine, leaf) for leaf in (done, waiting, second)] == [2, 3, 4]
        assert early.verify() == LedgerVerified(5, 5)
        for ledger in (early, late):
            ledger.engine.dispose()


def test_sqlite_seals_while_a_transaction_is_open(tmp_path: Path) -> None:
    """The one writer of SQLite holds the sealer up only while it writes; reading goes on."""
    with a_database("sqlite", tmp_path / "database") as url:
        ledger = Ledger(open_database(url))
        ledger.append(2)
        ready = threading.Event()

        def write_slowly() -> LeafRef:
            with unit_of_work(ledger.engine) as connection:
                leaf = ledger.append_in(connection)
                ready.set()
                sealing_began.wait(5)
            return leaf

        sealing_began = threading.Event()
        with ThreadPoolExecutor(2) as threads:
            slow = threads.submit(write_slowly)
            ready.wait(5)
            seal = threads.submit(ledger.seal)
            sealing_began.set()
        assert seal.result().size in {2, 3}  # it may have looked just before or just after the commit
        ledger.seal()
        assert index_of(ledger.engine, slow.result()) == 2
        assert ledger.verify() == LedgerVerified(3, 3)
        ledger.engine.dispose()


def append_and_fail(ledger: Ledger) -> None:
    with unit_of_work(ledger.engine) as connection:
        ledger.append_in(connection)
        raise ZeroDivisionError


def test_a_lane_that_rolled_back_leaves_no_gap(database: Engine) -> None:
    ledger = Ledger(database)
    with pytest.raises(ZeroDivisionError):
        append_and_fail(ledger)
    leaf = ledger.append()
    with pytest.raises(ZeroDivisionError):
        append_and_fail(ledger)
    assert ledger.append() > leaf
    assert ledger.seal().size == 2
    assert ledger.verify() == LedgerVerified(2, 2)


def test_every_lane_of_concurrent_writers_is_gap_free_and_sealed_whole(database_url: str) -> None:
    """Six threads and two of another program write; two sealers seal and verify meanwhile."""
    inside, outside = Ledger(open_database(database_url)), Ledger(open_database(database_url))
    count, stop = 15, threading.Event()
    errors: list[BaseException] = []

    def seal_until_stopped(ledger: Ledger) -> int:
        sealed = 0
        while not stop.is_set():
            sealed += ledger.seal(batch_leaves_max=7).leaves
            assert isinstance(ledger.verify(), LedgerVerified)  # at any moment
            stop.wait(0.01)
        return sealed

    with ThreadPoolExecutor(10) as threads:
        sealers = [threads.submit(seal_until_stopped, ledger) for ledger in (inside, outside)]
        writers = [
            threads.submit(ledger.append, count, f"op{number}")
            for number, ledger in enumerate((*[inside] * 6, *[outside] * 2))
        ]
        errors += [error for writer in writers if (error := writer.exception())]
        stop.set()
    assert errors == []
    total = 8 * count
    rest = inside.seal().leaves
    lanes = numbers_by_lane(inside.engine)
    assert sum(map(len, lanes.values())) == total
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in lanes.values())
    assert inside.verify() == LedgerVerified(total, total)
    assert sum(sealer.result() for sealer in sealers) + rest == total  # none by both
    if inside.engine.dialect.name == "postgresql":
        assert len(lanes) > 1
    for ledger in (inside, outside):
        ledger.engine.dispose()


def until_lanes_held(engine: Engine, count: int) -> None:
    held = sa.text(
        "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
        " WHERE locktype = 'advisory' AND classid = :class AND datname = current_database()"
    )  # the server has databases of other tests, too
    for _ in range(500):
        with reading(engine) as connection:
            if connection.execute(held, {"class": LANE_LOCK}).scalar_one() == count:
                return
        time.sleep(0.02)
    pytest.fail("a session that ended still holds its lane")


def test_a_connection_keeps_its_lane_and_a_new_one_takes_a_free_one(tmp_path: Path) -> None:
    with a_database("postgresql", tmp_path) as url, ExitStack() as stack:
        first, second, third = (Ledger(open_database(url)) for _ in range(3))
        for ledger in (first, second, third):
            stack.callback(ledger.engine.dispose)
        assert [first.append().lane for _ in range(3)] == [1, 1, 1]
        assert second.append().lane == 2
        first.engine.dispose()  # its session ends, after a moment, and lets go of lane 1
        until_lanes_held(second.engine, 1)
        assert third.append().leaf_id == "1-4"
        assert second.append().leaf_id == "2-2"


def test_batches_are_bounded_and_every_one_has_a_checkpoint(database: Engine) -> None:
    ledger = Ledger(database)
    with unit_of_work(database) as connection:
        for index in range(25):
            ledger.append_in(connection, index)
    sealed = ledger.seal(batch_leaves_max=10)
    assert (sealed.leaves, sealed.batches, sealed.size) == (25, 3, 25)
    with reading(database) as connection:
        assert connection.execute(sa.select(ledger_batches.c.size)).scalars().all() == [10, 20, 25]
        runs = connection.execute(ledger_runs.select().order_by(ledger_runs.c.first_index)).all()
    assert [(run.first_sequence, run.last_sequence, run.first_index) for run in runs] == [
        (1, 10, 0),
        (11, 20, 10),
        (21, 25, 20),
    ]


def test_a_lane_waits_at_a_leaf_that_is_not_as_written_and_goes_on_when_it_is_restored(
    database: Engine,
) -> None:
    ledger = Ledger(database)
    ledger.append(5)
    whole = ledger.snapshot()
    ledger.tamper("DELETE FROM ledger_leaves WHERE sequence = 3")
    stopped = ledger.seal()
    assert (stopped.leaves, [(one.at, one.why.value) for one in stopped.stopped]) == (
        2,
        [("1-3", "LEAF_MISSING")],
    )
    assert [one.at for one in ledger.seal().stopped] == ["1-3"]
    with database.begin() as connection:
        (missing,) = [row for row in whole[ledger_leaves] if row["sequence"] == 3]
        connection.execute(ledger_leaves.insert(), [missing])
    assert ledger.seal().stopped == ()
    assert ledger.verify() == LedgerVerified(5, 5)


SEAL_FOR_EVER = """
import sys
from shiming.infrastructure.database import open_database
from tests.privacy.ledger_desk import Ledger
ledger = Ledger(open_database(sys.argv[1]))
print("ready", flush=True)
while True:
    ledger.seal(batch_leaves_max=3)
"""


def test_a_sealer_that_is_killed_leaves_nothing_half_sealed(database_url: str) -> None:
    ledger = Ledger(open_database(database_url))
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", SEAL_FOR_EVER, database_url]
    for round_number in range(2):
        with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) as sealer:  # noqa: S603 - our own
            assert sealer.stdout is not None
            assert sealer.stdout.readline() == b"ready\n"
            ledger.append(20 + round_number)
            sealer.kill()
        assert ledger.findings() == []
    assert ledger.seal().size == 41
    with reading(ledger.engine) as connection:
        assert count_unsealed(connection) == 0
    assert ledger.verify() == LedgerVerified(41, 41)
    ledger.engine.dispose()


def test_the_last_unsealed_leaf_that_is_missing_stops_its_lane(database: Engine) -> None:
    ledger = Ledger(database)
    ledger.append(2)
    ledger.tamper("DELETE FROM ledger_leaves WHERE sequence = 2")
    assert [(one.at, one.why.value) for one in ledger.seal().stopped] == [("1-2", "LEAF_MISSING")]


def test_a_lane_row_that_vanished_does_not_stop_the_others(database: Engine) -> None:
    ledger = Ledger(database)
    ledger.append(2)
    ledger.seal()
    ledger.tamper("DELETE FROM ledger_lanes")
    assert ledger.append().leaf_id == "2-1"
    assert ledger.seal().leaves == 1
    assert ledger.findings() == [("lane 1", "HEAD_MISSING")]
