"""Jobs as a person sees them: what waits, what runs, what gave up, and what to do about the last.

A dead letter shows the code and the type of the last error, never its text, which could name a person.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError

from shiming.infrastructure.job_queue.model import JobState, Payload
from shiming.infrastructure.job_queue.tables import DEAD, jobs
from shiming.vocabulary.errors import BadInput, Text

PAGE_MAX = 200  # rows of one answer; more is for a cursor


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as it stands; `failed_at` and the error tell of its last failure, dead or not."""

    job_id: str
    kind: str
    state: JobState
    payload: Payload
    attempts: int
    enqueued_at: datetime
    due_at: datetime
    failed_at: datetime | None
    error_code: str | None
    error_type: str | None
    worker: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the record as commands and the API show it."""
        return {
            "id": self.job_id,
            "kind": self.kind,
            "state": self.state.value,
            "payload": dict(self.payload),
            "attempts": self.attempts,
            "enqueued_at": self.enqueued_at.isoformat(),
            "due_at": self.due_at.isoformat(),
            "failed_at": self.failed_at and self.failed_at.isoformat(),
            "error_code": self.error_code,
            "error_type": self.error_type,
            "worker": self.worker,
        }


def count_jobs(connection: Connection) -> dict[tuple[str, JobState], int]:
    """Return how many jobs there are of each kind and state."""
    rows = connection.execute(
        sa.select(jobs.c.kind, jobs.c.state, sa.func.count()).group_by(jobs.c.kind, jobs.c.state)
    )
    return {(kind, JobState(state)): number for kind, state, number in rows}


def list_jobs(
    connection: Connection,
    *,
    state: JobState | None = None,
    kind: str | None = None,
    after: str | None = None,
    limit: int = PAGE_MAX,
) -> tuple[JobRecord, ...]:
    """Return jobs in the order of their ids, from behind the id `after`."""
    query = sa.select(jobs).order_by(jobs.c.job_id).limit(min(limit, PAGE_MAX))
    if state is not None:
        query = query.where(DEAD if state is JobState.DEAD else jobs.c.state == state)
    if kind is not None:
        query = query.where(jobs.c.kind == kind)
    if after is not None:
        query = query.where(jobs.c.job_id > after)
    return tuple(_record(row) for row in connection.execute(query))


def get_job(connection: Connection, job_id: str) -> JobRecord:
    """Return one job; BadInput JOB_UNKNOWN when there is none, for example because it is done."""
    row = connection.execute(sa.select(jobs).where(jobs.c.job_id == job_id)).one_or_none()
    if row is None:
        raise _unknown()
    return _record(row)


def retry(connection: Connection, job_id: str, *, now: datetime) -> None:
    """Let a dead letter run again at once, with all its attempts before it.

    Raises BadInput: JOB_UNKNOWN, JOB_NOT_DEAD, or JOB_REPEATED when the same work waits or runs again.
    """
    alive = {"state": JobState.WAITING, "due_at": now, "attempts": 0}
    try:
        with connection.begin_nested():
            updated = connection.execute(jobs.update().where(_dead(job_id)).values(**alive)).rowcount
    except IntegrityError as problem:
        raise BadInput(
            "JOB_REPEATED",
            Text(zh="同一任务已在排队或执行中。", en="The same work waits or runs already."),
            Text(zh="可以放弃此死信任务。", en="This dead letter can be discarded."),
        ) from problem
    _must_be_one(connection, job_id, updated)


def discard(connection: Connection, job_id: str) -> None:
    """Remove a dead letter for good; raises BadInput JOB_UNKNOWN or JOB_NOT_DEAD."""
    _must_be_one(connection, job_id, connection.execute(jobs.delete().where(_dead(job_id))).rowcount)


def _must_be_one(connection: Connection, job_id: str, rows: int) -> None:
    if rows:
        return
    get_job(connection, job_id)
    raise BadInput(
        "JOB_NOT_DEAD",
        Text(zh="该任务仍在排队或执行中。", en="This job still waits or runs."),
        Text(zh="只有死信任务可以重试或放弃。", en="Only dead letters can be retried or discarded."),
    )


def _dead(job_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(jobs.c.job_id == job_id, DEAD)


def _unknown() -> BadInput:
    return BadInput(
        "JOB_UNKNOWN",
        Text(zh="没有该任务，可能已经完成。", en="There is no such job; it may be done."),
        Text(zh="请查看 shiming jobs list。", en="See `shiming jobs list`."),
    )


def _record(row: Row[Any]) -> JobRecord:
    return JobRecord(
        job_id=row.job_id,
        kind=row.kind,
        state=JobState(row.state),
        payload=json.loads(row.payload),
        attempts=row.attempts,
        enqueued_at=row.enqueued_at,
        due_at=row.due_at,
        failed_at=row.failed_at,
        error_code=row.error_code,
        error_type=row.error_type,
        worker=row.worker,
    )
