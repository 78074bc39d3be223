"""A real receiver of webhooks on loopback, which keeps what it got and answers what it is told."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Receiver:
    """`statuses` are answered in turn, the last for ever; `got` are (path, headers, body)."""

    port: int = 0
    scheme: str = "http"
    statuses: list[int] = field(default_factory=lambda: [204])
    headers: dict[str, str] = field(default_factory=dict)
    trickle_s: float = 0.0
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hook?tenant=1"

    def ids(self) -> list[str]:
        with self.lock:
            return [headers["webhook-id"] for _, headers, _ in self.got]


@contextmanager
def a_receiver(*, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    receiver = Receiver(scheme="https" if tls else "http")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            body = self.rfile.read(length)
            if len(body) < length:
                return  # its sender was killed in the middle of it: nothing was received
            named = {name.lower(): value for name, value in self.headers.items()}
            with receiver.lock:
                receiver.got.append((self.path, named, body))
                status = receiver.statuses[0] if len(receiver.statuses) == 1 else receiver.statuses.pop(0)
            if receiver.trickle_s:
                self._trickle(status)
                return
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def _trickle(self, status: int) -> None:
            until = time.monotonic() + receiver.trickle_s
            try:
                self.wfile.write(f"HTTP/1.1 {status} Slow\r\n".encode())
                while time.monotonic() < until:
                    self.wfile.write(b"x-more: 1\r\n")
                    time.sleep(0.1)
            except OSError:
                return  # the other side had enough

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
