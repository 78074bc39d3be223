"""Our programs as processes that can be killed and started again, anew or forked from one that is ready."""

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
CALM = {"OMP_NUM_THREADS": "1"}  # threads of libraries do not survive a fork
START_S = 90.0  # a start on a busy machine


class Nursery:
    """Starts programs: in a moment from one that has imported everything, or each anew as a user does."""

    def __init__(self, *, preloaded: bool) -> None:
        nursery = ["tests.entrypoints.program_nursery"]
        self._nursery = self._run(nursery, CALM, PIPE, PIPE) if preloaded else None
        self._running: list[Popen[bytes]] = []

    def start(self, arguments: list[str], environment: dict[str, str], log: Path) -> int:
        """Start `python -m arguments`, its output appended to `log`; return the process id."""
        if self._nursery is None or self._nursery.stdin is None or self._nursery.stdout is None:
            with log.open("ab") as output:
                self._running.append(self._run(arguments, environment, DEVNULL, output))
            return self._running[-1].pid
        order = {"arguments": arguments, "environment": environment, "log": str(log)}
        self._nursery.stdin.write(json.dumps(order).encode() + b"\n")
        self._nursery.stdin.flush()
        return int(self._nursery.stdout.readline())

    def kill(self, pid: int) -> bool:
        """Kill a process and wait for its end; False when it had ended by itself."""
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return self.wait(pid) != 0

    def wait(self, pid: int) -> int | None:
        """Wait for the end of a process; return its exit code where it is ours to know."""
        for process in self._running:
            if process.pid == pid:
                return process.wait(START_S)
        deadline = time.monotonic() + START_S
        while Path(f"/proc/{pid}").exists():
            assert time.monotonic() < deadline, pid
            time.sleep(0.005)
        return None

    def close(self) -> None:
        if self._nursery:
            self._nursery.kill()
            self._nursery.communicate()

    @staticmethod
    def _run(arguments: list[str], environment: dict[str, str], stdin: int, stdout: Any) -> Popen[bytes]:
        command = [sys.executable, "-m", *arguments]
        errors = stdout if stdin == DEVNULL else None
        return Popen(  # noqa: S603 - our own programs
            command, cwd=PROJECT, env={**os.environ, **environment}, stdin=stdin, stdout=stdout, stderr=errors
        )


class Program:
    """One process that can be killed and started again; its output goes to a file."""

    def __init__(
        self, nursery: Nursery, name: str, arguments: list[str], environment: dict[str, str], log: Path
    ) -> None:
        self.name, self.log, self.kills = name, log, 0
        self._nursery, self._arguments, self._environment = nursery, arguments, environment
        self._pid: int | None = None

    def start(self, *more: str) -> None:
        self._pid = self._nursery.start([*self._arguments, *more], self._environment, self.log)

    def kill(self) -> None:
        assert self._pid
        assert self._nursery.kill(self._pid), (self.name, self.log.read_text()[-3000:])
        self.kills += 1

    def wait(self) -> None:
        """Wait for its end, by itself."""
        assert self._pid
        self._nursery.wait(self._pid)

    def stop(self) -> None:
        if self._pid:
            self._nursery.kill(self._pid)
        self._pid = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
