"""A job, how often it is tried, and what its handler may answer.

A handler is idempotent by contract: a worker that dies after the work and before the note of it leaves a job
that runs again. Whatever a handler needs is in the payload as references, never as personal data.

>>> rule = RetryRule(attempts_max=5, first_pause=timedelta(seconds=5), factor=4, pause_max=timedelta(hours=6))
>>> [str(rule.pause_after(attempt, chance=0.5)) for attempt in (1, 2, 3, 9)]
['0:00:05', '0:00:20', '0:01:20', '6:00:00']
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from sqlalchemy.engine import Connection

Payload = Mapping[str, str | int | bool | None]

#: A worker that says nothing for so long has lost the job; a running one renews the lease every third of it.
LEASE = timedelta(seconds=60)
UPKEEP = "upkeep"
DELIVERY = "delivery"


class JobState(StrEnum):
    """Where a job is; one that is done is no longer there."""

    WAITING = "waiting"
    RUNNING = "running"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class RetryRule:
    """How often a job is tried and how the pauses grow; chance spreads them so that failures do not march."""

    attempts_max: int = 10
    first_pause: timedelta = timedelta(seconds=1)
    factor: float = 2.0
    pause_max: timedelta = timedelta(minutes=10)

    def pause_after(self, attempt: int, *, chance: float) -> timedelta:
        """Return the pause after the n-th failed attempt; `chance` in 0..1 makes it 0.5 to 1.5 of itself."""
        grown = self.first_pause.total_seconds() * self.factor ** min(attempt - 1, 64)
        return timedelta(seconds=min(grown, self.pause_max.total_seconds()) * (0.5 + chance))


@dataclass(frozen=True, slots=True)
class NewJob:
    """Work to be done by the handler of `kind`, not before `run_at` (None: at once).

    `unique_key` names the work itself (this event to that receiver): while a job with it waits or runs, a
    second is not taken in. It is no wake-up signal: a running job may have looked already.
    """

    kind: str
    payload: Payload = field(default_factory=dict)
    run_at: datetime | None = None
    unique_key: str | None = None
    job_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to one run of a job until a time; a later run has another token."""

    job_id: str
    token: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Job:
    """A job that is in hand."""

    job_id: str
    kind: str
    payload: Payload
    attempt: int
    enqueued_at: datetime
    lease: Lease


@dataclass(frozen=True, slots=True)
class NotDone:
    """A handler's answer when the work failed in a foreseen way; an exception means the same, less well.

    Without `again_in` the kind's own pauses apply; `final` makes it a dead letter at once.
    """

    code: str
    again_in: timedelta | None = None
    final: bool = False


@dataclass(frozen=True, slots=True)
class PutBack:
    """A handler's answer when it left off: the worker stops, or now is no time for it; costs no attempt."""

    due_at: datetime | None = None  # None: at once


class Task(Protocol):
    """What a handler sees of its run."""

    @property
    def job(self) -> Job: ...  # noqa: D102 - named by its type

    def stopping(self) -> bool:
        """Whether the worker is told to stop; long handlers look between steps and answer PutBack."""
        ...

    def finish(self, connection: Connection) -> None:
        """Note in the handler's own transaction that the job is done; LeaseLost undoes that transaction."""
        ...


class LeaseLost(Exception):
    """The job is in other hands by now; whatever this run still wants to write is too late."""


Handler = Callable[[Task], NotDone | PutBack | None]


@dataclass(frozen=True, slots=True)
class Handling:
    """How jobs of one kind are done: by which function, tried how often, in which lane of threads.

    `run_max` ends the renewal of the lease, so that a run that hangs is taken over by another worker.
    """

    handler: Handler
    retry: RetryRule = RetryRule()
    lane: str = UPKEEP
    run_max: timedelta = timedelta(minutes=10)


Handlers = Mapping[str, Handling]
