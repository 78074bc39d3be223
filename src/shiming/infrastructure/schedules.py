"""Work that comes again: at times of the calendar (cron) or every so many seconds.

Each worker looks at every schedule; a stored last slot lets exactly one of them queue each slot's job.
Missed slots: of the slots that passed while no worker ran, the last one is made up for, once; the others
are not. The first sight of a schedule (or of a changed rule) runs nothing; it begins with the next slot.
An interval whose last job still waits or runs gets no second one.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from cronsim import CronSim
from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.database import insert_into, transact
from shiming.infrastructure.job_queue.model import NewJob, Payload
from shiming.infrastructure.job_queue.queue import enqueue
from shiming.infrastructure.tables import UtcInstant, schema

job_schedules = sa.Table(
    "job_schedules",
    schema,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("rule", sa.String(120), nullable=False),
    sa.Column("last_slot", UtcInstant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """Times of the calendar, in the words of cron and the clock of a time zone.

    >>> Cron("30 3 * * *", zone="Asia/Shanghai").last_slot(datetime(2026, 5, 1, 12, tzinfo=UTC)).isoformat()
    '2026-04-30T19:30:00+00:00'
    """

    expression: str
    zone: str = "UTC"

    def __str__(self) -> str:
        return f"{self.expression} {self.zone}"

    @property
    def coalesces(self) -> bool:
        """Whether a slot is left out while the job of an earlier one is not done."""
        return False

    def last_slot(self, now: datetime) -> datetime:
        """Return the last slot that is not after `now`."""
        from_behind = (now.replace(microsecond=0) + timedelta(seconds=1)).astimezone(ZoneInfo(self.zone))
        return next(CronSim(self.expression, from_behind, reverse=True)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Every:
    """Every so many whole seconds, counted from the Unix epoch.

    >>> Every(seconds=90).last_slot(datetime(2026, 5, 1, 12, 0, 59, tzinfo=UTC)).isoformat()
    '2026-05-01T12:00:00+00:00'
    """

    seconds: int

    def __str__(self) -> str:
        return f"every {self.seconds} s"

    @property
    def coalesces(self) -> bool:
        """Whether a slot is left out while the job of an earlier one is not done."""
        return True

    def last_slot(self, now: datetime) -> datetime:
        """Return the last slot that is not after `now`."""
        return datetime.fromtimestamp(math.floor(now.timestamp()) // self.seconds * self.seconds, UTC)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A job of `kind` that comes again; the slot is added to its payload."""

    kind: str
    when: Cron | Every
    payload: Payload = field(default_factory=dict)
    name: str = ""

    @property
    def key(self) -> str:
        """Return the name under which its last slot is stored."""
        return self.name or self.kind

    def job(self, slot: datetime) -> NewJob:
        """Return the job of one slot."""
        at = slot.isoformat()
        key = f"schedule:{self.key}" if self.when.coalesces else f"schedule:{self.key}@{at}"
        return NewJob(self.kind, {**self.payload, "slot": at}, unique_key=key)


class Timetable:
    """The schedules as one worker sees them; it asks the database only when a new slot has come."""

    def __init__(self, schedules: Iterable[Schedule]) -> None:
        self._schedules = tuple(schedules)
        self._seen: dict[str, datetime] = {}

    def queue_due(self, engine: Engine, now: datetime) -> int:
        """Queue the jobs of slots that have come and that no other worker has queued; return how many."""
        new = [
            (each, slot)
            for each in self._schedules
            if (slot := each.when.last_slot(now)) > self._seen.get(each.key, datetime.min.replace(tzinfo=UTC))
        ]
        if not new:
            return 0

        def take_all(connection: Connection) -> int:
            return sum(take_slot(connection, each, slot, now=now) for each, slot in new)

        queued = transact(engine, take_all)
        self._seen |= {each.key: slot for each, slot in new}
        return queued


def take_slot(connection: Connection, schedule: Schedule, slot: datetime, *, now: datetime) -> bool:
    """Queue the job of a slot in this transaction; False when the slot was taken or the schedule is new."""
    rule = str(schedule.when)
    known = {"name": schedule.key, "rule": rule, "last_slot": slot}
    first = insert_into(connection, job_schedules).values(known).on_conflict_do_nothing()
    if connection.execute(first.returning(job_schedules.c.name)).first():
        return False
    named = job_schedules.c.name == schedule.key
    changed = job_schedules.update().where(named, job_schedules.c.rule != rule).values(known)
    if connection.execute(changed).rowcount:
        return False
    later = job_schedules.update().where(named, job_schedules.c.last_slot < slot).values(last_slot=slot)
    return bool(connection.execute(later).rowcount) and enqueue(connection, schedule.job(slot), now=now)
