"""Run the sandbox authority as a process of its own on the loopback interface."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from shiming.identity_proofing.sandbox_authority.service import SandboxAuthority
from shiming.vocabulary.errors import Text, Unavailable

HOST = "127.0.0.1"  # a pretended authority is nobody else's business
START_S_MAX = 10.0


def serve(authority: SandboxAuthority, *, port: int) -> None:
    """Serve until interrupted; port 0 takes a free one, which uvicorn prints."""
    uvicorn.run(authority.application(), host=HOST, port=port, log_level="info", access_log=False)


@contextmanager
def serving(authority: SandboxAuthority) -> Iterator[str]:
    """Serve on a free port from a thread of this process; yield the base URL. For demos and tests."""
    config = uvicorn.Config(
        authority.application(), host=HOST, port=0, log_level="error", access_log=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="sandbox-authority", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{_port(server, thread)}"
    finally:
        server.should_exit = True
        thread.join(START_S_MAX)


def _port(server: uvicorn.Server, thread: threading.Thread) -> int:
    deadline = time.monotonic() + START_S_MAX
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            raise Unavailable(
                "SANDBOX_NOT_STARTED",
                Text(zh="模拟权威机构未能启动。", en="The sandbox authority did not start."),
            )
        time.sleep(0.01)
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return port
