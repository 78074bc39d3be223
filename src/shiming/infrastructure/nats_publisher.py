"""Events on NATS JetStream: subject `shiming.<type>`, message id = event id, so the server drops repeats.

The library is asynchronous and optional (`make server`); one background thread runs its loop.
"""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure import cloud_events
from shiming.infrastructure.database import reading
from shiming.infrastructure.job_queue.model import DELIVERY, Handling, NewJob, RetryRule, Task
from shiming.infrastructure.outbox import Event, find_event
from shiming.vocabulary.errors import Text, Unavailable

PUBLISH = "nats.publish"
STREAM = "SHIMING"
SUBJECTS = cloud_events.TYPE_PREFIX + ">"
#: The server remembers message ids so long; a repeat after a longer outage is known by its CloudEvents id.
DUPLICATE_WINDOW = timedelta(hours=2)
TIMEOUT_S = 5.0
RETRY = RetryRule(
    attempts_max=30, first_pause=timedelta(seconds=2), factor=2, pause_max=timedelta(minutes=30)
)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class NatsServer:
    """Where NATS is (`nats://` or `tls://`) and how we sign in (a file of credentials)."""

    url: str = field(repr=False)  # may hold a token
    credentials: Path | None = None
    stream: str = STREAM
    timeout_s: float = TIMEOUT_S


class NatsPublisher:
    """Publishes events and waits until the stream has stored them. Safe to share between threads."""

    def __init__(self, server: NatsServer, *, source: str) -> None:
        self._server, self._source = server, source
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="nats", daemon=True)
        self._thread.start()
        self._client: Any = None
        self._connecting = asyncio.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def publish(self, event: Event) -> bool:
        """Store one event in the stream; False when it was there already; Unavailable without the server."""
        body = cloud_events.encoded(event, source=self._source)
        acknowledged = self._wait_for(self._publish(event, body))
        return not acknowledged.duplicate

    def close(self) -> None:
        """Give the connection back and end the thread."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(3 * self._server.timeout_s)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _publish(self, event: Event, body: bytes) -> Any:
        stream = (await self._connected()).jetstream(timeout=self._server.timeout_s)
        headers = {"Nats-Msg-Id": event.event_id, "content-type": cloud_events.MEDIA_TYPE}
        return await stream.publish(cloud_events.full_type(event), body, headers=headers)

    async def _connected(self) -> Any:
        """Return the client; the first call connects and makes sure that the stream is there."""
        async with self._connecting:
            if self._client is not None and self._client.is_connected:
                return self._client
            await self._let_go()
            self._client = await self._connect()
            return self._client

    async def _let_go(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _end(self) -> None:
        """Close the connection and end the tasks that the library leaves behind."""
        await self._let_go()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _connect(self) -> Any:
        import nats  # noqa: PLC0415 - optional
        from nats.js.api import StreamConfig  # noqa: PLC0415
        from nats.js.errors import NotFoundError  # noqa: PLC0415

        client = await nats.connect(
            self._server.url,
            user_credentials=str(self._server.credentials) if self._server.credentials else None,
            connect_timeout=self._server.timeout_s,
            allow_reconnect=False,  # the job is tried again, with pauses of its own
            error_cb=_stay_silent,
        )
        window = DUPLICATE_WINDOW.total_seconds()
        wanted = StreamConfig(name=self._server.stream, subjects=[SUBJECTS], duplicate_window=window)
        streams = client.jetstream(timeout=self._server.timeout_s)
        try:
            try:
                await streams.stream_info(self._server.stream)  # one that is there keeps its own settings
            except NotFoundError:
                await streams.add_stream(wanted)
        except BaseException:
            await client.close()
            raise
        return client

    def _wait_for(self, work: Coroutine[Any, Any, _T]) -> _T:
        future: Future[_T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout=3 * self._server.timeout_s)
        except ModuleNotFoundError as problem:
            raise Unavailable(
                "NATS_CLIENT_MISSING",
                Text(zh="未安装 NATS 客户端。", en="The NATS client is not installed."),
                Text(zh="请运行 make server。", en="Run `make server`."),
            ) from problem
        except Exception as problem:
            future.cancel()
            raise Unavailable(
                "NATS_UNAVAILABLE",
                Text(zh="NATS 服务不可用。", en="NATS did not take the event."),
                Text(zh="请检查 NATS 服务及 JetStream。", en="Check the server and that JetStream is on."),
                {"reason": type(problem).__name__},
            ) from problem


def route_to_nats(connection: Connection, events: Sequence[Event]) -> list[NewJob]:
    """Return one publication for each event."""
    del connection
    return [
        NewJob(PUBLISH, {"event": event.event_id}, unique_key=f"{PUBLISH}:{event.event_id}")
        for event in events
    ]


def publishing(engine: Engine, publisher: NatsPublisher) -> Handling:
    """Return how publication jobs are done."""

    def publish(task: Task) -> None:
        with reading(engine) as connection:
            event = find_event(connection, str(task.job.payload["event"]))
        if event is not None:  # None: purged since, after a month of failures
            publisher.publish(event)

    return Handling(publish, RETRY, lane=DELIVERY)


async def _stay_silent(_problem: Exception) -> None:
    """Keep the library from printing; whoever publishes gets the error."""
