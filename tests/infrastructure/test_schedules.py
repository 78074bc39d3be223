import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shiming.infrastructure.database import open_database, reading, transact, unit_of_work
from shiming.infrastructure.job_queue.tables import jobs
from shiming.infrastructure.schedules import Cron, Every, Schedule, Timetable, take_slot

NOW = datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC)
HOURLY = Schedule("erase", Cron("0 * * * *"), {"limit": 9})
OFTEN = Schedule("seal", Every(seconds=2))
HOUR = timedelta(hours=1)


def queued(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as connection:
        rows = connection.execute(sa.select(jobs.c.kind, jobs.c.payload).order_by(jobs.c.enqueued_at))
        return [(kind, json.loads(payload)["slot"]) for kind, payload in rows]


def test_a_slot_is_queued_once_however_many_workers_look(database_url: str) -> None:
    engines = [open_database(database_url) for _ in range(4)]
    timetables = [Timetable([HOURLY]) for _ in engines]
    assert [table.queue_due(engine, NOW) for table, engine in zip(timetables, engines, strict=True)] == [
        0
    ] * 4
    counts: list[int] = []
    together = threading.Barrier(len(engines))

    def look(table: Timetable, engine: Engine) -> None:
        for hours in range(1, 6):
            together.wait()
            counts.append(table.queue_due(engine, NOW + hours * HOUR))

    threads = [threading.Thread(target=look, args=pair) for pair in zip(timetables, engines, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 5
    slots = [(NOW.replace(second=0) + hours * HOUR).isoformat() for hours in range(1, 6)]
    assert queued(engines[0]) == [("erase", slot) for slot in slots]
    for engine in engines:
        engine.dispose()


def test_the_first_sight_runs_nothing_and_of_missed_slots_the_last_is_made_up_for(database: Engine) -> None:
    assert Timetable([HOURLY]).queue_due(database, NOW) == 0
    assert Timetable([HOURLY]).queue_due(database, NOW) == 0
    assert Timetable([HOURLY]).queue_due(database, NOW + 7 * HOUR) == 1  # the worker was away for seven slots
    assert queued(database) == [("erase", "2026-05-01T19:00:00+00:00")]


def test_a_changed_rule_begins_anew(database: Engine) -> None:
    Timetable([HOURLY]).queue_due(database, NOW)
    changed = Schedule("erase", Cron("*/10 * * * *"))
    assert Timetable([changed]).queue_due(database, NOW + HOUR) == 0
    assert Timetable([changed]).queue_due(database, NOW + HOUR + timedelta(minutes=10)) == 1


def test_an_interval_gets_no_second_job_while_one_waits(database: Engine) -> None:
    table = Timetable([OFTEN])
    table.queue_due(database, NOW)
    assert [table.queue_due(database, NOW + timedelta(seconds=n)) for n in range(1, 7)] == [0, 1, 0, 0, 0, 0]
    with unit_of_work(database) as connection:
        connection.execute(jobs.delete())
    assert table.queue_due(database, NOW + timedelta(seconds=8)) == 1


def test_an_earlier_slot_is_not_queued_after_a_later_one(database: Engine) -> None:
    """Another worker's clock is ahead."""
    slot = NOW.replace(second=0)
    for at, expected in ((slot, False), (slot + 2 * HOUR, True), (slot + HOUR, False)):
        assert transact(database, lambda c, at=at: take_slot(c, HOURLY, at, now=NOW)) is expected  # type: ignore[misc]


@pytest.mark.parametrize(
    ("now", "slot"),
    [
        ("2026-05-01T12:00:00+00:00", "2026-05-01T12:00:00+00:00"),
        ("2026-05-01T12:59:59.999999+00:00", "2026-05-01T12:00:00+00:00"),
        ("2026-05-01T20:00:00+08:00", "2026-05-01T12:00:00+00:00"),
    ],
)
def test_a_slot_begins_on_its_second(now: str, slot: str) -> None:
    assert HOURLY.when.last_slot(datetime.fromisoformat(now)).isoformat() == slot


def test_hours_that_a_zone_leaves_out_or_repeats_give_one_slot_a_day() -> None:
    daily = Cron("30 2 * * *", "Europe/Berlin")
    start = datetime(2026, 3, 27, tzinfo=UTC)
    for first in (start, datetime(2026, 10, 23, tzinfo=UTC)):
        hours = [daily.last_slot(first + n * HOUR) for n in range(24 * 5)]
        assert len(set(hours)) == 5 + 1 - (0 if hours[0] < first else 1)
        assert hours == sorted(hours)
