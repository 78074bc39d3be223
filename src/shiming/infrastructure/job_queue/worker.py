"""The worker: relays events, queues what is scheduled, takes jobs and keeps their leases, until told to stop.

One thread looks at the database, one crew of threads a lane does the jobs. When told to stop it takes nothing
more, waits for what is in hand up to `stop_max_s`, and gives back what is not done by then, due a little
later, so that this process has ended before another worker takes it.
"""

import logging
import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.job_queue import presence, queue
from shiming.infrastructure.job_queue.crew import Crew
from shiming.infrastructure.job_queue.model import DELIVERY, LEASE, UPKEEP, Handlers, Job, LeaseLost
from shiming.infrastructure.job_queue.running import RunningTask, RunSeen, RunTools, run
from shiming.vocabulary.errors import ShimingError

IDLE_WAIT_S = 0.5  # an event leaves within half a second; the look costs two small queries
STOP_MAX_S = 20.0  # below the 30 s that process supervisors usually wait before they kill
RELEASE_DELAY = timedelta(seconds=5)
PAUSE_AFTER_FAULT_S = 2.0
#: Sealing and erasing need no company; deliveries mostly wait for others.
LANES: Mapping[str, int] = {UPKEEP: 2, DELIVERY: 4}
_log = logging.getLogger("shiming.worker")


@dataclass(frozen=True, slots=True)
class WorkerTools:
    """What a worker needs. `steps` run in every round (relay, schedules) and return how much they did."""

    engine: Engine
    clock: Clock
    handlers: Handlers
    steps: tuple[Callable[[], int], ...] = ()
    lanes: Mapping[str, int] = field(default_factory=lambda: LANES)
    lease: timedelta = LEASE
    idle_wait_s: float = IDLE_WAIT_S
    stop_max_s: float = STOP_MAX_S
    chance: Callable[[], float] = random.random
    seen: Callable[[RunSeen], None] = lambda _: None


def run_worker(tools: WorkerTools, stop: threading.Event) -> int:
    """Work until `stop` is set; return how many jobs were given back undone."""
    unknown = {handling.lane for handling in tools.handlers.values()} - tools.lanes.keys()
    if unknown:
        message = f"no threads for the lanes {sorted(unknown)}"
        raise ValueError(message)
    return _Worker(tools, stop).work()


class _Worker:
    def __init__(self, tools: WorkerTools, stop: threading.Event) -> None:
        self._tools, self._stop = tools, stop
        self._name = str(uuid.uuid4())
        self._freed = threading.Event()
        running = RunTools(tools.engine, tools.clock, tools.chance, tools.seen)
        self._crews = [
            Crew(lane, mine, size=size, run=lambda task: run(running, task), freed=self._freed)
            for lane, size in tools.lanes.items()
            if (mine := {kind: each for kind, each in tools.handlers.items() if each.lane == lane})
        ]
        self._renewed_s = self._shown_s = -float("inf")

    def work(self) -> int:
        """Work until told to stop, then hand over."""
        steps = (*self._tools.steps, self._claim, self._keep_leases, self._show_life)
        try:
            while not self._stop.is_set():
                results = [self._guarded(step) for step in steps]
                if None in results:
                    self._stop.wait(PAUSE_AFTER_FAULT_S)
                elif not any(results):
                    self._freed.wait(self._tools.idle_wait_s)
                    self._freed.clear()
            return self._hand_over()
        finally:
            for crew in self._crews:
                crew.dismiss()

    def _guarded(self, step: Callable[[], int]) -> int | None:
        """Run a step; a fault of it is told and must not stop the others."""
        try:
            return step()
        except Exception as problem:  # noqa: BLE001 - the database may be away for a while
            code = problem.code if isinstance(problem, ShimingError) else type(problem).__name__
            _log.warning("worker %s: %s", self._name, code)
            return None

    def _claim(self) -> int:
        return sum(self._claim_for(crew) for crew in self._crews)

    def _claim_for(self, crew: Crew) -> int:
        free, engine, now = crew.free(), self._tools.engine, self._tools.clock.now()
        if not free:
            return 0
        with reading(engine) as connection:
            if not queue.due_kinds(connection, crew.handlers, now=now):
                return 0

        def claim(connection: Connection) -> tuple[Job, ...]:
            return queue.claim(
                connection, crew.handlers, worker=self._name, limit=free, now=now, lease=self._tools.lease
            )

        claimed = transact(engine, claim)
        for job in claimed:
            crew.give(RunningTask(job, crew.handlers[job.kind], self._stop))
        return len(claimed)

    def _in_hand(self) -> list[RunningTask]:
        return [task for crew in self._crews for task in crew.in_hand()]

    def _keep_leases(self) -> int:
        """Renew the leases of what is in hand, three times in the length of one."""
        if time.monotonic() - self._renewed_s < self._tools.lease.total_seconds() / 3:
            return 0
        tasks = {task.job.job_id: task for task in self._in_hand() if task.may_keep_lease()}
        if tasks:
            leases = [task.job.lease for task in tasks.values()]
            until = self._tools.clock.now() + self._tools.lease
            kept = transact(self._tools.engine, lambda c: queue.extend(c, leases, until=until))
            for job_id in tasks.keys() - kept:
                tasks[job_id].lose()
        self._renewed_s = time.monotonic()
        return 0

    def _show_life(self) -> int:
        if time.monotonic() - self._shown_s >= presence.SIGN_OF_LIFE.total_seconds():
            now, in_hand = self._tools.clock.now(), len(self._in_hand())
            transact(
                self._tools.engine, lambda c: presence.show_presence(c, self._name, in_hand=in_hand, now=now)
            )
            self._shown_s = time.monotonic()
        return 0

    def _hand_over(self) -> int:
        """Wait for what is in hand, give back the rest, and say goodbye."""
        deadline = time.monotonic() + self._tools.stop_max_s
        while self._in_hand() and time.monotonic() < deadline:
            self._guarded(self._keep_leases)
            self._freed.wait(min(self._tools.idle_wait_s, max(deadline - time.monotonic(), 0)))
            self._freed.clear()
        given_back = sum(self._guarded(partial(self._give_back, task)) or 0 for task in self._in_hand())
        self._guarded(self._leave)
        return given_back

    def _give_back(self, task: RunningTask) -> int:
        due_at = self._tools.clock.now() + RELEASE_DELAY
        task.lose()
        try:
            transact(self._tools.engine, lambda c: queue.put_back(c, task.job.lease, due_at=due_at))
        except LeaseLost:
            return 0  # it was done in the last moment
        return 1

    def _leave(self) -> int:
        transact(self._tools.engine, lambda c: presence.leave(c, self._name))
        return 0
