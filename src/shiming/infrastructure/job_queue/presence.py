"""Which workers are there: each writes a sign of life, so that a dead one can be seen."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.job_queue.tables import workers

SIGN_OF_LIFE = timedelta(seconds=10)
#: Three signs missed: the worker is dead, or its machine does nothing for it.
SILENT_AFTER = 3 * SIGN_OF_LIFE
FORGOTTEN_AFTER = timedelta(days=1)  # long enough for somebody to notice


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """A worker by its last sign of life."""

    worker: str
    started_at: datetime
    seen_at: datetime
    in_hand: int
    alive: bool


def show_presence(connection: Connection, worker: str, *, in_hand: int, now: datetime) -> None:
    """Write the sign of life of a worker; the first one is its start."""
    connection.execute(
        insert_into(connection, workers)
        .values(worker=worker, started_at=now, seen_at=now, in_hand=in_hand)
        .on_conflict_do_update(index_elements=[workers.c.worker], set_={"seen_at": now, "in_hand": in_hand})
    )
    connection.execute(workers.delete().where(workers.c.seen_at < now - FORGOTTEN_AFTER))


def leave(connection: Connection, worker: str) -> None:
    """Remove a worker that stopped as it should."""
    connection.execute(workers.delete().where(workers.c.worker == worker))


def workers_seen(connection: Connection, *, now: datetime) -> tuple[WorkerSeen, ...]:
    """Return the workers that are there and those that fell silent within the last day."""
    rows = connection.execute(sa.select(workers).order_by(workers.c.started_at, workers.c.worker))
    return tuple(
        WorkerSeen(
            row.worker,
            started_at=row.started_at,
            seen_at=row.seen_at,
            in_hand=row.in_hand,
            alive=row.seen_at > now - SILENT_AFTER,
        )
        for row in rows
    )


def last_sign_of_life(connection: Connection) -> datetime | None:
    """Return when a worker was last heard of; None when there is none."""
    last: datetime | None = connection.execute(sa.select(sa.func.max(workers.c.seen_at))).scalar_one()
    return last
