"""Put jobs in, take them out under a lease, and note how they ended.

Each function writes in the caller's transaction. Claims exclude each other by `FOR UPDATE SKIP LOCKED` on
PostgreSQL and by `BEGIN IMMEDIATE` (every unit of work) on SQLite.
"""

import json
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.job_queue.model import (
    LEASE,
    Handlers,
    Job,
    JobState,
    Lease,
    LeaseLost,
    NewJob,
)
from shiming.infrastructure.job_queue.tables import ALIVE, UNIQUE_AMONG_ALIVE, jobs

WORKER_LOST = "WORKER_LOST"  # the last attempt ended with its worker, so nobody could say why


def enqueue(connection: Connection, job: NewJob, *, now: datetime) -> bool:
    """Take a job in; False when one with its unique key waits or runs already."""
    return enqueue_all(connection, (job,), now=now) == 1


def enqueue_all(connection: Connection, new: Iterable[NewJob], *, now: datetime) -> int:
    """Take jobs in and return how many were; those whose unique key waits or runs already are left out."""
    rows = [_row_of(job, now) for job in new]
    if not rows:
        return 0
    statement = (
        insert_into(connection, jobs)
        .on_conflict_do_nothing(index_elements=[jobs.c.unique_key], index_where=UNIQUE_AMONG_ALIVE)
        .returning(jobs.c.job_id)
    )
    return len(connection.execute(statement, rows).all())


def due_kinds(connection: Connection, kinds: Iterable[str], *, now: datetime) -> tuple[str, ...]:
    """Return the kinds of which something is due, that with the longest due first; holds up no writer.

    Each kind is looked up by itself, so that a long queue of one does not slow down the look for another.
    """
    heads = [
        sa.select(jobs.c.kind, jobs.c.due_at).where(_due(kind, now)).order_by(jobs.c.due_at).limit(1)
        for kind in kinds
    ]
    if not heads:
        return ()
    each = sa.union_all(*(sa.select(head.subquery()) for head in heads))
    return tuple(kind for kind, _ in sorted(connection.execute(each), key=lambda head: head.due_at))


def claim(
    connection: Connection,
    handlers: Handlers,
    *,
    worker: str,
    limit: int,
    now: datetime,
    lease: timedelta = LEASE,
) -> tuple[Job, ...]:
    """Take up to `limit` due jobs of these kinds, from the kind with the longest due first.

    A job whose last allowed attempt ended with its worker becomes a dead letter here, so that a job that
    kills workers does not do so for ever.
    """
    found: list[Row[Any]] = []
    for kind in due_kinds(connection, handlers, now=now):
        due = sa.select(jobs).where(_due(kind, now)).order_by(jobs.c.due_at).limit(limit - len(found))
        found += connection.execute(due.with_for_update(skip_locked=True)).all()
        if len(found) == limit:
            break
    exhausted = [row.job_id for row in found if row.attempts >= handlers[row.kind].retry.attempts_max]
    if exhausted:
        _bury(connection, exhausted, code=WORKER_LOST, error_type="", now=now)
    taken = [row for row in found if row.job_id not in exhausted]
    return _take(connection, taken, worker=worker, until=now + lease) if taken else ()


def extend(connection: Connection, leases: Sequence[Lease], *, until: datetime) -> frozenset[str]:
    """Renew leases; return the ids of those that were still held."""
    kept = set()
    for lease in sorted(leases, key=lambda held: held.job_id):  # one order for all: no deadlock
        found = connection.execute(jobs.update().where(_held(lease)).values(due_at=until))
        kept |= {lease.job_id} if found.rowcount else set()
    return frozenset(kept)


def finish(connection: Connection, lease: Lease) -> None:
    """Remove a job that is done; LeaseLost when it is in other hands."""
    _one(connection.execute(jobs.delete().where(_held(lease))).rowcount)


def put_back(connection: Connection, lease: Lease, *, due_at: datetime) -> None:
    """Give a job back that was left off: the attempt does not count; LeaseLost when in other hands."""
    back = {"state": JobState.WAITING, "lease": None, "worker": None, "due_at": due_at}
    updated = connection.execute(
        jobs.update().where(_held(lease)).values(attempts=jobs.c.attempts - 1, **back)
    )
    _one(updated.rowcount)


def fail(
    connection: Connection,
    lease: Lease,
    *,
    code: str,
    error_type: str,
    now: datetime,
    again_at: datetime | None,
) -> None:
    """Note a failure; without `again_at` the job is a dead letter now; LeaseLost when in other hands."""
    if again_at is None:
        held = connection.execute(sa.select(jobs.c.job_id).where(_held(lease)).with_for_update()).all()
        _one(len(held))
        _bury(connection, [lease.job_id], code=code, error_type=error_type, now=now)
        return
    failed = {"error_code": code[:80], "error_type": error_type[:80], "failed_at": now}
    back = {"state": JobState.WAITING, "lease": None, "worker": None, "due_at": again_at}
    _one(connection.execute(jobs.update().where(_held(lease)).values(**back, **failed)).rowcount)


def _take(
    connection: Connection, rows: Sequence[Row[Any]], *, worker: str, until: datetime
) -> tuple[Job, ...]:
    token = str(uuid.uuid4())  # one for all: a lease is a job and a token
    running = {"state": JobState.RUNNING, "lease": token, "worker": worker, "due_at": until}
    these = jobs.c.job_id.in_([row.job_id for row in rows])
    connection.execute(jobs.update().where(these).values(attempts=jobs.c.attempts + 1, **running))
    return tuple(
        Job(
            job_id=row.job_id,
            kind=row.kind,
            payload=json.loads(row.payload),
            attempt=row.attempts + 1,
            enqueued_at=row.enqueued_at,
            lease=Lease(row.job_id, token, until),
        )
        for row in rows
    )


def _bury(
    connection: Connection, job_ids: Sequence[str], *, code: str, error_type: str, now: datetime
) -> None:
    connection.execute(
        jobs.update()
        .where(jobs.c.job_id.in_(job_ids))
        .values(
            state=JobState.DEAD,
            lease=None,
            worker=None,
            failed_at=now,
            error_code=code[:80],
            error_type=error_type[:80],
        )
    )


def _due(kind: str, now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(ALIVE, jobs.c.kind == kind, jobs.c.due_at <= now)


def _held(lease: Lease) -> sa.ColumnElement[bool]:
    return sa.and_(jobs.c.job_id == lease.job_id, jobs.c.lease == lease.token)


def _one(rows: int) -> None:
    if rows != 1:
        raise LeaseLost


def _row_of(job: NewJob, now: datetime) -> dict[str, object]:
    return {
        "job_id": job.job_id,
        "kind": job.kind,
        "payload": json.dumps(dict(job.payload), sort_keys=True, ensure_ascii=False),
        "unique_key": job.unique_key,
        "state": JobState.WAITING,
        "due_at": job.run_at or now,
        "attempts": 0,
        "enqueued_at": now,
    }
