"""Who speaks with the programs that are killed: clients that never give up, and a receiver of webhooks."""

import json
import queue
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from tests.entrypoints.session_keeper import OPERATOR

CREATED = 201
REQUEST_S = 20.0


@dataclass(frozen=True)
class Reply:
    """A final answer to one request, and what was asked."""

    key: str
    session: str
    number: str
    status: int
    body: dict[str, Any]

    @property
    def registered(self) -> bool:
        return self.status == CREATED

    @property
    def line(self) -> str:
        return str(self.body["id"])

    @property
    def reasons(self) -> set[str]:
        return {reason["code"] for reason in self.body["details"]["reasons"]}


@dataclass
class Told:
    """What the receiver of webhooks got: how often each event, and whether all were signed by us."""

    events: dict[str, int] = field(default_factory=dict)
    subjects: set[str] = field(default_factory=set)
    unsigned: int = 0


class Registering(threading.Thread):
    """A client: registers one session after the other, and never gives up on a request."""

    def __init__(
        self,
        ports: list[int],
        sessions: "queue.SimpleQueue[tuple[str, str]]",
        client: tuple[str, str],
        first: int,
    ) -> None:
        super().__init__(daemon=True)
        self._ports, self._sessions, self._client, self._next = ports, sessions, client, first
        self.repeats = 0
        self._token = ""
        self.replies: list[Reply] = []
        self.failure: BaseException | None = None
        self.enough = threading.Event()

    def run(self) -> None:
        try:
            with httpx.Client(timeout=REQUEST_S) as http:
                while not self.enough.is_set():
                    try:
                        session, number = self._sessions.get(timeout=0.2)
                    except queue.Empty:
                        continue
                    self.replies.append(self.register(http, session, number, uuid.uuid4().hex))
        except BaseException as failure:
            self.failure = failure
            raise

    def register(self, http: httpx.Client, session: str, number: str, key: str) -> Reply:
        """Send the request until it is answered, to whichever server is there."""
        body = {"session": session, "number": number, "operator": OPERATOR}
        self._next += 1  # another server first, each time
        for attempt in range(10_000):
            port = self._ports[(attempt + self._next) % len(self._ports)]
            base = f"http://127.0.0.1:{port}"
            try:
                if not self._token:
                    self._token = self._get_token(http, base)
                headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": key}
                answer = http.post(f"{base}/v1/registrations", json=body, headers=headers)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == 401:
                self._token = ""
            elif answer is not None and answer.status_code in {CREATED, 409}:
                return Reply(key, session, number, answer.status_code, answer.json())
            elif answer is not None and answer.status_code not in {429, 503}:
                raise AssertionError(answer.status_code, answer.text)
            self.repeats += 1
            time.sleep(0.05)
        raise TimeoutError(session)

    def _get_token(self, http: httpx.Client, base: str) -> str:
        form = {"grant_type": "client_credentials"}
        answer = http.post(f"{base}/oauth/token", data=form, auth=self._client)
        return str(answer.json()["access_token"]) if answer.status_code == 200 else ""


@contextmanager
def receiver(told: Told, verify: Any) -> Iterator[str]:
    """A receiver of webhooks that fails at every fifth call."""
    calls, lock = iter(range(1_000_000)), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            body = self.rfile.read(length)
            if len(body) < length:
                return  # its sender was killed in the middle of it: nothing was received
            with lock:
                if next(calls) % 5 == 4:
                    self.send_response(500)
                    self.end_headers()
                    return
                try:
                    verify(body, dict(self.headers))
                    event = json.loads(body)
                    told.events[event["id"]] = told.events.get(event["id"], 0) + 1
                    told.subjects.add(event["subject"])
                except Exception:  # noqa: BLE001 - whatever is wrong with it, it is not ours
                    told.unsigned += 1
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/events"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
