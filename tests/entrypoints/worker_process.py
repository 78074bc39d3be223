"""A worker in a process of its own, so that tests can kill it: `python -m ... DATABASE_URL FILE`.

Its one kind of job, `note`, writes `start N`, sleeps as long as the payload says, and writes `end N`.
"""

import os
import signal
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

from shiming.entrypoints.worker_commands import stop_at_signals
from shiming.infrastructure.clock import SystemClock
from shiming.infrastructure.database import open_database
from shiming.infrastructure.job_queue.model import Handling, PutBack, RetryRule, Task
from shiming.infrastructure.job_queue.worker import WorkerTools, run_worker


def main() -> None:
    url, notes = sys.argv[1], Path(sys.argv[2])
    stop_s = float(sys.argv[3])

    def write(text: str) -> None:
        with notes.open("a") as file:
            file.write(f"{text} {os.getpid()}\n")

    def note(task: Task) -> PutBack | None:
        number = task.job.payload["n"]
        write(f"start {number}")
        until = time.monotonic() + float(str(task.job.payload["s"]))
        while time.monotonic() < until:
            if task.job.payload.get("polite") and task.stopping():
                write(f"left {number}")
                return PutBack()
            time.sleep(0.02)
        write(f"end {number}")
        return None

    tools = WorkerTools(
        open_database(url),
        SystemClock(),
        {"note": Handling(note, RetryRule(attempts_max=9))},
        lease=timedelta(seconds=3),
        idle_wait_s=0.05,
        stop_max_s=stop_s,
    )
    stop = threading.Event()
    stop_at_signals(stop)
    write("worker started")
    given_back = run_worker(tools, stop)
    write(f"worker stopped {given_back}")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    main()
