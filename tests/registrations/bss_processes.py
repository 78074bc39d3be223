"""The sandbox BSS in a process of its own, and what a test needs to speak to it."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx

from shiming.entrypoints.http_api import create_app
from shiming.infrastructure.clock import SystemClock
from shiming.infrastructure.http.asking import Caller
from shiming.infrastructure.http.rate_limits import RateLimits
from shiming.infrastructure.webhooks.destinations import Destinations
from shiming.registrations.connectors.bss import TmfBss
from shiming.registrations.ports.bss import BssEndpoint
from shiming.registrations.use_cases.provisioning_tools import ProvisioningTools
from shiming.vocabulary.permissions import Permission
from tests.infrastructure.http_peers import CLERK, OTHER, TableGatekeeper, serving
from tests.registrations.builders import Desk

ROOT = Path(__file__).parents[2]
START_S_MAX = 30.0
TOKEN = "token-of-the-bss"
HERE = Destinations(loopback=True)
EVERYWHERE = "token-of-the-platform"
_RUNNING_ON = re.compile(r"http://127\.0\.0\.1:(\d+)")
ROUTERS = (
    "shiming.registrations.api.provisioning",
    "shiming.registrations.api.bss_callbacks",
    "shiming.registrations.api.reconciling",
)


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox BSS."""

    address: str
    said: list[str] = field(default_factory=list)

    @property
    def endpoint(self) -> BssEndpoint:
        return BssEndpoint("cn-mobile", f"{self.address}/tmf-api", TOKEN)

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {TOKEN}"}
        return httpx.request(method, self.address + path, json=body, headers=headers, trust_env=False)

    def services(self) -> list[dict[str, Any]]:
        answer = self.ask("GET", "/tmf-api/serviceInventory/v4/service?limit=1000")
        found: list[dict[str, Any]] = answer.json()
        return found

    def set_faults(self, faults: str) -> None:
        assert self.ask("POST", "/sandbox/faults", {"faults": faults}).status_code == 200


@contextmanager
def a_sandbox(
    folder: Path, *options: str, callback: str | None = None, secret: str | None = None
) -> Iterator[Sandbox]:
    """Start `shiming sandbox bss` and stop it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "token").write_text(TOKEN)
    command = [sys.executable, "-m", "shiming", "sandbox", "bss", "--port", "0"]
    command += ["--store", str(folder / "bss.db"), "--token-file", str(folder / "token"), *options]
    if callback and secret:
        (folder / "secret").write_text(secret)
        command += ["--callback", callback, "--callback-secret-file", str(folder / "secret")]
    process = subprocess.Popen(  # noqa: S603 - our own program
        command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ, "SHIMING_LANGUAGE": "en"}
    )
    sandbox = Sandbox(*_said(process))
    try:
        yield sandbox
    finally:
        process.terminate()
        process.wait(20)
        assert process.stderr is not None
        process.stderr.close()


def _said(process: subprocess.Popen[str]) -> tuple[str, list[str]]:
    """Read what it says until it says where it listens; a thread reads on, so that no pipe fills."""
    assert process.stderr is not None
    lines: list[str] = []
    found = threading.Event()
    address: list[str] = []

    def read(stream: Any) -> None:
        for line in stream:
            lines.append(line)
            if match := _RUNNING_ON.search(line):
                address.append(match.group(0))
                found.set()

    threading.Thread(target=read, args=(process.stderr,), daemon=True).start()
    assert found.wait(START_S_MAX), "".join(lines)
    return address[0], lines


class Gatekeeper(TableGatekeeper):
    """Who belongs to no operator may ask about all of them."""

    def allow(self, caller: Caller, question: Permission) -> bool:
        return caller.operator is None or super().allow(caller, question)


def a_gatekeeper() -> Gatekeeper:
    return Gatekeeper(
        {
            CLERK: Caller("ACC-clerk", "person-1", "staff", "cn-mobile"),
            OTHER: Caller("ACC-other", "person-2", "staff", "cn-two"),
            EVERYWHERE: Caller("ACC-all", "person-3", "staff", None),
        }
    )


@contextmanager
def an_api(desk: Desk, tools: ProvisioningTools, clock: Any = None) -> Iterator[str]:
    """Serve the routes of provisioning; give the address."""
    platform = SimpleNamespace(
        engine=desk.engine,
        clock=clock or SystemClock(),
        keys=desk.vault.keys,
        provisioning=tools,
        destinations=HERE,
        gatekeeper=a_gatekeeper(),
        data_folder=desk.vault.settings.data_folder,
    )
    with serving(create_app(platform, routers=ROUTERS, limits=RateLimits(None, None))) as address:
        yield address


def a_connector(**options: Any) -> TmfBss:
    return TmfBss(HERE, **options)


def until(condition: Any, what: str, patience_s: float = 60.0) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
