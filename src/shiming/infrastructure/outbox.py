"""Events written in the transaction of what they tell, so that neither exists without the other.

An event says what happened, of what kind, about which reference; never who a person is. The relay turns each
into one delivery job a subscriber, in the transaction that marks it relayed. It finds events by that mark and
not by a growing number, so a transaction that commits late is never skipped. Relayed events are kept for
`KEPT_FOR` so that they can be sent again, then deleted by a scheduled job.
"""

import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.job_queue.model import NewJob
from shiming.infrastructure.job_queue.queue import enqueue_all
from shiming.infrastructure.tables import UtcInstant, schema

Fact = str | int | bool | None

RELAYED_AT_ONCE = 100  # events of one transaction: small enough to hold no writer of SQLite up for long
PURGED_AT_ONCE = 1000
KEPT_FOR = timedelta(days=30)  # a receiver that was down over a long holiday can still ask for all
_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")  # also a subject of NATS without wildcards
#: Written out, so that PostgreSQL can match it with the partial index.
_UNRELAYED: sa.ColumnElement[bool] = sa.literal_column("relayed_at IS NULL")

outbox = sa.Table(
    "outbox",
    schema,
    sa.Column("event_id", sa.String(36), primary_key=True),
    sa.Column("type", sa.String(80), nullable=False),
    sa.Column("subject", sa.String(80), nullable=False),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("occurred_at", UtcInstant, nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("relayed_at", UtcInstant),
)
sa.Index("outbox_unrelayed", outbox.c.occurred_at, postgresql_where=_UNRELAYED, sqlite_where=_UNRELAYED)
sa.Index("outbox_by_time", outbox.c.occurred_at, outbox.c.event_id)


@dataclass(frozen=True, slots=True)
class Event:
    """A fact that others may want to know, e.g. type `line.registered` about the reference of the line."""

    type: str
    subject: str
    operator: str
    occurred_at: datetime
    facts: Mapping[str, Fact] = field(default_factory=dict)
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def facts_text(self) -> str:
        """Return the facts as they are stored."""
        return json.dumps(self.facts, sort_keys=True)


#: Says which jobs deliver some events: one a subscriber and event.
Route = Callable[[Connection, Sequence[Event]], Iterable[NewJob]]


@dataclass(frozen=True, slots=True)
class EventRange:
    """Events from an instant (included) to another (excluded), of one operator or (empty) of all."""

    since: datetime
    until: datetime
    operator: str = ""


def emit(connection: Connection, event: Event) -> None:
    """Write an event in the caller's transaction; ValueError for a type that subscribers could not name."""
    if not _TYPE.fullmatch(event.type):
        message = "the type of an event is lower-case words joined by dots, such as line.registered"
        raise ValueError(message)
    connection.execute(
        outbox.insert().values(
            event_id=event.event_id,
            type=event.type,
            subject=event.subject,
            operator=event.operator,
            occurred_at=event.occurred_at,
            facts=event.facts_text(),
        )
    )


def is_anything_unrelayed(connection: Connection) -> bool:
    """Whether the relay has something to do; a look that holds up no writer."""
    return connection.execute(sa.select(outbox.c.event_id).where(_UNRELAYED).limit(1)).first() is not None


def relay(connection: Connection, route: Route, *, now: datetime, limit: int = RELAYED_AT_ONCE) -> int:
    """Turn waiting events into delivery jobs and mark them, all in this transaction; return how many."""
    waiting = (
        sa.select(outbox)
        .where(_UNRELAYED)
        .order_by(outbox.c.occurred_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    events = [_event(row) for row in connection.execute(waiting)]
    if events:
        enqueue_all(connection, route(connection, events), now=now)
        ids = [event.event_id for event in events]
        connection.execute(outbox.update().where(outbox.c.event_id.in_(ids)).values(relayed_at=now))
    return len(events)


def find_event(connection: Connection, event_id: str) -> Event | None:
    """Return an event; None when it never was or is kept no longer."""
    row = connection.execute(sa.select(outbox).where(outbox.c.event_id == event_id)).one_or_none()
    return None if row is None else _event(row)


def events_in(
    connection: Connection, wanted: EventRange, *, after: tuple[datetime, str] | None, limit: int
) -> tuple[Event, ...]:
    """Return events of a range in the order of time and id, from behind the position `after`."""
    query = (
        sa.select(outbox)
        .where(outbox.c.occurred_at >= wanted.since, outbox.c.occurred_at < wanted.until)
        .order_by(outbox.c.occurred_at, outbox.c.event_id)
        .limit(limit)
    )
    if wanted.operator:
        query = query.where(outbox.c.operator == wanted.operator)
    if after is not None:
        at, event_id = after
        later = sa.and_(outbox.c.occurred_at == at, outbox.c.event_id > event_id)
        query = query.where(sa.or_(outbox.c.occurred_at > at, later))
    return tuple(_event(row) for row in connection.execute(query))


def count_unrelayed(connection: Connection) -> int:
    """Return how many events wait for the relay: a number that grows means that no worker runs."""
    return connection.execute(sa.select(sa.func.count()).select_from(outbox).where(_UNRELAYED)).scalar_one()


def purge_events(engine: Engine, *, now: datetime, kept_for: timedelta = KEPT_FOR) -> Iterator[int]:
    """Delete events that were relayed more than `kept_for` ago, a batch a step; yield each step's count."""
    before = now - kept_for
    old = (
        sa.select(outbox.c.event_id)
        .where(outbox.c.occurred_at < before, outbox.c.relayed_at < before)  # the first finds them by index
        .order_by(outbox.c.occurred_at)
        .limit(PURGED_AT_ONCE)
    )
    while True:
        with reading(engine) as connection:
            ids = connection.execute(old).scalars().all()
        if not ids:
            return
        yield transact(engine, partial(_delete, ids))


def _delete(event_ids: Sequence[str], connection: Connection) -> int:
    return connection.execute(outbox.delete().where(outbox.c.event_id.in_(event_ids))).rowcount


def _event(row: Row[tuple[object, ...]]) -> Event:
    return Event(
        type=row.type,
        subject=row.subject,
        operator=row.operator,
        occurred_at=row.occurred_at,
        facts=json.loads(row.facts),
        event_id=row.event_id,
    )
