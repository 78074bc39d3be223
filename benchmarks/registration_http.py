"""POST /v1/registrations over real HTTP against the same registrations called in process.

The server is the application of `shiming serve` on uvicorn, in a process of its own, with its middleware and
the contract's gate (the caller is known by a token that was verified a moment before, as for a client that
sends many). The load generator is a bare asyncio HTTP/1.1 client with eight connections that stay open, on
the same cores. In process is `PostgresRegistrar.register` with eight clients, on the same database: facts,
rules, transaction. Rounds are interleaved; the median of
their ratios counts.
"""

import asyncio
import json
import multiprocessing
import os
import signal
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import Request

from benchmarks.registration import CLIENTS, registering
from benchmarks.registration_desk import OPERATORS, a_busy_desk, number_of, the_pack
from benchmarks.report import report
from shiming.entrypoints.http_api import create_app
from shiming.entrypoints.serve_commands import listen, server_of
from shiming.infrastructure.clock import Clock, SystemClock
from shiming.infrastructure.http.asking import Caller
from shiming.infrastructure.http.rate_limits import RateLimits
from shiming.registrations.use_cases.hot_path import Registrar, open_registrar
from shiming.vocabulary.permissions import Permission
from tests.registrations.builders import Desk, a_desk

GOAL = 0.3
ROUNDS = 3
CALLS = 300  # of each client in a round
TOKEN = "token-of-the-benchmark"  # noqa: S105 - opens nothing
_STARTED_S_MAX = 60


class OneCaller:
    """A gatekeeper that has just seen this token."""

    _caller = Caller("CLI-benchmark", "program", "client")

    def known_caller(self, request: Request) -> Caller | None:
        """Return the caller without asking the database."""
        return self._caller if request.headers.get("authorization") == f"Bearer {TOKEN}" else None

    def caller(self, request: Request) -> Caller | None:
        """Return the caller."""
        return self.known_caller(request)

    def allow(self, caller: Caller, question: Permission) -> bool:
        """Say yes."""
        del caller, question
        return True


@dataclass
class BenchmarkPlatform:
    """What the application and the registration routes need."""

    desk: Desk
    registrar: Registrar
    gatekeeper: OneCaller = field(default_factory=OneCaller)
    clock: Clock = field(default_factory=SystemClock)

    def __getattr__(self, name: str) -> Any:
        """Return the parts of the desk under the names of the platform."""
        parts = {
            "engine": self.desk.engine,
            "registrations": self.desk.tools,
            "registration_policy": self.desk.policy,
            "data_folder": self.desk.vault.settings.data_folder,
        }
        if name not in parts:
            raise AttributeError(name)
        return parts[name]


def main() -> None:
    """Measure and report."""
    each = CLIENTS * CALLS
    rates: dict[str, list[float]] = {"http": [], "in_process": []}
    with a_busy_desk("postgresql", 2 * (ROUNDS + 1) * each) as (desk, url):
        folder = str(desk.vault.settings.data_folder.parent)
        listening = listen("127.0.0.1", 0)
        port = listening.getsockname()[1]
        server = multiprocessing.get_context("fork").Process(target=serve, args=(listening, folder, url))
        server.start()
        listening.close()
        try:
            wait_for(port)
            sessions = iter(range(1, 2 * (ROUNDS + 1) * each + 1))
            asyncio.run(over_http(port, sessions, each // 4))  # connections, prepared statements, caches
            for _ in range(ROUNDS):
                rates["http"].append(asyncio.run(over_http(port, sessions, each)))
                rates["in_process"].append(asyncio.run(registering(desk, sessions, each)))
        finally:
            os.kill(server.pid or 0, signal.SIGTERM)
            server.join(30)
    ratios = [http / alone for http, alone in zip(rates["http"], rates["in_process"], strict=True)]
    report(
        "registration_http",
        statistics.median(ratios),
        GOAL,
        "at_least",
        per_second={name: [round(rate) for rate in found] for name, found in rates.items()},
    )


def serve(listening: Any, folder: str, url: str) -> None:
    """Serve registrations until told to stop."""
    desk = a_desk(Path(folder), the_pack(), url)
    platform = BenchmarkPlatform(desk, open_registrar(desk.tools, desk.engine))
    app = create_app(
        platform,
        routers=("shiming.registrations.api.registrations",),
        limits=RateLimits(per_address=None, per_caller_and_route=None),
    )
    server_of(app, grace=5, announce=lambda: None).run(sockets=[listening])


def wait_for(port: int) -> None:
    """Return when the server answers."""

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        await reader.read()
        writer.close()

    asyncio.run(asyncio.wait_for(ask(), _STARTED_S_MAX))


async def over_http(port: int, sessions: Iterator[int], many: int) -> float:
    """Send registrations over connections that stay open; return how many a second were answered."""
    todo = iter([next(sessions) for _ in range(many)])

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for index in todo:
            writer.write(request_of(index))
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 201"):
                raise RuntimeError(head.decode())
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return many / (time.perf_counter() - began)


def request_of(index: int) -> bytes:
    """Return the bytes of one request."""
    body = json.dumps(
        {
            "operator": f"op-{index % OPERATORS}",
            "number": number_of(index).reveal("benchmark"),
            "session": f"SES-{index}",
        }
    ).encode()
    head = (
        "POST /v1/registrations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {TOKEN}\r\nidempotency-key: key-{index}\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


if __name__ == "__main__":
    main()
