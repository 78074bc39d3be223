"""A worker that relays and delivers, in a process of its own: `python -m ... DATABASE_URL`."""

import sys
import threading
from dataclasses import replace
from datetime import timedelta

from shiming.entrypoints.worker import SEAL, EventDelivery, worker_tools
from shiming.entrypoints.worker_commands import stop_at_signals
from shiming.infrastructure.clock import SystemClock
from shiming.infrastructure.database import open_database
from shiming.infrastructure.job_queue.model import Handling
from shiming.infrastructure.job_queue.worker import run_worker
from shiming.infrastructure.schedules import Every, Schedule
from tests.infrastructure.webhook_builders import some_tools


def main() -> None:
    engine = open_database(sys.argv[1])
    tools = worker_tools(
        engine,
        SystemClock(),
        delivery=EventDelivery(some_tools(engine)),
        features={SEAL: Handling(lambda _: None)},
        schedules=[Schedule(SEAL, Every(seconds=1))],
    )
    stop = threading.Event()
    stop_at_signals(stop)
    run_worker(replace(tools, lease=timedelta(seconds=3), idle_wait_s=0.05), stop)


if __name__ == "__main__":
    main()
