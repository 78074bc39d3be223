"""The peers of the demonstration, each a process of its own: authority, operator's network, our server."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from shiming.vocabulary.errors import Text, Unavailable

if TYPE_CHECKING:
    from shiming.entrypoints.wiring import Platform

SPECIMENS = Path(__file__).resolve().parents[3] / "specimens"
POPULATION = SPECIMENS / "population" / "people.json"
START_S_MAX = 30.0
STOP_S_MAX = 10.0
NETWORK_S_MAX = 30.0  # the sandbox network takes half a second
TOKEN = "sandbox-token"  # noqa: S105 - of a pretended network on this machine
Started = Callable[["subprocess.Popen[bytes]"], None]


def _nobody_told(_process: "subprocess.Popen[bytes]") -> None:
    """Leave it to the block to end the process."""


@contextmanager
def sandbox_authority(
    folder: str, population: Path = POPULATION, *, started: Started = _nobody_told
) -> Iterator[str]:
    """Run the pretended authority of a population; yield its address once it listens."""
    port = free_port()
    command = ["sandbox", "authority", "--population", str(population)]
    with running("authority", folder, port, command, {}, started=started):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def sandbox_network(
    platform: "Platform", folder: str, operator: str, our_url: str, *, started: Started = _nobody_told
) -> Iterator[None]:
    """Run a pretended network that the registry knows and that calls back at our address."""
    port = free_port()
    secrets = _name_network(platform, folder, operator, f"http://127.0.0.1:{port}/tmf-api")
    command = ["sandbox", "bss", "--store", str(Path(folder) / "bss.db"), *secrets]
    command += ["--callback", f"{our_url}/v1/bss/{operator}/callbacks"]
    with running("bss", folder, port, command, {}, started=started):
        yield


def status_in_the_network(platform: "Platform", folder: str, operator: str, line_id: str) -> str:
    """Let a pretended network provision what is registered; return the status that the line reaches.

    The line's event becomes a TMF641 order, the network calls back, signed, and only then is the line active.
    """
    ours = free_port()
    url = f"http://127.0.0.1:{ours}"
    environment = {
        "SHIMING_DATA": str(platform.settings.data_folder),
        "SHIMING_DATABASE_URL": platform.settings.database_url,
        "SHIMING_SANDBOX": "1",
        "SHIMING_PUBLIC_URL": url,
    }
    with (
        sandbox_network(platform, folder, operator, url),
        running("server", folder, ours, ["up"], environment),
    ):
        return _wait_for_status(platform, line_id)


def _name_network(platform: "Platform", folder: str, operator: str, url: str) -> list[str]:
    """Tell the registry where the network is; return the options with both secrets for it."""
    from shiming.registrations.use_cases import bss_endpoints

    tools, now = platform.provisioning, platform.clock.now()
    with platform.begin() as connection:
        bss_endpoints.add_bss(tools, connection, operator=operator, url=url, token=TOKEN, now=now)
        secret = bss_endpoints.new_callback_secret(tools, connection, operator=operator, now=now)
    return [
        "--token-file",
        str(_secret_file(folder, "token", TOKEN)),
        "--callback-secret-file",
        str(_secret_file(folder, "callback", secret)),
    ]


def _secret_file(folder: str, name: str, secret: str) -> Path:
    file = Path(folder) / f"bss-{name}"
    file.touch(mode=0o600)
    file.write_text(secret, encoding="utf-8")
    return file


def _wait_for_status(platform: "Platform", line_id: str) -> str:
    from shiming.infrastructure.database import reading
    from shiming.registrations.model.lines import LineStatus
    from shiming.registrations.use_cases.lines import find_line

    deadline = time.monotonic() + NETWORK_S_MAX
    while True:
        with reading(platform.engine) as connection:
            line = find_line(connection, line_id)
        status = line.status if line else LineStatus.PENDING
        if status is not LineStatus.PENDING or time.monotonic() > deadline:
            return status.value
        time.sleep(0.1)


@contextmanager
def running(
    name: str,
    folder: str,
    port: int | None,
    command: list[str],
    environment: Mapping[str, str],
    *,
    started: Started = _nobody_told,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of our own commands, at a port if it has one, until the block ends; it has ended then.

    `started` is told of the process before it answers.
    """
    log = Path(folder) / f"{name}.log"
    whole = [sys.executable, "-m", "shiming", *command]
    if port is not None:
        whole += ["--port", str(port)]
    # a session of its own: Ctrl-C reaches only this process, which ends the others in order
    with (
        log.open("wb") as stream,
        subprocess.Popen(  # noqa: S603 - our own program
            whole, stdout=stream, stderr=stream, env={**os.environ, **environment}, start_new_session=True
        ) as process,
    ):
        try:
            started(process)
            if port is not None:
                _wait_for(port, process)
            yield process
        finally:
            _end(process)


def free_port() -> int:
    """Return a port that nobody listens at just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        process.kill()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S_MAX
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise Unavailable(
        "SANDBOX_NOT_STARTED",
        Text(zh="演示所需的进程未能启动。", en="A process of the demonstration did not start."),
    )
