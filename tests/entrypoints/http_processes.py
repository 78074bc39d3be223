"""`shiming serve` and `shiming up` as processes of their own, over a fresh data folder."""

import contextlib
import os
import re
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from shiming.accounts.use_cases.accounts import Actor
from shiming.accounts.use_cases.clients import NewClient, create_client, new_client_secret
from shiming.entrypoints.wiring import Platform
from shiming.infrastructure.settings import Settings

_ADDRESS = re.compile(r"Listening at (\S+)")
SCOPES = frozenset({"sessions.create", "sessions.read", "sessions.decide", "receipts.read"})


@dataclass
class ServerProcess:
    """A running server; `errors` is what it wrote to standard error once it has ended."""

    process: subprocess.Popen[str]
    address: str
    errors: str = ""

    def stop(self) -> int:
        """Ask it to stop and wait until it has."""
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=30)
        self.errors += errors
        return self.process.returncode


def environment(folder: Path) -> dict[str, str]:
    """Return the variables of an installation in this folder."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("SHIMING_")}
    return {**plain, "SHIMING_DATA": str(folder), "SHIMING_SANDBOX": "1", "OMP_NUM_THREADS": "1"}


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "-m", "shiming", *arguments]
    return subprocess.run(  # noqa: S603 - ourselves
        command, env=environment(folder), capture_output=True, text=True, timeout=60, check=False
    )


@contextlib.contextmanager
def a_server(folder: Path, *arguments: str, file_bytes_max: int | None = None) -> Iterator[ServerProcess]:
    """Start a server; end it, whatever happened."""

    def limit() -> None:
        if file_bytes_max is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes_max, file_bytes_max))

    command = [sys.executable, "-m", "shiming", *arguments, "--port", "0"]
    process = subprocess.Popen(  # noqa: S603 - ourselves
        command,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=limit,  # noqa: PLW1509 - sets a limit and nothing else
    )
    too_late = threading.Timer(60, process.kill)
    too_late.start()
    try:
        assert process.stdout is not None
        found = _ADDRESS.search(process.stdout.readline())
        assert found, process.communicate()[1]
        yield ServerProcess(process, found[1])
    finally:
        too_late.cancel()
        if process.poll() is None:
            process.kill()
        process.communicate()


def a_client_of(folder: Path, operator: str = "cn-one") -> tuple[str, str]:
    """Make a machine client in an installation; return its id and secret."""
    platform = Platform(Settings.from_environment(environment(folder)))
    made = a_client_of_platform(platform, SCOPES, operator)
    platform.engine.dispose()
    return made


def a_client_of_platform(platform: Platform, scopes: frozenset[str], operator: str) -> tuple[str, str]:
    """Make a machine client; return its id and secret."""
    with platform.begin() as connection:
        wanted = NewClient("till", scopes, operator)
        made = create_client(platform.accounts, connection, wanted, by=Actor())
        return made.reference, new_client_secret(platform.accounts, connection, made, by=Actor())


def token_of(address: str, credentials: tuple[str, str]) -> str:
    """Get an access token as a program does."""
    answer = httpx.post(
        f"{address}/oauth/token", data={"grant_type": "client_credentials"}, auth=credentials, trust_env=False
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])
