"""The edge of the server: request ids, one log line and one set of figures a request, and the last net.

A line says method, route template, status, time and the caller's reference. It never holds a path, a query,
a body or the message of an exception: those may be about a person.
"""

import logging
import re
import time
import traceback
import uuid
from dataclasses import dataclass, field

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shiming.infrastructure.http.asking import unasked
from shiming.infrastructure.http.body_limits import BoundedBody, bound, nul_character
from shiming.infrastructure.http.metrics import UNMATCHED, HttpFigures
from shiming.infrastructure.http.problems import problem
from shiming.infrastructure.http.rate_limits import TokenBuckets
from shiming.vocabulary.errors import BadInput, ShimingError, Text, Unavailable

_log = logging.getLogger("shiming.http")
REQUEST_ID = "x-request-id"
_REQUEST_ID_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})  # others: one label
_FRAMES_MAX = 12
_SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_HSTS = "max-age=31536000"
_SERVER_FAULTS_FROM, _UNAVAILABLE = 500, 503
_ERRORS_FROM = 400


@dataclass(frozen=True, slots=True)
class RequestEdge:
    """The outermost layer of the application."""

    app: ASGIApp
    figures: HttpFigures
    address_buckets: TokenBuckets | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens inside."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(Request(scope), send)
        body = bound(scope, receive)
        self.figures.in_flight.inc()
        try:
            await self._answer(scope, body, exchange)
        finally:
            self.figures.in_flight.dec()
            self._record(exchange, body)

    async def _answer(self, scope: Scope, body: BoundedBody, exchange: "_Exchange") -> None:
        try:
            self._admit(scope)
            await self.app(scope, body, exchange.send)
        except ShimingError as error:
            await exchange.fail(error)
        except Exception as error:  # noqa: BLE001 - the last net: a fault becomes a problem, its frames a log line
            exchange.fault = error
            await exchange.fail(_fault())
        if exchange.withheld:
            await exchange.fail(_question_not_asked(), once_more=True)

    def _admit(self, scope: Scope) -> None:
        if self.address_buckets is not None:
            client = scope.get("client")
            self.address_buckets.take(client[0] if client else "")
        if "\x00" in scope["path"] or b"%00" in scope.get("query_string", b""):
            raise nul_character()

    def _record(self, exchange: "_Exchange", body: BoundedBody) -> None:
        scope, seconds = exchange.request.scope, time.perf_counter() - exchange.began
        route = getattr(scope.get("route"), "path", UNMATCHED)
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self.figures.requests.labels(method, route, str(exchange.status)).inc()
        self.figures.seconds.labels(method, route).observe(seconds)
        self.figures.received.labels(route).inc(body.taken)
        line: dict[str, object] = {
            "request_id": exchange.request_id,
            "method": method,
            "route": route,
            "status": exchange.status,
            "ms": round(1000 * seconds, 1),
            "bytes": body.taken,
            "caller": getattr(exchange.request.state, "caller", None),
        }
        if exchange.code:
            line["code"] = exchange.code
        if exchange.fault is not None:
            line["fault"] = frames_of(exchange.fault)
        _log.log(_level(exchange.status), "request", extra={"fields": line})


@dataclass(slots=True)
class _Exchange:
    """One request and what has been answered so far."""

    request: Request
    _send: Send
    began: float = field(default_factory=time.perf_counter)
    request_id: str = ""
    status: int = 0
    code: str = ""
    fault: Exception | None = None
    withheld: bool = False
    _started: bool = False

    def __post_init__(self) -> None:
        given = self.request.headers.get(REQUEST_ID, "")
        self.request_id = given if _REQUEST_ID_FORM.fullmatch(given) else uuid.uuid4().hex
        self.request.state.request_id = self.request_id

    async def send(self, message: Message) -> None:
        """Pass a message of the answer on, with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.withheld = message["status"] < _ERRORS_FROM and unasked(self.request)
            if self.withheld:
                return
            self._started, self.status = True, message["status"]
            self.code = getattr(self.request.state, "problem_code", "")
            _add_headers(MutableHeaders(raw=message["headers"]), self.request, self.request_id)
        if not self.withheld:
            await self._send(message)

    async def fail(self, error: ShimingError, *, once_more: bool = False) -> None:
        """Answer with a problem, unless an answer is on its way already."""
        if self._started:
            return
        if once_more:
            self.withheld = False
            self.request.state.asking = None
        await problem(self.request, error)(self.request.scope, self.request.receive, self.send)


def _level(status: int) -> int:
    if status == _UNAVAILABLE:
        return logging.WARNING
    return logging.ERROR if status >= _SERVER_FAULTS_FROM else logging.INFO


def frames_of(error: BaseException) -> dict[str, object]:
    """Return what kind of fault it was and where, without its message.

    >>> try:
    ...     int("11010519491231002X")
    ... except ValueError as problem:
    ...     frames_of(problem)["type"]
    'ValueError'
    """
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_MAX:]
    return {
        "type": type(error).__name__,
        "frames": [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _add_headers(headers: MutableHeaders, request: Request, request_id: str) -> None:
    headers[REQUEST_ID] = request_id
    headers.add_vary_header("Accept-Language")
    for name, value in _SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    if request.scope.get("scheme") == "https":
        headers.setdefault("strict-transport-security", _HSTS)


def _fault() -> Unavailable:
    return Unavailable(
        "INTERNAL_FAULT",
        Text(zh="服务器内部故障。", en="Something went wrong in the server."),
        Text(
            zh="请稍后重试；如仍失败，请把 request_id 告诉管理员。",
            en="Try again; if it fails again, tell an administrator the request_id.",
        ),
    )


def _question_not_asked() -> BadInput:
    return BadInput(
        "QUESTION_NOT_ASKED",
        Text(
            zh="服务器拒绝了未经授权检查的回答。", en="The server withheld an answer nobody was asked about."
        ),
        Text(zh="请把 request_id 告诉管理员。", en="Tell an administrator the request_id."),
    )
