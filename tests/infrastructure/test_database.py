import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError, StatementError

from shiming.infrastructure.database import (
    GivenUp,
    create_tables,
    forget_freed_pages,
    insert_into,
    open_database,
    reading,
    transact,
    unit_of_work,
)
from shiming.infrastructure.tables import UtcInstant
from shiming.vocabulary.errors import BadInput, Unavailable
from tests.databases import a_postgresql_database

family = sa.MetaData()
parents = sa.Table(
    "parents",
    family,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", UtcInstant),
    sa.Column("score", sa.Integer, nullable=False, server_default="0"),
)
children = sa.Table("children", family, sa.Column("parent", sa.ForeignKey(parents.c.id), nullable=False))


@pytest.fixture
def engine(database: Engine) -> Engine:
    create_tables(database, family)
    return database


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(f"sqlite:///{tmp_path / 'test.db'}", busy_timeout_s=0.2)
    create_tables(opened, family)
    yield opened
    opened.dispose()


@pytest.fixture
def postgresql() -> Iterator[Engine]:
    with a_postgresql_database() as url:
        opened = open_database(url)
        create_tables(opened, family)
        yield opened
        opened.dispose()


def rows(engine: Engine) -> int:
    with reading(engine) as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(parents)).scalar_one()


def score(engine: Engine, parent: int) -> int:
    with reading(engine) as connection:
        found: int = connection.execute(sa.select(parents.c.score).where(parents.c.id == parent)).scalar_one()
    return found


def test_sqlite_is_set_up_for_records_that_must_last(sqlite: Engine) -> None:
    with reading(sqlite) as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


def test_postgresql_gives_up_a_transaction_whose_client_sleeps(postgresql: Engine) -> None:
    with reading(postgresql) as connection:
        show = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("idle_in_transaction_session_timeout", "timezone", "application_name")
        }
    assert show == {
        "idle_in_transaction_session_timeout": "1min",
        "timezone": "UTC",
        "application_name": "shiming",
    }


def test_the_database_and_its_logs_are_private(sqlite: Engine, tmp_path: Path) -> None:
    with unit_of_work(sqlite) as connection:
        connection.execute(parents.insert())
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert set(modes) == {"test.db", "test.db-wal", "test.db-shm"}
    assert set(modes.values()) == {0o600}


def test_a_unit_of_work_is_all_or_nothing(engine: Engine) -> None:
    def fail() -> None:
        with unit_of_work(engine) as connection:
            connection.execute(parents.insert())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert rows(engine) == 0
    with unit_of_work(engine) as connection:
        connection.execute(parents.insert())
    assert rows(engine) == 1


def test_foreign_keys_are_enforced(engine: Engine) -> None:
    with pytest.raises(IntegrityError), unit_of_work(engine) as connection:
        connection.execute(children.insert().values(parent=99))


def test_readers_neither_wait_for_a_writer_nor_see_half_of_its_work(engine: Engine) -> None:
    with unit_of_work(engine) as connection:
        connection.execute(parents.insert())
        assert rows(engine) == 0
    assert rows(engine) == 1


def test_a_reader_keeps_its_view_and_cannot_write(engine: Engine) -> None:
    count = sa.select(sa.func.count()).select_from(parents)
    with reading(engine) as connection:
        assert connection.execute(count).scalar_one() == 0
        with unit_of_work(engine) as writing:
            writing.execute(parents.insert())
        assert connection.execute(count).scalar_one() == 0
    if engine.dialect.name == "postgresql":
        with pytest.raises(Unavailable), reading(engine) as connection:
            connection.execute(parents.insert())


def test_a_writer_of_another_process_holds_the_lock_from_the_start(sqlite: Engine, tmp_path: Path) -> None:
    other = open_database(f"sqlite:///{tmp_path / 'test.db'}", busy_timeout_s=0.1)
    with unit_of_work(sqlite) as connection:
        connection.execute(sa.select(parents))  # only read so far
        with pytest.raises(Unavailable) as refused, unit_of_work(other):
            pass
    assert refused.value.code == "DATABASE_BUSY"


def test_a_thread_that_waits_too_long_for_its_turn_hears_that_the_database_is_busy(sqlite: Engine) -> None:
    def write() -> None:
        with unit_of_work(sqlite):
            pass

    with ThreadPoolExecutor(1) as threads, unit_of_work(sqlite):
        refused = threads.submit(write).exception(timeout=5)
    assert isinstance(refused, Unavailable)
    assert refused.code == "DATABASE_BUSY"


def test_one_unit_of_work_inside_another_is_a_mistake_of_the_program(sqlite: Engine) -> None:
    with unit_of_work(sqlite), pytest.raises(RuntimeError, match="inside another"), unit_of_work(sqlite):
        pass


def test_writers_follow_each_other_on_sqlite(sqlite: Engine) -> None:
    def add_twenty() -> None:
        for _ in range(20):
            with unit_of_work(sqlite) as connection:
                highest = connection.execute(sa.select(sa.func.max(parents.c.id))).scalar() or 0
                connection.execute(parents.insert().values(id=highest + 1))

    threads = [threading.Thread(target=add_twenty) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows(sqlite) == 80


def test_a_transaction_that_could_not_be_serialized_is_run_again(postgresql: Engine) -> None:
    with unit_of_work(postgresql) as connection:
        connection.execute(parents.insert().values(id=1))
    runs: list[int] = []

    def add_one_like_a_fool(connection: Connection) -> None:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        now = connection.execute(sa.select(parents.c.score).where(parents.c.id == 1)).scalar_one()
        runs.append(now)
        if len(runs) == 1:  # somebody else is faster, for certain
            with unit_of_work(postgresql) as other:
                other.execute(parents.update().values(score=10))
        connection.execute(parents.update().where(parents.c.id == 1).values(score=now + 1))

    transact(postgresql, add_one_like_a_fool)
    assert runs == [0, 10]
    assert score(postgresql, 1) == 11


def test_a_deadlock_is_dissolved_and_both_happen(postgresql: Engine) -> None:
    with unit_of_work(postgresql) as connection:
        connection.execute(parents.insert(), [{"id": 1}, {"id": 2}])
    meeting = threading.Barrier(2)
    runs: list[int] = []

    def raise_both(first: int, second: int) -> None:
        met: list[bool] = []

        def work(connection: Connection) -> None:
            runs.append(first)
            connection.exec_driver_sql("SET LOCAL deadlock_timeout = '50ms'")
            for parent in (first, second):
                connection.execute(
                    parents.update().where(parents.c.id == parent).values(score=parents.c.score + 1)
                )
                if not met:
                    met.append(True)
                    meeting.wait(10)

        transact(postgresql, work)

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(raise_both, 1, 2), threads.submit(raise_both, 2, 1)]:
            done.result(timeout=30)
    assert (score(postgresql, 1), score(postgresql, 2)) == (2, 2)
    assert len(runs) == 3  # one of them was the victim, once


def test_what_loses_every_time_is_given_up_at_last(postgresql: Engine) -> None:
    runs: list[int] = []

    def always_lose(connection: Connection) -> None:
        runs.append(1)
        connection.exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END $$")

    with pytest.raises(GivenUp) as refused:
        transact(postgresql, always_lose, attempts_max=3)
    assert (len(runs), refused.value.code) == (3, "DATABASE_BUSY")


def test_another_failure_is_not_tried_again(engine: Engine) -> None:
    runs: list[int] = []

    def wrong(connection: Connection) -> None:
        runs.append(1)
        connection.execute(children.insert().values(parent=99))

    with pytest.raises(IntegrityError):
        transact(engine, wrong)
    assert len(runs) == 1


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("53100", "DATABASE_FULL"),
        ("55P03", "DATABASE_BUSY"),
        ("53300", "DATABASE_BUSY"),
        ("57P03", "DATABASE_UNAVAILABLE"),
    ],
)
def test_trouble_of_the_server_has_a_name(postgresql: Engine, state: str, code: str) -> None:
    with pytest.raises(Unavailable) as refused, unit_of_work(postgresql) as connection:
        connection.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$")
    assert refused.value.code == code


def test_a_full_disk_writes_nothing(sqlite: Engine) -> None:
    with unit_of_work(sqlite) as connection:
        connection.execute(parents.insert().values(id=1))

    def write_too_much() -> None:
        with unit_of_work(sqlite) as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
            connection.execute(parents.insert(), [{"id": number} for number in range(2, 20_000)])

    with pytest.raises(Unavailable) as refused:
        write_too_much()
    assert refused.value.code == "DATABASE_FULL"
    assert rows(sqlite) == 1


def test_a_connection_that_the_server_closed_is_replaced(postgresql: Engine) -> None:
    with pytest.raises(Unavailable), unit_of_work(postgresql) as connection:
        connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    with unit_of_work(postgresql) as connection:
        connection.execute(parents.insert())
    assert rows(postgresql) == 1


def test_the_same_insert_ignores_a_conflict_on_both_engines(engine: Engine) -> None:
    for _ in range(2):
        with unit_of_work(engine) as connection:
            connection.execute(insert_into(connection, parents).values(id=1).on_conflict_do_nothing())
    assert rows(engine) == 1


def test_instants_come_back_in_utc_and_must_have_a_zone(engine: Engine) -> None:
    in_beijing = datetime(2026, 5, 1, 20, 0, tzinfo=timezone(timedelta(hours=8)))
    with unit_of_work(engine) as connection:
        connection.execute(parents.insert().values(at=in_beijing))
        found = connection.execute(sa.select(parents.c.at)).scalar_one()
    assert found == in_beijing
    assert found.tzinfo is UTC
    with pytest.raises(StatementError, match="time zone"), unit_of_work(engine) as connection:
        connection.execute(parents.insert().values(at=datetime(2026, 5, 1)))  # noqa: DTZ001 - that is the point


def test_what_is_overwritten_is_gone_from_the_files(sqlite: Engine, tmp_path: Path) -> None:
    secrets = sa.Table("secrets", sa.MetaData(), sa.Column("key", sa.LargeBinary))
    create_tables(sqlite, secrets.metadata)
    with unit_of_work(sqlite) as connection:
        connection.execute(secrets.insert().values(key=b"a secret of sixteen"))
    with unit_of_work(sqlite) as connection:
        connection.execute(secrets.update().values(key=None))
    forget_freed_pages(sqlite)
    assert not any(b"a secret" in path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize("url", ["", "not a url", "nosuch://server/name", "oracle://server/name"])
def test_a_url_that_names_no_database_of_ours_is_refused(url: str) -> None:
    with pytest.raises(BadInput) as refused:
        open_database(url)
    assert refused.value.code == "DATABASE_URL_INVALID"


def test_a_missing_driver_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as refused:
        open_database(f"sqlite+pysqlcipher:///{tmp_path / 'test.db'}")
    assert refused.value.code == "DATABASE_DRIVER_MISSING"


def test_a_server_that_is_not_there_is_unavailable() -> None:
    engine = open_database("postgresql://nobody:secret@127.0.0.1:1/none")
    with pytest.raises(Unavailable) as refused, unit_of_work(engine):
        pass
    assert refused.value.code == "DATABASE_UNAVAILABLE"
    assert "secret" not in str(refused.value.to_json())


def test_a_database_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as refused:
        open_database(f"sqlite:///{tmp_path / 'missing' / 'test.db'}")
    assert refused.value.code == "DATABASE_UNAVAILABLE"
    (tmp_path / "noise.db").write_bytes(b"this is no database " * 100)
    with pytest.raises(Unavailable) as refused:
        create_tables(open_database(f"sqlite:///{tmp_path / 'noise.db'}"), family)
    assert refused.value.code == "DATABASE_UNAVAILABLE"
