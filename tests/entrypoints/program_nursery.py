"""Starts our programs in a moment: everything is imported once, and each program is a fork of that.

A server needs three seconds of a core to import what it needs; a test that kills many would do nothing else.
What is forked is the same command, in a process of its own with connections of its own: nothing is opened
before the fork.

`python -m tests.entrypoints.program_nursery` reads lines `{"log": file, "environment": {...},
"arguments": ["shiming", ...]}` and answers each with the process id.
"""

import importlib
import json
import os
import runpy
import signal
import sys
from typing import Any

IMPORTED = (
    "shiming.entrypoints.http_api",
    "shiming.entrypoints.serve_commands",
    "shiming.entrypoints.worker_commands",
    "shiming.entrypoints.jobs_of_features",
    "shiming.identity_proofing.api",
    "shiming.registrations.api.registrations",
    "shiming.privacy.api",
    "shiming.accounts.api",
    "shiming.accounts.asking",
    "shiming.accounts.connectors.passkeys",
    "shiming.registrations.use_cases.hot_path",
    "shiming.entrypoints.recognition_tools",
    "tests.entrypoints.session_keeper",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "uvicorn.lifespan.on",
    "asyncpg",
    "psycopg",
)


def become(order: dict[str, Any]) -> None:
    """Be the program that is asked for; does not return."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(str(order["log"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(order["environment"])
    module, *sys.argv[1:] = order["arguments"]
    code = 1
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.stdout.flush()
        os._exit(code)


def main() -> None:
    """Fork whatever is asked for until the asker has gone."""
    for name in IMPORTED:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries the dead
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            become(json.loads(line))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
