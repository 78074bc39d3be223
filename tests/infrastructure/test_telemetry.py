"""Traces name routes and nothing else; they are off unless an endpoint is named."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from shiming.entrypoints.http_api import create_app
from shiming.infrastructure.database import open_database
from shiming.infrastructure.telemetry import traces_from
from tests.infrastructure.http_peers import serving
from tests.infrastructure.toy_platform import ToyPlatform

PERSONAL = "11010519491231002X"


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A server that takes what an exporter sends."""
    received: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.path.encode() + self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", received
    server.shutdown()
    thread.join()
    server.server_close()


def test_traces_are_off_unless_an_endpoint_is_named() -> None:
    assert traces_from({}) is None


def test_a_span_names_the_route_not_the_path(
    collector: tuple[str, list[bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, received = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)  # the exporter reads it itself
    traces = traces_from({"OTEL_EXPORTER_OTLP_ENDPOINT": address}, version="1")
    assert traces is not None
    platform = ToyPlatform(tmp_path, open_database("sqlite://"))
    app = create_app(platform, routers=("tests.infrastructure.toy_api",), traces=traces)
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with serving(app) as served:
        httpx.get(f"{served}/v1/toys/broken/{PERSONAL}?q={PERSONAL}", headers={"traceparent": parent})
        httpx.get(f"{served}/v1/{PERSONAL}")
    traces.close()
    sent = b"".join(received)
    assert sent.startswith(b"/v1/traces")
    assert b"GET /v1/toys/broken/{how}" in sent
    assert b"GET (unmatched)" in sent
    assert bytes.fromhex("0af7651916cd43dd8448eb211c80319c") in sent
    assert PERSONAL.encode() not in sent
