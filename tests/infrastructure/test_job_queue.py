import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shiming.infrastructure.database import open_database, reading, transact, unit_of_work
from shiming.infrastructure.job_queue import dead_letters, queue
from shiming.infrastructure.job_queue.model import (
    LEASE,
    Handling,
    Job,
    JobState,
    LeaseLost,
    NewJob,
    RetryRule,
    Task,
)
from shiming.infrastructure.job_queue.presence import SILENT_AFTER, leave, show_presence, workers_seen
from shiming.infrastructure.job_queue.tables import jobs
from shiming.vocabulary.errors import BadInput

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
LATER = NOW + LEASE + timedelta(seconds=1)


def nothing(task: Task) -> None:
    del task


HANDLERS: Mapping[str, Handling] = {"count": Handling(nothing, RetryRule(attempts_max=2))}


def put(engine: Engine, *new: NewJob) -> int:
    with unit_of_work(engine) as connection:
        return queue.enqueue_all(connection, new, now=NOW)


def take(engine: Engine, *, now: datetime = NOW, limit: int = 10, kinds: str = "count") -> tuple[Job, ...]:
    handlers = {kinds: HANDLERS["count"]}
    return transact(engine, lambda c: queue.claim(c, handlers, worker="w", limit=limit, now=now))


def left(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.execute(sa.select(jobs.c.state).order_by(jobs.c.enqueued_at)).scalars())


def refused(engine: Engine, act: Callable[[sa.Connection], object]) -> str:
    with pytest.raises(BadInput) as problem, unit_of_work(engine) as connection:
        act(connection)
    return problem.value.code


def test_a_job_exists_if_its_transaction_does(database: Engine) -> None:
    def fail() -> None:
        with unit_of_work(database) as connection:
            queue.enqueue(connection, NewJob("count"), now=NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert left(database) == []
    put(database, NewJob("count", {"n": 1, "who": "人"}))
    (job,) = take(database)
    assert job.payload == {"n": 1, "who": "人"}
    assert job.attempt == 1
    with unit_of_work(database) as connection:
        queue.finish(connection, job.lease)
    assert left(database) == []


def test_the_same_work_is_taken_in_once_while_it_waits_or_runs(database: Engine) -> None:
    same = [NewJob("count", unique_key="a"), NewJob("count", unique_key="b"), NewJob("count")]
    assert put(database, *same) == 3
    assert put(database, NewJob("count", unique_key="a"), NewJob("count")) == 1
    assert put(database) == 0
    taken = take(database)
    assert put(database, NewJob("count", unique_key="a")) == 0
    with unit_of_work(database) as connection:
        for job in taken:
            queue.finish(connection, job.lease)
    assert put(database, NewJob("count", unique_key="a")) == 1


def test_only_what_is_due_and_known_is_taken_longest_due_first(database: Engine) -> None:
    minute = timedelta(minutes=1)
    put(
        database,
        NewJob("count", {"n": 3}, run_at=NOW + minute),
        NewJob("count", {"n": 2}),
        NewJob("count", {"n": 1}, run_at=NOW - minute),
        NewJob("unheard_of"),
    )
    with reading(database) as connection:
        assert queue.due_kinds(connection, ["count", "other"], now=NOW) == ("count",)
        assert queue.due_kinds(connection, ["other"], now=NOW) == ()
        assert queue.due_kinds(connection, [], now=NOW) == ()
    assert [job.payload["n"] for job in take(database)] == [1, 2]
    assert take(database) == ()
    assert [job.payload["n"] for job in take(database, now=NOW + minute - timedelta(seconds=1))] == []
    assert sorted(left(database)) == ["running", "running", "waiting", "waiting"]


def test_a_lease_that_ran_out_is_taken_over_and_the_late_run_settles_nothing(database: Engine) -> None:
    put(database, NewJob("count"))
    (first,) = take(database)
    assert take(database, now=NOW + LEASE - timedelta(seconds=1)) == ()
    (second,) = take(database, now=LATER)
    assert (first.job_id, first.attempt, second.attempt) == (second.job_id, 1, 2)
    with pytest.raises(LeaseLost), unit_of_work(database) as connection:
        queue.finish(connection, first.lease)
    with pytest.raises(LeaseLost), unit_of_work(database) as connection:
        queue.put_back(connection, first.lease, due_at=NOW)
    with pytest.raises(LeaseLost), unit_of_work(database) as connection:
        queue.fail(connection, first.lease, code="X", error_type="", now=NOW, again_at=None)
    with pytest.raises(LeaseLost), unit_of_work(database) as connection:
        queue.fail(connection, first.lease, code="X", error_type="", now=NOW, again_at=NOW)
    with unit_of_work(database) as connection:
        assert queue.extend(connection, [first.lease], until=LATER + LEASE) == frozenset()
        queue.finish(connection, second.lease)
    assert left(database) == []


def test_a_renewed_lease_is_kept(database: Engine) -> None:
    put(database, NewJob("count"))
    (job,) = take(database)
    with unit_of_work(database) as connection:
        assert queue.extend(connection, [job.lease], until=LATER + LEASE) == {job.job_id}
    assert take(database, now=LATER) == ()
    assert len(take(database, now=LATER + LEASE)) == 1


def test_a_job_that_kills_its_workers_becomes_a_dead_letter(database: Engine) -> None:
    put(database, NewJob("count", unique_key="once"))
    take(database)
    take(database, now=LATER)
    assert take(database, now=LATER + 2 * LEASE) == ()
    with reading(database) as connection:
        (dead,) = dead_letters.list_jobs(connection, state=JobState.DEAD)
    assert (dead.error_code, dead.attempts) == ("WORKER_LOST", 2)
    assert put(database, NewJob("count", unique_key="once")) == 1  # a dead letter blocks nothing


def test_what_failed_runs_again_after_its_pause_and_what_was_put_back_is_free(
    database: Engine,
) -> None:
    put(database, NewJob("count"))
    (job,) = take(database)
    with unit_of_work(database) as connection:
        queue.put_back(connection, job.lease, due_at=NOW)
    (job,) = take(database)
    assert job.attempt == 1
    with unit_of_work(database) as connection:
        again = NOW + timedelta(seconds=30)
        queue.fail(connection, job.lease, code="AWAY", error_type="OSError", now=NOW, again_at=again)
        seen = dead_letters.get_job(connection, job.job_id)
    assert (seen.state, seen.error_code, seen.error_type, seen.due_at) == (
        JobState.WAITING,
        "AWAY",
        "OSError",
        again,
    )
    assert take(database) == ()
    assert take(database, now=again)[0].attempt == 2


def test_dead_letters_are_seen_retried_and_discarded(database: Engine) -> None:
    put(database, NewJob("count", unique_key="a"), NewJob("count", unique_key="b"), NewJob("count"))
    kept, *dead = sorted(take(database), key=lambda job: job.attempt)
    with unit_of_work(database) as connection:
        for job in dead:
            queue.fail(connection, job.lease, code="X" * 99, error_type="KeyError", now=NOW, again_at=None)
        listed = dead_letters.list_jobs(connection, state=JobState.DEAD, kind="count")
        assert {each.job_id for each in listed} == {job.job_id for job in dead}
        assert dead_letters.list_jobs(connection, after=max(job.job_id for job in (kept, *dead))) == ()
        assert dead_letters.count_jobs(connection) == {
            ("count", JobState.DEAD): 2,
            ("count", JobState.RUNNING): 1,
        }
    assert refused(database, lambda c: dead_letters.retry(c, kept.job_id, now=NOW)) == "JOB_NOT_DEAD"
    assert refused(database, lambda c: dead_letters.discard(c, kept.job_id)) == "JOB_NOT_DEAD"
    assert refused(database, lambda c: dead_letters.discard(c, "none")) == "JOB_UNKNOWN"
    with unit_of_work(database) as connection:
        dead_letters.retry(connection, dead[0].job_id, now=NOW)
        dead_letters.discard(connection, dead[1].job_id)
    (again,) = take(database)
    assert (again.job_id, again.attempt) == (dead[0].job_id, 1)
    assert len(left(database)) == 2


def test_a_dead_letter_is_not_retried_beside_the_same_work(database: Engine) -> None:
    put(database, NewJob("count", unique_key="a"))
    (job,) = take(database)
    with unit_of_work(database) as connection:
        queue.fail(connection, job.lease, code="X", error_type="", now=NOW, again_at=None)
    put(database, NewJob("count", unique_key="a"))
    assert refused(database, lambda c: dead_letters.retry(c, job.job_id, now=NOW)) == "JOB_REPEATED"


def test_competing_workers_never_hold_one_job_together(database_url: str) -> None:
    engines = [open_database(database_url) for _ in range(4)]  # as four processes would: no shared queue
    put(engines[0], *(NewJob("count", {"n": number}) for number in range(120)))
    taken: list[str] = []
    lock = threading.Lock()

    def work(engine: Engine) -> None:
        while found := take(engine, limit=3):
            with lock:
                taken.extend(job.job_id for job in found)
            for job in found:
                transact(engine, lambda c, job=job: queue.finish(c, job.lease))  # type: ignore[misc]

    threads = [threading.Thread(target=work, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 120
    assert left(engines[0]) == []
    for engine in engines:
        engine.dispose()


def test_the_kind_that_is_due_longest_comes_first(database: Engine) -> None:
    minute = timedelta(minutes=1)
    put(database, *(NewJob("many", run_at=NOW - minute) for _ in range(4)))
    put(database, NewJob("few", run_at=NOW - 2 * minute), NewJob("few", run_at=NOW))
    handlers = dict.fromkeys(("many", "few"), HANDLERS["count"])
    with unit_of_work(database) as connection:
        assert queue.due_kinds(connection, handlers, now=NOW) == ("few", "many")
        taken = [
            job.kind
            for _ in range(3)
            for job in queue.claim(connection, handlers, worker="w", limit=2, now=NOW)
        ]
    assert sorted(taken) == ["few"] * 2 + ["many"] * 4
    assert taken[0] == "few"


def test_very_many_jobs_are_taken_in_at_once(database: Engine) -> None:
    new = [NewJob("count", unique_key=f"k{number % 9_000}") for number in range(10_000)]
    assert put(database, *new) == 9_000


def test_silent_workers_are_seen(database: Engine) -> None:
    with unit_of_work(database) as connection:
        show_presence(connection, "a", in_hand=0, now=NOW)
        show_presence(connection, "b", in_hand=0, now=NOW)
        show_presence(connection, "c", in_hand=0, now=NOW)
        show_presence(connection, "b", in_hand=2, now=NOW + SILENT_AFTER)
        leave(connection, "c")
        seen = workers_seen(connection, now=NOW + SILENT_AFTER)
        assert [(each.worker, each.in_hand, each.alive) for each in seen] == [("a", 0, False), ("b", 2, True)]
        show_presence(connection, "b", in_hand=0, now=NOW + timedelta(days=2))
        assert [each.worker for each in workers_seen(connection, now=NOW)] == ["b"]
