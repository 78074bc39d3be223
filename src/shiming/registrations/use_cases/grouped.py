"""Registering by a server on SQLite: one thread writes, many waiting registrations in one transaction.

SQLite makes one transaction durable at a time, so its price - the wait for the disk - is shared by all that
wait for it. Each registration has a savepoint: refused or failed, it takes no other with it. Nobody hears
of a registration before its transaction is durable.
"""

import asyncio
import queue
import sqlite3
import threading
from concurrent.futures import Future

from sqlalchemy.engine import Engine

from shiming.registrations.model.registration import RegistrationRefused
from shiming.registrations.permissions.registration import MayRegisterLine
from shiming.registrations.rules.registration import decide_registration
from shiming.registrations.store.sqlite_hot_path import BatchTransaction, batch, unavailable
from shiming.registrations.store.writing import Changed
from shiming.registrations.use_cases.drafting import Wanted, draft_with_leaf, parameters_of
from shiming.registrations.use_cases.hot_path import (
    GoesTheLongWay,
    Outcome,
    answered_before,
    refused_or_former,
    register_the_long_way,
    require_the_short_way,
)
from shiming.registrations.use_cases.registering import too_busy
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import ShimingError
from shiming.vocabulary.permissions import asks

GROUP_MAX = 64  # what one more waits for the others is then still far below a tenth of a second
WAITING_MAX = 10_000  # more waiting requests than any server keeps open; beyond, say so instead of queueing

_Job = tuple[Wanted, "Future[Outcome]"]


class GroupingRegistrar:
    """Registers through one writing thread, which starts with the first registration."""

    def __init__(self, tools: RegistrationTools, engine: Engine) -> None:
        self._tools = tools
        self._engine = engine
        self._jobs: queue.Queue[_Job | None] = queue.Queue(WAITING_MAX)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    @asks(MayRegisterLine)
    async def register(self, wanted: Wanted) -> Outcome:
        """Register together with whatever else waits."""
        return await asyncio.wrap_future(self.submit(wanted))

    @asks(MayRegisterLine)
    def submit(self, wanted: Wanted) -> "Future[Outcome]":
        """Queue a registration, for callers without an event loop; its result comes when it is durable."""
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="registrations", daemon=True)
                self._thread.start()
        future: Future[Outcome] = Future()
        try:
            self._jobs.put_nowait((wanted, future))
        except queue.Full:
            raise too_busy() from None
        return future

    async def close(self) -> None:
        """Finish what is queued and stop the thread."""
        with self._starting:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(thread.join)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            group = [job]
            while len(group) < GROUP_MAX and not self._jobs.empty():
                another = self._jobs.get()
                if another is None:
                    self._jobs.put(None)
                    break
                group.append(another)
            self._carry_out([job for job in group if job[1].set_running_or_notify_cancel()])

    def _carry_out(self, group: list[_Job]) -> None:
        try:
            with batch(self._engine, self._tools.privacy.keys) as transaction:
                outcomes = [self._one(transaction, wanted) for wanted, _ in group]
        except Exception as problem:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            for _, future in group:
                future.set_exception(problem)
            return
        for (wanted, future), outcome in zip(group, outcomes, strict=True):
            self._tell(wanted, future, outcome)

    def _tell(self, wanted: Wanted, future: "Future[Outcome]", outcome: Outcome | Exception) -> None:
        try:
            if isinstance(outcome, GoesTheLongWay):
                outcome = register_the_long_way(self._tools, self._engine, wanted)
            elif isinstance(outcome, RegistrationRefused):
                outcome = refused_or_former(self._tools, self._engine, wanted, outcome)
        except Exception as problem:  # noqa: BLE001 - as above
            outcome = problem
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    def _one(self, transaction: BatchTransaction, wanted: Wanted) -> Outcome | Exception:
        """Register one; what it fails by is its own, except a fault of the database."""
        try:
            return self._register(transaction, wanted)
        except (ShimingError, GoesTheLongWay) as problem:
            return problem
        except sqlite3.IntegrityError as problem:
            return unavailable(problem)
        except Changed:  # cannot be: nobody else writes between the facts and this
            return too_busy()

    def _register(self, transaction: BatchTransaction, wanted: Wanted) -> Outcome:
        policy = wanted.policy
        seen = transaction.read_facts(parameters_of(wanted.command, policy, wanted.now, wanted.key))
        if seen.answered is not None:
            return answered_before(seen, wanted.key)
        require_the_short_way(seen.facts)
        session = decide_registration(
            wanted.command, seen.facts, policy, sandbox=self._tools.sandbox, now=wanted.now
        )
        if isinstance(session, RegistrationRefused):
            return session
        draft, answer = draft_with_leaf(
            self._tools, wanted, session, seen.facts, lane=transaction.lane, last=transaction.last
        )
        transaction.write(draft)
        return answer
