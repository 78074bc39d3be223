"""A worker of provisioning in a process of its own, to be killed: `python -m ... FOLDER DATABASE_URL`."""

import sys
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from shiming.entrypoints.provisioning_jobs import provisioning_jobs
from shiming.entrypoints.worker import SEAL, EventDelivery, worker_tools
from shiming.entrypoints.worker_commands import stop_at_signals
from shiming.infrastructure.clock import SystemClock
from shiming.infrastructure.job_queue.model import Handling, RetryRule
from shiming.infrastructure.job_queue.worker import WorkerTools, run_worker
from shiming.infrastructure.schedules import Every, Schedule
from shiming.infrastructure.webhooks.delivering import DeliveryTools
from shiming.registrations.use_cases.order_progress import SEND
from shiming.registrations.use_cases.provisioning_tools import ProvisioningTools
from tests.registrations.bss_processes import HERE, a_connector
from tests.registrations.builders import Desk, a_desk
from tests.registrations.provisioning_builders import POLICY

LEASE = timedelta(seconds=2)
QUICK = RetryRule(attempts_max=300, first_pause=timedelta(milliseconds=100), pause_max=timedelta(seconds=1))


def live_tools(desk: Desk, public_url: str = "http://127.0.0.1:1") -> ProvisioningTools:
    """Tools with the real connector and clock, and little patience."""
    return ProvisioningTools(
        registrations=desk.tools,
        engine=desk.engine,
        clock=SystemClock(),
        bss=a_connector(read_timeout_s=5.0, rest_s=0.3),
        policy=lambda: POLICY,
        public_url=public_url,
        callback_wait=timedelta(seconds=1.5),
        poll_pause=timedelta(seconds=1),
    )


def a_worker(tools: ProvisioningTools) -> WorkerTools:
    platform: Any = SimpleNamespace(provisioning=tools)
    jobs = dict(provisioning_jobs(platform))
    jobs[SEND] = replace(jobs[SEND], retry=QUICK)
    made = worker_tools(
        tools.engine,
        tools.clock,
        delivery=EventDelivery(
            DeliveryTools(tools.engine, tools.keys, tools.clock, HERE, source="urn:shiming:test")
        ),
        features={**jobs, SEAL: Handling(lambda _: None)},
        schedules=[Schedule(SEAL, Every(seconds=60))],
    )
    return replace(made, lease=LEASE, idle_wait_s=0.05)


def main() -> None:
    desk = a_desk(Path(sys.argv[1]), url=sys.argv[2])
    stop = threading.Event()
    stop_at_signals(stop)
    run_worker(a_worker(live_tools(desk)), stop)


if __name__ == "__main__":
    main()
