"""The worker of an installation: which jobs there are, when they come again, and where events go.

`worker_tools` puts together what infrastructure knows how to do (deliveries, replays, purges) and what the
features give (sealing, erasing, sweeping); `run_worker` works it off until told to stop.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy.engine import Connection, Engine

from shiming.entrypoints.listeners import route_to_listeners
from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.encryption import KekProvider
from shiming.infrastructure.job_queue.model import Handlers, Handling, NewJob, PutBack, Task
from shiming.infrastructure.job_queue.running import RunSeen
from shiming.infrastructure.job_queue.worker import WorkerTools, run_worker
from shiming.infrastructure.nats_publisher import PUBLISH, NatsPublisher, publishing, route_to_nats
from shiming.infrastructure.outbox import (
    RELAYED_AT_ONCE,
    Event,
    Route,
    is_anything_unrelayed,
    purge_events,
    relay,
)
from shiming.infrastructure.schedules import Cron, Every, Schedule, Timetable
from shiming.infrastructure.sealed_secrets import rewrap_sealed
from shiming.infrastructure.webhooks.delivering import DELIVER, DeliveryTools, delivering, route_to_webhooks
from shiming.infrastructure.webhooks.replaying import REPLAY, replaying
from shiming.infrastructure.webhooks.secrets import rewrap_secrets

__all__ = ["DEFAULT_SCHEDULES", "EventDelivery", "every_kind", "run_worker", "worker_tools"]

SEAL = "ledger.seal"
ERASE_DUE = "evidence.erase_due"
SWEEP = "objects.sweep"
PURGE_EVENTS = "outbox.purge"
PURGE_IDEMPOTENCY_KEYS = "idempotency.purge"
REWRAP_SECRETS = "webhook.rewrap"

#: Upkeep of the night runs by China's clock and not at full hours, when everybody else's jobs start.
_ZONE = "Asia/Shanghai"
DEFAULT_SCHEDULES: tuple[Schedule, ...] = (
    Schedule(SEAL, Every(seconds=1)),  # SCALE: what is committed is under a signed root about a second later
    Schedule(
        ERASE_DUE, Cron("7 * * * *", _ZONE)
    ),  # a right to be forgotten is not kept waiting for the night
    Schedule(SWEEP, Cron("23 3 * * *", _ZONE)),
    Schedule(PURGE_EVENTS, Cron("41 3 * * *", _ZONE)),
    Schedule(PURGE_IDEMPOTENCY_KEYS, Cron("17 * * * *", _ZONE)),
    Schedule(REWRAP_SECRETS, Cron("47 * * * *", _ZONE)),  # after a change of key-encryption keys
)


@dataclass(frozen=True, slots=True)
class EventDelivery:
    """Where events go: to webhooks, and to NATS when there is a server."""

    webhooks: DeliveryTools
    nats: NatsPublisher | None = None

    def routes(self) -> tuple[Route, ...]:
        """Return what says which jobs deliver an event."""
        to_outside = (route_to_webhooks,) if self.nats is None else (route_to_webhooks, route_to_nats)
        return (route_to_listeners, *to_outside)


def worker_tools(
    engine: Engine,
    clock: Clock,
    *,
    delivery: EventDelivery,
    features: Handlers,
    schedules: Sequence[Schedule] = DEFAULT_SCHEDULES,
    seen: Callable[[RunSeen], None] = lambda _: None,
) -> WorkerTools:
    """Return the tools of a worker; ValueError for a schedule whose jobs nobody does.

    `features` are the handlings of the features' own kinds, such as `{"ledger.seal": Handling(seal)}`.
    """
    handlers = every_kind(engine, clock, delivery=delivery, features=features)
    orphans = [schedule.key for schedule in schedules if schedule.kind not in handlers]
    if orphans:
        message = f"no handler for the schedules {orphans}"
        raise ValueError(message)
    timetable = Timetable(schedules)
    routes = delivery.routes()
    return WorkerTools(
        engine,
        clock,
        handlers,
        steps=(lambda: timetable.queue_due(engine, clock.now()), lambda: _relay(engine, clock, routes)),
        seen=seen,
    )


def every_kind(engine: Engine, clock: Clock, *, delivery: EventDelivery, features: Handlers) -> Handlers:
    """Return the handlings of all kinds of jobs."""
    own = {
        DELIVER: delivering(delivery.webhooks),
        REPLAY: replaying(engine, clock),
        PURGE_EVENTS: Handling(lambda task: _purge_events(engine, clock, task)),
        REWRAP_SECRETS: Handling(lambda _: _rewrap(engine, delivery.webhooks.keys)),
    }
    if delivery.nats is not None:
        own[PUBLISH] = publishing(engine, delivery.nats)
    return {**own, **features}


def _relay(engine: Engine, clock: Clock, routes: Sequence[Route]) -> int:
    """Relay one batch; a look first, because on SQLite a transaction holds up the writers."""
    with reading(engine) as connection:
        if not is_anything_unrelayed(connection):
            return 0

    def route(connection: Connection, events: Sequence[Event]) -> list[NewJob]:
        return [job for each in routes for job in each(connection, events)]

    return transact(engine, lambda c: relay(c, route, now=clock.now(), limit=RELAYED_AT_ONCE))


def _rewrap(engine: Engine, keys: KekProvider) -> None:
    for rewrap in (rewrap_secrets, rewrap_sealed):
        while transact(engine, partial(rewrap, keys=keys)):
            pass


def _purge_events(engine: Engine, clock: Clock, task: Task) -> PutBack | None:
    for _ in purge_events(engine, now=clock.now()):
        if task.stopping():
            return PutBack()
    return None
