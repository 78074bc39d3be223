"""The jobs that features give to the worker, and where this installation sends its events."""

from typing import TYPE_CHECKING

from shiming.entrypoints.worker import (
    ERASE_DUE,
    PURGE_IDEMPOTENCY_KEYS,
    SEAL,
    SWEEP,
    EventDelivery,
    worker_tools,
)
from shiming.infrastructure.database import transact
from shiming.infrastructure.idempotency import forget_old_keys
from shiming.infrastructure.job_queue.model import Handlers, Handling, Task
from shiming.infrastructure.job_queue.worker import WorkerTools
from shiming.infrastructure.nats_publisher import NatsPublisher, NatsServer
from shiming.infrastructure.webhooks.delivering import DeliveryTools
from shiming.privacy import jobs as privacy_jobs
from shiming.privacy.use_cases.sealing import seal_ledger

if TYPE_CHECKING:
    from shiming.entrypoints.wiring import Platform


def worker_of(platform: "Platform") -> WorkerTools:
    """Return the worker of an installation."""
    source = platform.settings.public_url
    webhooks = DeliveryTools(
        platform.engine, platform.keys, platform.clock, platform.destinations, source=source
    )
    nats_url = platform.settings.nats_url
    nats = NatsPublisher(NatsServer(nats_url), source=source) if nats_url else None
    return worker_tools(
        platform.engine,
        platform.clock,
        delivery=EventDelivery(webhooks, nats),
        features=_jobs(platform),
    )


def _jobs(platform: "Platform") -> Handlers:
    def seal(_task: Task) -> None:
        log = platform.ledger_signer
        older = tuple(key for key in platform.ledger_keys if key != log.key)
        seal_ledger(platform.engine, platform.keys, log, platform.clock, older_keys=older)

    def erase_due(_task: Task) -> None:
        privacy_jobs.erase_due(platform.privacy, platform.engine, now=platform.clock.now())

    def sweep(_task: Task) -> None:
        privacy_jobs.finish_erasures(platform.privacy, platform.engine)
        privacy_jobs.sweep_objects(platform.privacy, platform.engine, now=platform.clock.now())

    def purge_keys(_task: Task) -> None:
        transact(platform.engine, lambda connection: forget_old_keys(connection, platform.clock.now()))

    return {
        SEAL: Handling(seal),
        ERASE_DUE: Handling(erase_due),
        SWEEP: Handling(sweep),
        PURGE_IDEMPOTENCY_KEYS: Handling(purge_keys),
    }
