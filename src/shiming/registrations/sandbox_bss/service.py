"""The HTTP face of the pretended BSS: TMF641 v4, TMF638 v4, and a few routes for rehearsals.

`POST /sandbox/faults` with `{"faults": "slow=0.5", "seed": 1}` replaces the faults; `PUT` and `DELETE
/sandbox/services/{id}` plant a difference; `GET /health` says that nothing here is real.
"""

import asyncio
import contextlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shiming.registrations.connectors.tmf import ORDERS, SERVICES
from shiming.registrations.sandbox_bss.callbacks import CallbackTarget, call_back
from shiming.registrations.sandbox_bss.faults import Fault, Faults
from shiming.registrations.sandbox_bss.order_book import OrderBook, OrderInvalid
from shiming.vocabulary.errors import BadInput

BASE = "/tmf-api"
BODY_BYTES_MAX = 64_000
PAGE_MAX = 1000
STEPS_AT_ONCE = 50
_LOOK_S = 0.05


@dataclass(slots=True)
class SandboxBss:
    """The service: its book, who may speak to it, where callbacks go, how long a step takes."""

    book: OrderBook
    token: str = field(repr=False)
    target: CallbackTarget | None = None
    faults: Faults = field(default_factory=Faults)
    step_s: float = 0.1
    slow_s: float = 2.0
    asked: int = 0

    def application(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            lifespan=self._lifespan,
            routes=[
                Route(f"{BASE}{ORDERS}", self._guarded(self._orders), methods=["GET", "POST"]),
                Route(f"{BASE}{ORDERS}/{{id}}", self._guarded(self._order), methods=["GET"]),
                Route(f"{BASE}{SERVICES}", self._guarded(self._services), methods=["GET"]),
                Route(f"{BASE}{SERVICES}/{{id}}", self._guarded(self._service), methods=["GET"]),
                Route("/sandbox/services/{id}", self._guarded(self._plant), methods=["PUT", "DELETE"]),
                Route("/sandbox/faults", self._guarded(self._faults), methods=["POST"]),
                Route("/health", _health, methods=["GET"]),
            ],
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        working = asyncio.create_task(self._work())
        try:
            yield
        finally:
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working

    async def _work(self) -> None:
        """Take orders on, step by step, and call back."""
        calls: set[asyncio.Task[None]] = set()
        while True:
            for order in self.book.due(time.time(), limit=STEPS_AT_ONCE):
                fails = self.faults.strikes(Fault.FAIL, order["externalId"])
                step = self.book.step(order["id"], due_s=time.time() + self.step_s, fails=fails)
                if step is not None and step.is_final and self.target is not None:
                    call = asyncio.create_task(call_back(self.target, self.faults, step.order))
                    calls.add(call)
                    call.add_done_callback(calls.discard)
            await asyncio.sleep(_LOOK_S)

    def _guarded(self, handler: Any) -> Any:
        async def guarded(request: Request) -> Response:
            given = request.headers.get("authorization", "")
            if not hmac.compare_digest(given.encode(), f"Bearer {self.token}".encode()):
                return _error(401, "UNAUTHORIZED")
            self.asked += 1
            key = str(self.asked)
            rehearsal = request.url.path.startswith("/sandbox/")
            if not rehearsal and self.faults.strikes(Fault.SLOW, key):
                await asyncio.sleep(self.slow_s)
            if rehearsal or not self.faults.strikes(Fault.SERVER_ERROR, key):
                answer: Response = await handler(request)
                return answer
            if self.faults.chance(Fault.SERVER_ERROR, f"{key}:after") < 0.5:  # noqa: PLR2004 - as often as not
                await handler(request)  # done, and the answer is lost
            return _error(500, "INTERNAL")

        return guarded

    async def _orders(self, request: Request) -> Response:
        if request.method == "GET":
            found = self.book.find_external(request.query_params.get("externalId", ""))
            return JSONResponse([found] if found else [])
        content = await request.body()
        try:
            if len(content) > BODY_BYTES_MAX:
                return _error(413, "TOO_LARGE")
            body = json.loads(content)
            if self.faults.strikes(Fault.REFUSE, str(body["externalId"])):
                return _error(400, "SERVICE_NOT_POSSIBLE")
            order, _ = self.book.place(body, due_s=time.time() + self.step_s)
        except (OrderInvalid, ValueError, KeyError, TypeError):
            return _error(400, "ORDER_INVALID")
        return JSONResponse(order, 201)

    async def _order(self, request: Request) -> Response:
        found = self.book.find(request.path_params["id"])
        return JSONResponse(found) if found else _error(404, "ORDER_UNKNOWN")

    async def _services(self, request: Request) -> Response:
        try:
            offset = max(int(request.query_params.get("offset", "0")), 0)
            limit = min(max(int(request.query_params.get("limit", "100")), 1), PAGE_MAX)
        except ValueError:
            return _error(400, "PAGE_INVALID")
        found, total = self.book.services(offset=offset, limit=limit)
        headers = {"x-total-count": str(total), "x-result-count": str(len(found))}
        return JSONResponse(found, 206 if offset + len(found) < total else 200, headers=headers)

    async def _service(self, request: Request) -> Response:
        found = self.book.service(request.path_params["id"])
        return JSONResponse(found) if found else _error(404, "SERVICE_UNKNOWN")

    async def _plant(self, request: Request) -> Response:
        service_id = request.path_params["id"]
        if request.method == "DELETE":
            self.book.remove_service(service_id)
        else:
            self.book.put_service({**json.loads(await request.body()), "id": service_id})
        return Response(status_code=204)

    async def _faults(self, request: Request) -> Response:
        try:
            wanted = json.loads(await request.body())
            self.faults = Faults.parse(str(wanted["faults"]), seed=int(wanted.get("seed", 0)))
        except (BadInput, ValueError, KeyError, TypeError):
            return _error(400, "FAULTS_INVALID")
        return JSONResponse({"faults": {str(name): rate for name, rate in self.faults.rates.items()}})


async def _health(_request: Request) -> Response:
    return JSONResponse({"sandbox": True, "warning": "a pretended BSS: no network does what it says"})


def _error(status: int, code: str) -> Response:
    return JSONResponse({"@type": "Error", "code": code, "reason": code.lower()}, status)
