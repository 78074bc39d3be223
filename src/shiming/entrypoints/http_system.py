"""Routes about the server itself: alive, ready, figures."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from shiming.infrastructure.http.asking import open_to_all
from shiming.infrastructure.http.metrics import CONTENT_TYPE, HttpFigures
from shiming.vocabulary.errors import ShimingError, Text, Unavailable

CHECKS_KEPT_S = 5.0  # probes of several balancers share one look
HEARTBEAT_AGE_MAX = timedelta(seconds=60)  # a worker beats every few seconds
_READY, _NOT_READY = 200, 503

Check = Callable[[], None]  # raises when what it looks at cannot be used


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Part(BaseModel):
    """One thing that the server needs. `code` says what is wrong with it."""

    status: Literal["ok", "failing"]
    code: str | None = None
    required: bool = True


class Readiness(BaseModel):
    """Whether requests should be sent here: all required parts are well."""

    status: Literal["ready", "not_ready"]
    parts: dict[str, Part]


@dataclass(slots=True)
class ReadinessChecks:
    """The checks of a platform, looked at not more often than every few seconds."""

    required: dict[str, Check]
    watched: dict[str, Check]  # shown, and no reason to send requests elsewhere
    _seen: tuple[float, Readiness] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self) -> Readiness:
        """Return how each part is."""
        with self._lock:
            if self._seen is None or time.monotonic() - self._seen[0] > CHECKS_KEPT_S:
                self._seen = time.monotonic(), self._looked()
            return self._seen[1]

    def _looked(self) -> Readiness:
        parts = {name: _part(check, required=True) for name, check in self.required.items()}
        parts |= {name: _part(check, required=False) for name, check in self.watched.items()}
        ready = all(part.status == "ok" for part in parts.values() if part.required)
        return Readiness(status="ready" if ready else "not_ready", parts=parts)


def system_router() -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["system"])
    why = "a load balancer or a scraper has no credentials; nothing personal is shown"

    @router.get("/healthz", dependencies=[open_to_all(why)])
    async def healthz() -> Health:
        """Say that the process answers."""
        return Health()

    @router.get(
        "/readyz",
        dependencies=[open_to_all(why)],
        responses={_NOT_READY: {"model": Readiness, "description": "A required part fails."}},
        response_model=Readiness,
    )
    def readyz(request: Request) -> Response:
        """Look at the database, the object store, the keys and the worker, each by name."""
        checks: ReadinessChecks = request.app.state.readiness
        seen = checks.look()
        status = _READY if seen.status == "ready" else _NOT_READY
        return JSONResponse(seen.model_dump(), status)

    @router.get(
        "/metrics",
        dependencies=[open_to_all(why)],
        response_class=Response,
        responses={200: {"description": "Prometheus text.", "content": {"text/plain": {}}}},
    )
    def metrics(request: Request) -> Response:
        """Return the figures of this process."""
        figures: HttpFigures = request.app.state.figures
        return Response(figures.text(), media_type=CONTENT_TYPE)

    return router


def checks_of(platform: Any) -> ReadinessChecks:
    """Return the checks of a wired platform."""
    return ReadinessChecks(
        required={
            "database": lambda: _database(platform),
            "object_store": lambda: _object_store(platform),
            "keys": lambda: _keys(platform),
        },
        watched={"worker": lambda: _worker(platform)},
    )


def _part(check: Check, *, required: bool) -> Part:
    try:
        check()
    except ShimingError as error:
        return Part(status="failing", code=error.code, required=required)
    except Exception:  # noqa: BLE001 - whatever a driver raises, the part cannot be used
        return Part(status="failing", code="UNUSABLE", required=required)
    return Part(status="ok", required=required)


def _database(platform: Any) -> None:
    from shiming.infrastructure.database import reading

    with reading(platform.engine) as connection:
        connection.exec_driver_sql("SELECT 1").scalar_one()


def _object_store(platform: Any) -> None:
    import uuid

    name = f"READY-{uuid.uuid4().hex}"
    objects = platform.privacy.objects
    objects.put(name, (b"ready",))
    objects.remove(name)


def _keys(platform: Any) -> None:
    from shiming.infrastructure.encryption import new_data_key

    data_key = new_data_key()
    if platform.keys.unwrap(platform.keys.wrap(data_key)) != data_key:
        message = "the key provider does not open what it closed"
        raise ValueError(message)


def _worker(platform: Any) -> None:
    """Raise when no worker has been heard of lately."""
    beat = platform.worker_heartbeat()
    if beat is None or platform.clock.now() - beat > HEARTBEAT_AGE_MAX:
        raise Unavailable(
            "WORKER_SILENT",
            Text(zh="没有后台进程在运行。", en="No worker has been heard of lately."),
            Text(zh="请启动 shiming worker。", en="Start one: shiming worker"),
        )
