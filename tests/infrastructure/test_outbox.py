import json
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.database import open_database, reading, transact, unit_of_work
from shiming.infrastructure.job_queue.model import NewJob
from shiming.infrastructure.job_queue.tables import jobs
from shiming.infrastructure.outbox import (
    KEPT_FOR,
    Event,
    EventRange,
    count_unrelayed,
    emit,
    events_in,
    find_event,
    is_anything_unrelayed,
    purge_events,
    relay,
)

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def an_event(number: int = 1, *, at: datetime = NOW, operator: str = "cn-mobile") -> Event:
    return Event("line.registered", f"LIN-{number}", operator, at, {"cap": 5}, event_id=f"event-{number:04}")


def write(engine: Engine, *events: Event) -> None:
    with unit_of_work(engine) as connection:
        for event in events:
            emit(connection, event)


def one_job_each(connection: Connection, events: Sequence[Event]) -> Iterator[NewJob]:
    del connection
    return (NewJob("deliver", {"event": event.event_id}) for event in events)  # no key: repeats would show


def delivered(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return sorted(
            json.loads(text)["event"] for text in connection.execute(sa.select(jobs.c.payload)).scalars()
        )


def test_an_event_exists_if_its_transaction_does(database: Engine) -> None:
    def fail() -> None:
        with unit_of_work(database) as connection:
            emit(connection, an_event())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with reading(database) as connection:
        assert not is_anything_unrelayed(connection)
    write(database, an_event())
    with reading(database) as connection:
        assert find_event(connection, "event-0001") == an_event()
        assert find_event(connection, "none") is None
        assert is_anything_unrelayed(connection)


@pytest.mark.parametrize("name", ["registered", "Line.registered", "line.*", "line..x", "line.x>", ""])
def test_a_type_that_nobody_could_subscribe_to_is_refused(database: Engine, name: str) -> None:
    with pytest.raises(ValueError, match="lower-case words"), unit_of_work(database) as connection:
        emit(connection, Event(name, "LIN-1", "", NOW))


def test_each_event_becomes_its_jobs_once(database: Engine) -> None:
    write(database, *(an_event(number) for number in range(5)))
    with unit_of_work(database) as connection:
        assert relay(connection, one_job_each, now=NOW, limit=3) == 3
        assert relay(connection, one_job_each, now=NOW, limit=3) == 2
        assert relay(connection, one_job_each, now=NOW, limit=3) == 0
        assert count_unrelayed(connection) == 0
    assert delivered(database) == [f"event-{number:04}" for number in range(5)]


def test_a_relay_that_fails_marks_nothing(database: Engine) -> None:
    def fault(connection: Connection, events: Sequence[Event]) -> Iterator[NewJob]:
        yield from list(one_job_each(connection, events))[:1]
        raise RuntimeError

    write(database, an_event(1), an_event(2))
    with pytest.raises(RuntimeError), unit_of_work(database) as connection:
        relay(connection, fault, now=NOW)
    assert delivered(database) == []
    with reading(database) as connection:
        assert count_unrelayed(connection) == 2


def test_relays_beside_writers_lose_nothing_and_repeat_nothing(database_url: str) -> None:
    """Writers commit late and out of order; two relays compete; afterwards every event has one job."""
    engines = [open_database(database_url) for _ in range(4)]
    written = threading.Barrier(3)
    done = threading.Event()

    def writer(engine: Engine, first: int) -> None:
        for number in range(first, first + 60, 3):
            write(engine, *(an_event(number + k, at=NOW - timedelta(seconds=number)) for k in range(3)))
        written.wait()

    def relaying(engine: Engine) -> None:
        while not done.is_set():
            transact(engine, lambda c: relay(c, one_job_each, now=NOW, limit=7))

    threads = [
        threading.Thread(target=writer, args=(engines[0], 0)),
        threading.Thread(target=writer, args=(engines[1], 1000)),
        threading.Thread(target=relaying, args=(engines[2],)),
        threading.Thread(target=relaying, args=(engines[3],)),
    ]
    for thread in threads:
        thread.start()
    written.wait(60)
    done.set()
    for thread in threads:
        thread.join()
    while transact(engines[0], lambda c: relay(c, one_job_each, now=NOW)):
        pass
    assert delivered(engines[0]) == [
        f"event-{first + number:04}" for first in (0, 1000) for number in range(60)
    ]
    for engine in engines:
        engine.dispose()


def test_a_transaction_that_commits_late_is_not_skipped(database_url: str) -> None:
    """PostgreSQL only: on SQLite there is one writer, and nobody commits between another's begin and end."""
    if database_url.startswith("sqlite"):
        return
    engine = open_database(database_url)
    with unit_of_work(engine) as late:
        emit(late, an_event(1, at=NOW - timedelta(minutes=1)))
        write(engine, an_event(2))
        assert transact(engine, lambda c: relay(c, one_job_each, now=NOW)) == 1
    assert transact(engine, lambda c: relay(c, one_job_each, now=NOW)) == 1
    assert delivered(engine) == ["event-0001", "event-0002"]
    engine.dispose()


def test_events_are_read_by_time_in_pages(database: Engine) -> None:
    second = timedelta(seconds=1)
    events = [an_event(number, at=NOW + number // 2 * second) for number in range(6)]
    write(database, *events, an_event(90, operator="cn-other"))
    wanted = EventRange(NOW, NOW + 2 * second, "cn-mobile")
    with reading(database) as connection:
        page = events_in(connection, wanted, after=None, limit=3)
        rest = events_in(connection, wanted, after=(page[-1].occurred_at, page[-1].event_id), limit=3)
        everyone = events_in(connection, EventRange(NOW, NOW + second), after=None, limit=9)
    assert [*page, *rest] == events[:4]
    assert len(everyone) == 3


def test_relayed_events_are_deleted_after_their_time_and_others_never(database: Engine) -> None:
    old = NOW - KEPT_FOR - timedelta(seconds=1)
    write(database, an_event(1, at=old), an_event(2))
    with unit_of_work(database) as connection:
        relay(connection, one_job_each, now=old)
    write(database, an_event(3, at=old))
    with unit_of_work(database) as connection:
        relay(
            connection, one_job_each, now=NOW
        )  # no worker ran for a month: its receivers have the time, too
    write(database, an_event(4, at=old))
    assert list(purge_events(database, now=NOW)) == [1]
    with reading(database) as connection:
        found = events_in(connection, EventRange(old, NOW + timedelta(1)), after=None, limit=9)
    assert {event.event_id for event in found} == {"event-0002", "event-0003", "event-0004"}
