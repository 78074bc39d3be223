"""One run of a job in a thread, and what becomes of the job afterwards."""

import logging
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import transact
from shiming.infrastructure.job_queue import queue
from shiming.infrastructure.job_queue.model import Handling, Job, LeaseLost, NotDone, PutBack
from shiming.vocabulary.errors import ShimingError

UNEXPECTED = "UNEXPECTED"
_log = logging.getLogger("shiming.worker")


class RunningTask:
    """A job in the hands of a thread of this worker; the `Task` that its handler sees."""

    def __init__(self, job: Job, handling: Handling, stop: threading.Event) -> None:
        self.job = job
        self.handling = handling
        self.started_s = time.monotonic()
        self._stop = stop
        self._lost = threading.Event()
        self.is_finished_by_handler = False

    def stopping(self) -> bool:
        """Whether the worker is told to stop, or the job went to another one."""
        return self._stop.is_set() or self._lost.is_set()

    def finish(self, connection: Connection) -> None:
        """Note in the handler's own transaction that the job is done; LeaseLost undoes that transaction."""
        self.is_finished_by_handler = True  # if that transaction fails, settling finds the lease still held
        queue.finish(connection, self.job.lease)

    def lose(self) -> None:
        """Tell the handler that its result is not wanted any more."""
        self._lost.set()

    def may_keep_lease(self) -> bool:
        """Whether the run is young enough for its lease to be renewed."""
        return time.monotonic() - self.started_s < self.handling.run_max.total_seconds()


@dataclass(frozen=True, slots=True)
class RunSeen:
    """How a run ended, for metrics: `done`, `put_back`, `again`, `dead` or `late` (the lease was lost)."""

    kind: str
    outcome: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RunTools:
    """What a run needs; `chance` returns numbers in 0..1, `seen` is told of every run."""

    engine: Engine
    clock: Clock
    chance: Callable[[], float]
    seen: Callable[[RunSeen], None]


@dataclass(frozen=True, slots=True)
class _Failure:
    code: str
    error_type: str
    answer: NotDone


def run(tools: RunTools, task: RunningTask) -> None:
    """Run the handler once and settle the job; raises nothing: what cannot be noted runs again."""
    answer: NotDone | PutBack | _Failure | None
    was_late = False
    try:
        answer = task.handling.handler(task)
    except LeaseLost:
        answer, was_late = None, True  # its transaction is undone; settling finds the lease lost, too
    except Exception as problem:  # noqa: BLE001 - a fault of one handler must not end the worker
        answer = _failure_of(task, problem)
    try:
        outcome = transact(tools.engine, lambda c: _settle(c, tools, task, answer))
    except LeaseLost:
        outcome = "done" if task.is_finished_by_handler and not was_late else "late"
    except Exception as problem:  # noqa: BLE001 - the database is down: the lease runs out, the job runs again
        _log.warning("job %s could not be settled: %s", task.job.job_id, type(problem).__name__)
        outcome = "unsettled"
    tools.seen(RunSeen(task.job.kind, outcome, time.monotonic() - task.started_s))


def _settle(
    connection: Connection,
    tools: RunTools,
    task: RunningTask,
    answer: NotDone | PutBack | _Failure | None,
) -> str:
    now, lease = tools.clock.now(), task.job.lease
    if answer is None:
        queue.finish(connection, lease)
        return "done"
    if isinstance(answer, PutBack):
        queue.put_back(connection, lease, due_at=answer.due_at or now)
        return "put_back"
    failure = answer if isinstance(answer, _Failure) else _Failure(answer.code, "", answer)
    again_at = _again_at(task, failure.answer, now=now, chance=tools.chance())
    queue.fail(
        connection, lease, code=failure.code, error_type=failure.error_type, now=now, again_at=again_at
    )
    return "dead" if again_at is None else "again"


def _again_at(task: RunningTask, answer: NotDone, *, now: datetime, chance: float) -> datetime | None:
    rule = task.handling.retry
    if answer.final or task.job.attempt >= rule.attempts_max:
        return None
    return now + (answer.again_in or rule.pause_after(task.job.attempt, chance=chance))


def _failure_of(task: RunningTask, problem: Exception) -> _Failure:
    """Keep the code and the type of an error; its text could name a person, so nobody keeps that."""
    code = problem.code if isinstance(problem, ShimingError) else UNEXPECTED
    name = type(problem).__name__
    where = "" if code != UNEXPECTED else _places(problem)
    _log.warning("job %s (%s) failed: %s %s%s", task.job.job_id, task.job.kind, code, name, where)
    return _Failure(code, name, NotDone(code))


def _places(problem: Exception) -> str:
    frames = traceback.extract_tb(problem.__traceback__)[-4:]
    return "".join(f" < {frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))
