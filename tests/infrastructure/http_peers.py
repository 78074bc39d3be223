"""A real server on loopback for tests, and a gatekeeper with a table of tokens."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import httpx
from fastapi import FastAPI, Request

from shiming.entrypoints.serve_commands import listen, server_of
from shiming.infrastructure.http.asking import Caller, Unauthenticated
from shiming.vocabulary.permissions import Permission

CLERK, OTHER, PROGRAM = "token-of-a-clerk", "token-of-another-operator", "token-of-a-program"


@dataclass
class TableGatekeeper:
    """Knows callers by their token; who works for an operator may only ask about that one."""

    callers: Mapping[str, Caller] = field(
        default_factory=lambda: {
            CLERK: Caller("ACC-clerk", "person-1", "staff", "cn-one"),
            OTHER: Caller("ACC-other", "person-2", "staff", "cn-two"),
            PROGRAM: Caller("CLI-program", "program", "client", "cn-one"),
        }
    )
    denied: frozenset[str] = frozenset()

    def caller(self, request: Request) -> Caller | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not scheme:
            return None
        if token not in self.callers:
            raise Unauthenticated("TOKEN_INVALID")
        return self.callers[token]

    def known_caller(self, request: Request) -> Caller | None:
        del request
        return None

    def allow(self, caller: Caller, question: Permission) -> bool:
        return question.code not in self.denied and getattr(question, "operator", None) == caller.operator


@contextlib.contextmanager
def serving(app: FastAPI, *, grace: int = 5) -> Iterator[str]:
    """Serve an application by uvicorn in a thread; give its address."""
    listening = listen("127.0.0.1", 0)
    started = threading.Event()
    server = server_of(app, grace=grace, announce=started.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        assert started.wait(20), "the server did not start"
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


def client(address: str, token: str | None = CLERK, **headers: str) -> httpx.Client:
    """Return a client that sends a token."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        named["authorization"] = f"Bearer {token}"
    return httpx.Client(base_url=address, headers=named, timeout=30, trust_env=False)
