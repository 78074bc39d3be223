import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shiming.infrastructure.clock import SystemClock
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.job_queue import dead_letters, queue
from shiming.infrastructure.job_queue.model import (
    DELIVERY,
    Handling,
    JobState,
    NewJob,
    NotDone,
    RetryRule,
    Task,
)
from shiming.infrastructure.job_queue.presence import workers_seen
from shiming.infrastructure.job_queue.running import RunSeen
from shiming.infrastructure.job_queue.tables import jobs
from shiming.infrastructure.job_queue.worker import WorkerTools, run_worker
from shiming.vocabulary.errors import Text, Unavailable

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0  # the machine may be busy; nobody waits so long on a quiet one


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def put(engine: Engine, *new: NewJob) -> None:
    with unit_of_work(engine) as connection:
        queue.enqueue_all(connection, new, now=datetime.now(UTC))


def left(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.execute(sa.select(jobs.c.state)).scalars())


@contextmanager
def a_worker(
    engine: Engine,
    handlers: Mapping[str, Handling],
    seen: Callable[[RunSeen], None] = lambda _: None,
    **changed: object,
) -> Iterator[threading.Event]:
    stop = threading.Event()
    tools = WorkerTools(engine, SystemClock(), handlers, idle_wait_s=0.05, seen=seen, **changed)  # type: ignore[arg-type]
    thread = threading.Thread(target=run_worker, args=(tools, stop))
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def a_process(url: str, notes: Path, *, stop_s: float = 10) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.entrypoints.worker_process", url, str(notes), str(stop_s)]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"})  # noqa: S603 - ourselves


def lines(notes: Path, start: str = "") -> list[str]:
    text = notes.read_text() if notes.exists() else ""
    return [line for line in text.splitlines() if line.startswith(start)]


def test_jobs_are_done_failed_jobs_again_and_hopeless_ones_become_dead_letters(database: Engine) -> None:
    done: list[str] = []
    runs: list[RunSeen] = []

    def fragile(task: Task) -> None:
        if task.job.attempt == 1:
            raise KeyError("张三 11010519491231002X")
        done.append("fragile")

    def down(task: Task) -> None:
        raise Unavailable("OTHER_DOWN", Text(zh="", en=""), details={"attempt": task.job.attempt})

    def hopeless(task: Task) -> NotDone:
        del task
        return NotDone("REFUSED_FOR_EVER", final=True)

    quick = RetryRule(attempts_max=2, first_pause=timedelta(seconds=0))
    handlers = {
        "fragile": Handling(fragile, quick),
        "down": Handling(down, quick, lane=DELIVERY),
        "hopeless": Handling(hopeless),
    }
    put(database, NewJob("fragile"), NewJob("down", {"ref": "EVD-1"}), NewJob("hopeless"))
    with a_worker(database, handlers, seen=runs.append):
        until(lambda: left(database) == ["dead", "dead"], "two dead letters")
    with reading(database) as connection:
        dead = {job.kind: job for job in dead_letters.list_jobs(connection, state=JobState.DEAD)}
    assert done == ["fragile"]
    assert (dead["down"].error_code, dead["down"].error_type) == ("OTHER_DOWN", "Unavailable")
    assert (dead["down"].attempts, dead["hopeless"].attempts) == (2, 1)
    assert dead["hopeless"].error_code == "REFUSED_FOR_EVER"
    assert "张三" not in str(dead)
    outcomes = sorted((run.kind, run.outcome) for run in runs)
    assert outcomes == [
        ("down", "again"),
        ("down", "dead"),
        ("fragile", "again"),
        ("fragile", "done"),
        ("hopeless", "dead"),
    ]


def test_a_fault_is_logged_without_its_words(database: Engine) -> None:
    said: list[str] = []
    listening = logging.Handler()
    listening.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("shiming.worker")

    def fail(task: Task) -> None:
        del task
        raise KeyError("张三 11010519491231002X")

    put(database, NewJob("fail"))
    logger.addHandler(listening)
    try:
        with a_worker(database, {"fail": Handling(fail, RetryRule(attempts_max=1))}):
            until(lambda: left(database) == ["dead"], "a dead letter")
    finally:
        logger.removeHandler(listening)
    text = " ".join(said)
    assert "KeyError" in text
    assert "test_worker.py:" in text
    assert "张三" not in text
    assert "1101051949" not in text


def test_a_handler_may_note_the_end_in_its_own_transaction(database: Engine) -> None:
    def handler(task: Task) -> None:
        with unit_of_work(database) as connection:
            queue.enqueue(connection, NewJob("unheard_of"), now=datetime.now(UTC))
            task.finish(connection)

    put(database, NewJob("once"))
    with a_worker(database, {"once": Handling(handler)}):
        until(lambda: left(database) == ["waiting"], "the job that it queued")


def test_a_late_run_undoes_its_own_transaction(database: Engine) -> None:
    """Its lease is taken over while it works: what it writes with `finish` is undone as a whole."""
    outcomes: list[str] = []

    def handler(task: Task) -> None:
        with unit_of_work(database) as connection:
            connection.execute(jobs.update().values(lease="another"))
        write_and_finish(task)

    def write_and_finish(task: Task) -> None:
        with unit_of_work(database) as connection:
            queue.enqueue(connection, NewJob("unheard_of"), now=datetime.now(UTC))
            task.finish(connection)

    put(database, NewJob("once"))
    with a_worker(database, {"once": Handling(handler)}, seen=lambda run: outcomes.append(run.outcome)):
        until(lambda: outcomes, "the run")
    assert outcomes == ["late"]
    assert left(database) == ["running"]


def test_a_long_job_keeps_its_lease_and_one_that_hangs_loses_it(database: Engine) -> None:
    starts: list[tuple[str, int]] = []
    release = threading.Event()

    def handler(task: Task) -> None:
        starts.append((task.job.kind, task.job.attempt))
        release.wait(PATIENCE_S)

    handlers = {
        "long": Handling(handler),
        "hangs": Handling(handler, run_max=timedelta(seconds=0), lane=DELIVERY),
    }
    put(database, NewJob("long"), NewJob("hangs"))
    with a_worker(database, handlers, lease=timedelta(seconds=2)):
        until(lambda: ("hangs", 2) in starts, "the second run of the one that hangs")
        release.set()
        until(lambda: left(database) == [], "the end of both")
    assert ("long", 2) not in starts


def test_a_slow_receiver_does_not_hold_up_the_upkeep(database: Engine) -> None:
    release, sealed = threading.Event(), threading.Event()

    def slow(task: Task) -> None:
        del task
        release.wait(PATIENCE_S)

    handlers = {
        "slow": Handling(slow, lane=DELIVERY),
        "seal": Handling(lambda _: sealed.set()),
    }
    put(database, *(NewJob("slow") for _ in range(10)), NewJob("seal"))
    with a_worker(database, handlers):
        assert sealed.wait(PATIENCE_S)
        release.set()
        until(lambda: left(database) == [], "the end of all")


def test_a_worker_shows_life_and_takes_leave(database: Engine) -> None:
    def seen() -> list[bool]:
        with reading(database) as connection:
            return [each.alive for each in workers_seen(connection, now=datetime.now(UTC))]

    with a_worker(database, {"none": Handling(lambda _: None)}):
        until(lambda: seen() == [True], "a sign of life")
    assert seen() == []


def test_a_worker_outlives_a_fault_of_one_step(database: Engine) -> None:
    done = threading.Event()
    calls: list[int] = []

    def broken() -> int:
        calls.append(1)
        raise RuntimeError

    put(database, NewJob("note"))
    with a_worker(database, {"note": Handling(lambda _: done.set())}, steps=(broken,)):
        assert done.wait(PATIENCE_S)
    assert calls


def test_a_lane_without_threads_is_refused(database: Engine) -> None:
    tools = WorkerTools(database, SystemClock(), {"x": Handling(lambda _: None, lane="nowhere")})
    with pytest.raises(ValueError, match="nowhere"):
        run_worker(tools, threading.Event())


def test_a_killed_worker_leaves_its_job_to_the_next(
    database: Engine, database_url: str, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    put(database, NewJob("note", {"n": 1, "s": "30"}))
    first = a_process(database_url, notes)
    until(lambda: lines(notes, "start 1"), "the first run")
    first.send_signal(signal.SIGKILL)
    first.wait(PATIENCE_S)
    with unit_of_work(database) as connection:
        connection.execute(jobs.update().values(payload='{"n": 1, "s": "0"}'))
    second = a_process(database_url, notes)
    until(lambda: lines(notes, "end 1"), "the second run")
    until(lambda: left(database) == [], "no job left")
    second.send_signal(signal.SIGTERM)
    assert second.wait(PATIENCE_S) == 0
    assert [line.split()[2] for line in lines(notes, "start 1")] == [str(first.pid), str(second.pid)]
    assert [line.split()[2] for line in lines(notes, "end 1")] == [str(second.pid)]
    assert lines(notes, "worker stopped 0")


def test_told_to_stop_a_worker_finishes_or_gives_back(
    database_url: str, database: Engine, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    put(
        database,
        NewJob("note", {"n": 1, "s": "1.5"}),
        NewJob("note", {"n": 2, "s": "60", "polite": True}),
    )
    worker = a_process(database_url, notes)
    until(lambda: len(lines(notes, "start")) == 2, "two runs")
    put(database, NewJob("note", {"n": 3, "s": "0"}, run_at=datetime.now(UTC) + timedelta(seconds=1)))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE_S) == 0
    assert [line.split()[:2] for line in lines(notes)[3:]] == [
        ["left", "2"],
        ["end", "1"],
        ["worker", "stopped"],
    ]
    with reading(database) as connection:
        waiting = dead_letters.list_jobs(connection, state=JobState.WAITING)
    assert {(job.payload["n"], job.attempts) for job in waiting} == {(2, 0), (3, 0)}
    assert len(left(database)) == 2


def test_what_is_not_done_in_time_is_given_back(database: Engine, database_url: str, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    put(database, NewJob("note", {"n": 1, "s": "60"}))
    worker = a_process(database_url, notes, stop_s=0.2)
    until(lambda: lines(notes, "start 1"), "the run")
    told = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE_S) == 0
    assert time.monotonic() - told < 10
    assert lines(notes, "worker stopped 1")
    with reading(database) as connection:
        (back,) = dead_letters.list_jobs(connection, state=JobState.WAITING)
    assert back.attempts == 0
    assert back.due_at > datetime.now(UTC)  # not before this process has surely ended
