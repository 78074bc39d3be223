"""The jobs that features give to the worker, and where this installation sends its events."""

import logging
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from shiming.accounts import jobs as account_jobs
from shiming.entrypoints.enterprise_jobs import ENTERPRISE_SCHEDULES, enterprise_jobs
from shiming.entrypoints.iot_jobs import iot_jobs
from shiming.entrypoints.people_jobs import PEOPLE_SCHEDULES, people_jobs
from shiming.entrypoints.provisioning_jobs import PROVISIONING_SCHEDULES, provisioning_jobs
from shiming.entrypoints.transfer_jobs import TRANSFER_SCHEDULES, transfer_jobs
from shiming.entrypoints.worker import (
    DEFAULT_SCHEDULES,
    ERASE_DUE,
    PURGE_IDEMPOTENCY_KEYS,
    SEAL,
    SWEEP,
    EventDelivery,
    worker_tools,
)
from shiming.identity_proofing.held_pieces import HoldingTools
from shiming.identity_proofing.use_cases.discarding import discard_held
from shiming.identity_proofing.use_cases.settling import settle_waiting_evidence
from shiming.infrastructure.database import transact
from shiming.infrastructure.idempotency import forget_old_keys
from shiming.infrastructure.job_queue.model import Handlers, Handling, PutBack, RetryRule, Task
from shiming.infrastructure.job_queue.worker import WorkerTools
from shiming.infrastructure.nats_publisher import NatsPublisher, NatsServer
from shiming.infrastructure.schedules import Cron, Every, Schedule
from shiming.infrastructure.webhooks.delivering import DeliveryTools
from shiming.privacy import jobs as privacy_jobs
from shiming.privacy.disclosure_jobs import expire_disclosures, forget_old_accesses
from shiming.privacy.use_cases.sealing import seal_ledger
from shiming.registrations.jobs.numbers import free_numbers_once
from shiming.registrations.jobs.sims import put_in_ordered_sim

if TYPE_CHECKING:
    from shiming.entrypoints.wiring import Platform

_LOGGER = logging.getLogger(__name__)

EXPIRE_DISCLOSURES = "disclosures.expire"
FORGET_ACCESSES = "accesses.forget"
FORGET_SIGN_INS = "sign_ins.forget"
DISCARD_HELD = "proofing.discard_held"
FREE_NUMBERS = "numbers.free_expired"
PUT_IN_ORDERED_SIM = "sims.put_in_ordered"
#: A sealer that met a fault must not rest for minutes: what is not sealed is not yet under a signed root.
SEAL_AGAIN = RetryRule(factor=1.5, pause_max=timedelta(seconds=10))
SCHEDULES = (
    *DEFAULT_SCHEDULES,
    *PROVISIONING_SCHEDULES,
    *ENTERPRISE_SCHEDULES,
    *TRANSFER_SCHEDULES,
    *PEOPLE_SCHEDULES,
    Schedule(DISCARD_HELD, Every(seconds=300)),  # a session lives half an hour
    Schedule(EXPIRE_DISCLOSURES, Every(seconds=60)),  # deadlines are hours
    Schedule(FREE_NUMBERS, Every(seconds=300)),  # tidies up only: what has run out is free at once
    Schedule(FORGET_ACCESSES, Cron("53 3 * * *", "Asia/Shanghai")),
    Schedule(FORGET_SIGN_INS, Cron("29 * * * *", "Asia/Shanghai")),
)


def worker_of(platform: "Platform") -> WorkerTools:
    """Return the worker of an installation; Unavailable when its keys do not open what is stored."""
    platform.require_keys()
    source = platform.settings.public_url
    webhooks = DeliveryTools(
        platform.engine, platform.keys, platform.clock, platform.destinations, source=source
    )
    nats_url = platform.settings.nats_url
    nats = (
        NatsPublisher(NatsServer(nats_url, credentials=platform.settings.nats_credentials), source=source)
        if nats_url
        else None
    )
    return worker_tools(
        platform.engine,
        platform.clock,
        delivery=EventDelivery(webhooks, nats),
        features=_jobs(platform),
        schedules=SCHEDULES,
    )


def _jobs(platform: "Platform") -> Handlers:
    return {
        **provisioning_jobs(platform),
        **enterprise_jobs(platform),
        **iot_jobs(platform),
        **transfer_jobs(platform),
        **people_jobs(platform),
        SEAL: Handling(partial(_seal, platform), SEAL_AGAIN),
        ERASE_DUE: Handling(partial(_erase_due, platform)),
        SWEEP: Handling(partial(_sweep, platform)),
        EXPIRE_DISCLOSURES: Handling(partial(_expire, platform)),
        FORGET_ACCESSES: Handling(partial(_forget, platform)),
        FORGET_SIGN_INS: Handling(partial(_forget_sign_ins, platform)),
        DISCARD_HELD: Handling(partial(_discard, platform)),
        FREE_NUMBERS: Handling(partial(_free_numbers, platform)),
        PUT_IN_ORDERED_SIM: Handling(partial(_put_in_ordered_sim, platform)),
        PURGE_IDEMPOTENCY_KEYS: Handling(partial(_purge_keys, platform)),
    }


def _seal(platform: "Platform", _task: Task) -> None:
    log = platform.ledger_signer
    older = tuple(key for key in platform.ledger_keys if key != log.key)
    done = seal_ledger(platform.engine, platform.keys, log, platform.clock, older_keys=older)
    for finding in done.stopped:
        _LOGGER.error("the sealer stopped before leaf %s: %s", finding.at, finding.why.value)


def _erase_due(platform: "Platform", _task: Task) -> None:
    while transact(
        platform.engine, lambda connection: settle_waiting_evidence(connection, platform.clock.now())
    ):
        pass
    privacy_jobs.erase_due(platform.privacy, platform.engine, now=platform.clock.now())
    privacy_jobs.finish_erasures(platform.privacy, platform.engine)


def _expire(platform: "Platform", _task: Task) -> None:
    expire_disclosures(platform.privacy, platform.engine, now=platform.clock.now())


def _forget(platform: "Platform", _task: Task) -> None:
    retention = platform.policy(platform.default_pack, platform.today()).retention
    forget_old_accesses(platform.engine, retention, now=platform.clock.now())


def _discard(platform: "Platform", task: Task) -> PutBack | None:
    tools = platform.proofing_tools()
    holding = HoldingTools(platform.privacy.objects, platform.keys, tools.new_reference)
    while discard_held(holding, platform.begin, platform.clock.now()):
        if task.stopping():
            return PutBack()
    return None


def _free_numbers(platform: "Platform", task: Task) -> PutBack | None:
    while free_numbers_once(platform.registrations, platform.engine, now=platform.clock.now()):
        if task.stopping():
            return PutBack()
    return None


def _put_in_ordered_sim(platform: "Platform", task: Task) -> None:
    policy = platform.policy(platform.default_pack, platform.today())
    put_in_ordered_sim(
        platform.registrations, platform.engine, str(task.job.payload["subject"]), policy=policy
    )


def _forget_sign_ins(platform: "Platform", _task: Task) -> None:
    account_jobs.forget_sign_ins(platform.accounts, platform.engine)


def _sweep(platform: "Platform", _task: Task) -> None:
    privacy_jobs.sweep_objects(platform.privacy, platform.engine, now=platform.clock.now())


def _purge_keys(platform: "Platform", _task: Task) -> None:
    while transact(platform.engine, lambda connection: forget_old_keys(connection, platform.clock.now())):
        pass
