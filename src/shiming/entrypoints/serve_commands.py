"""`shiming serve` runs the HTTP API; `shiming up` runs it together with a worker, on one machine."""

import logging
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shiming.vocabulary.errors import BadInput, Text, Unavailable

if TYPE_CHECKING:
    from fastapi import FastAPI

GRACEFUL_SECONDS = 60  # a 64 MB clip on a slow line, and its measuring, may end before we do
KEEP_ALIVE_SECONDS = 15
WORKER_GRACEFUL_SECONDS = 30  # a job ends or gives its lease back
WORKER_PAUSE_S, WORKER_PAUSE_S_MAX = 1.0, 30.0  # between restarts of a worker that ended by itself
#: Measuring calls many short models, and asks for the interpreter after each; beside another thread that
#: works it waited Python's own 5 ms every time
#: (measured: 0.03 s less from a clip's last byte to its decision).
SWITCH_INTERVAL_S = 0.0005
BACKLOG = 256
#: Whatever is wrong with one of these stops the start; and threads find them built.
_BUILT_AT_START = (
    "keys", "engine", "privacy", "signer", "accounts", "gatekeeper", "recognition", "registrations",
)  # fmt: skip

app = typer.Typer(help="Run the HTTP API.")

Host = Annotated[str, typer.Option("--host", help="Address to listen at; 0.0.0.0 for all.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 lets the system choose.")]
Certificate = Annotated[Path | None, typer.Option("--tls-cert", help="Certificate chain (PEM).")]
PrivateKey = Annotated[Path | None, typer.Option("--tls-key", help="Private key of the certificate (PEM).")]
Proxies = Annotated[
    str | None,
    typer.Option("--trust-proxy", help="Addresses whose X-Forwarded-For and -Proto are believed."),
]
Grace = Annotated[int, typer.Option("--grace", min=1, help="Seconds to finish requests when stopping.")]
Authority = Annotated[
    str, typer.Option("--authority", help="Address of an authority that speaks OSIA, or `none`.")
]
AuthorityCa = Annotated[Path | None, typer.Option(help="CA of the authority's certificate (PEM).")]
ClientCertificate = Annotated[Path | None, typer.Option(help="Our certificate and key for it (PEM).")]
TokenFile = Annotated[Path | None, typer.Option(help="File with the bearer token for the authority.")]


@app.command()
def serve(
    context: typer.Context,
    *,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    tls_cert: Certificate = None,
    tls_key: PrivateKey = None,
    trust_proxy: Proxies = None,
    grace: Grace = GRACEFUL_SECONDS,
    authority: Authority = "none",
    authority_ca: AuthorityCa = None,
    client_cert: ClientCertificate = None,
    token_file: TokenFile = None,
) -> None:
    """Run the HTTP API in this process until it is told to stop.

    SIGTERM or Ctrl-C: no new connections; running requests and uploads have --grace seconds to end. Start
    more processes behind a balancer for more than one core. Jobs run in `shiming worker`.

    Example: shiming serve --host 0.0.0.0 --port 8443 --tls-cert chain.pem --tls-key key.pem
    """
    listening = listen(host, port)
    api = _application(context, (authority, authority_ca, client_cert, token_file))
    tls = tls_options(tls_cert, tls_key)
    _run(api, listening, tls=tls, trust_proxy=trust_proxy, grace=grace)


@app.command()
def up(
    context: typer.Context,
    *,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    tls_cert: Certificate = None,
    tls_key: PrivateKey = None,
    trust_proxy: Proxies = None,
    grace: Grace = GRACEFUL_SECONDS,
    authority: Authority = "none",
    authority_ca: AuthorityCa = None,
    client_cert: ClientCertificate = None,
    token_file: TokenFile = None,
) -> None:
    """Run the HTTP API and a worker together; both stop on SIGTERM or Ctrl-C.

    Example: shiming up --port 8000
    """
    listening = listen(host, port)
    api = _application(context, (authority, authority_ca, client_cert, token_file))
    tls = tls_options(tls_cert, tls_key)
    worker = WorkerProcess([sys.executable, "-m", "shiming", "worker"])
    worker.start()
    try:
        _run(api, listening, tls=tls, trust_proxy=trust_proxy, grace=grace)
    finally:
        worker.stop()


class WorkerProcess:
    """A worker in a process of its own, started again when it ends by itself."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._watch = threading.Thread(target=self._keep_running, name="worker-watch", daemon=True)

    def start(self) -> None:
        """Start it."""
        self._watch.start()

    def stop(self) -> None:
        """Ask it to stop; end it when it does not."""
        self._stopping.set()
        with self._lock:
            process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(WORKER_GRACEFUL_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        self._watch.join(WORKER_GRACEFUL_SECONDS)

    def _keep_running(self) -> None:
        pause = WORKER_PAUSE_S
        while not self._stopping.is_set():
            with self._lock:
                if self._stopping.is_set():
                    return
                # its own session: Ctrl-C reaches only this process, which stops the worker in order
                self._process = subprocess.Popen(self._command, start_new_session=True)  # noqa: S603 - ourselves
            self._process.wait()
            self._stopping.wait(pause)
            pause = min(2 * pause, WORKER_PAUSE_S_MAX)


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket; raise Unavailable where it cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # named TCP: asyncio switches Nagle's delay off (40 ms an answer) only for sockets that say so
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as problem:
        listening.close()
        raise Unavailable(
            "ADDRESS_UNUSABLE",
            Text(zh="无法在该地址监听。", en="The server cannot listen at this address."),
            Text(zh="请选择其他端口或地址。", en="Choose another port or address."),
            {"address": f"{host}:{port}", "reason": os.strerror(problem.errno or 0)},
        ) from problem
    listening.listen(BACKLOG)
    return listening


def server_of(
    api: "FastAPI",
    *,
    tls: dict[str, Any] | None = None,
    trust_proxy: str | None = None,
    grace: int = GRACEFUL_SECONDS,
    announce: Callable[[], None] = lambda: None,
) -> Any:
    """Return the uvicorn server of an application; `run(sockets=[...])` runs it."""
    import uvicorn

    class Announced(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                announce()

    return Announced(
        uvicorn.Config(
            api,
            log_config=None,  # request lines are ours: without paths and queries
            access_log=False,
            server_header=False,
            proxy_headers=trust_proxy is not None,
            forwarded_allow_ips=trust_proxy or "",
            timeout_graceful_shutdown=grace,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            lifespan="on",
            ws="none",
            **(tls or {}),
        )
    )


def _run(
    api: "FastAPI",
    listening: socket.socket,
    *,
    tls: dict[str, Any],
    trust_proxy: str | None,
    grace: int,
) -> None:
    from shiming.infrastructure.logging import configure_logging

    handler = configure_logging(level="INFO")
    of_server = logging.getLogger("uvicorn")
    of_server.addHandler(handler)
    of_server.setLevel(logging.WARNING)
    of_server.propagate = False
    host, port, *_ = listening.getsockname()
    shown = f"[{host}]" if ":" in host else host
    address = f"{'https' if tls else 'http'}://{shown}:{port}"
    server = server_of(
        api,
        tls=tls,
        trust_proxy=trust_proxy,
        grace=grace,
        announce=lambda: typer.echo(f"Listening at {address}   API: {address}/openapi.json"),
    )
    for wanted in (signal.SIGTERM, signal.SIGINT):  # the server repeats the signal when it has stopped
        signal.signal(wanted, lambda *_: None)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    server.run(sockets=[listening])
    if not server.started:
        raise Unavailable(
            "SERVER_NOT_STARTED",
            Text(zh="服务器启动失败。", en="The server did not start."),
            Text(zh="请查看日志。", en="See the log."),
        )


def _application(
    context: typer.Context, authority: tuple[str, Path | None, Path | None, Path | None]
) -> "FastAPI":
    """Build everything now: a missing key file or database stops the start, not the first request."""
    from importlib.metadata import version

    from shiming.entrypoints.http_api import create_app
    from shiming.identity_proofing.commands import connector
    from shiming.infrastructure.telemetry import traces_from

    platform = context.obj()
    for part in _BUILT_AT_START:
        getattr(platform, part)
    platform.require_keys()
    address, ca, certificate, token_file = authority
    policy = platform.policy(platform.default_pack, platform.today())
    port = connector(address, policy, ca=ca, certificate=certificate, token_file=token_file)
    traces = traces_from(os.environ, version=version("shiming"))
    return create_app(platform, authority=port, traces=traces)


def tls_options(certificate: Path | None, key: Path | None) -> dict[str, Any]:
    """Return the server's options; raise BadInput for a certificate and a key that do not go together."""
    if certificate is None and key is None:
        return {}
    if certificate is None or key is None:
        raise BadInput(
            "TLS_OPTIONS",
            Text(zh="证书和私钥须一并给出。", en="A certificate and its key come together."),
            Text(zh="请同时使用 --tls-cert 和 --tls-key。", en="Give both --tls-cert and --tls-key."),
        )
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as problem:
        raise BadInput(
            "TLS_CERTIFICATE",
            Text(zh="无法使用该证书或私钥。", en="The certificate or its key cannot be used."),
            Text(zh="请检查 PEM 文件。", en="Check the PEM files."),
        ) from problem
    return {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}
