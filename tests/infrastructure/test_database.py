import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError, StatementError

from shiming.infrastructure.database import (
    UtcInstant,
    create_tables,
    forget_freed_pages,
    open_database,
    reading,
    unit_of_work,
)
from shiming.vocabulary.errors import BadInput, Unavailable

schema = sa.MetaData()
parents = sa.Table(
    "parents", schema, sa.Column("id", sa.Integer, primary_key=True), sa.Column("at", UtcInstant)
)
children = sa.Table("children", schema, sa.Column("parent", sa.ForeignKey(parents.c.id), nullable=False))


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    opened = open_database(f"sqlite:///{tmp_path / 'test.db'}", busy_timeout_s=0.2)
    create_tables(opened, schema)
    return opened


def rows(engine: Engine) -> int:
    with reading(engine) as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(parents)).scalar_one()


def test_sqlite_is_set_up_for_records_that_must_last(engine: Engine) -> None:
    with reading(engine) as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


def test_the_database_and_its_logs_are_private(engine: Engine, tmp_path: Path) -> None:
    with unit_of_work(engine) as connection:
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


def test_a_writer_holds_the_lock_from_the_start_and_readers_do_not_wait(engine: Engine) -> None:
    with unit_of_work(engine) as connection:
        connection.execute(sa.select(parents))  # only read so far
        assert rows(engine) == 0
        with pytest.raises(Unavailable) as refused, unit_of_work(engine):
            pass
    assert refused.value.code == "DATABASE_BUSY"


def test_two_writers_follow_each_other(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    create_tables(engine, schema)

    def add_twenty() -> None:
        for _ in range(20):
            with unit_of_work(engine) as connection:
                highest = connection.execute(sa.select(sa.func.max(parents.c.id))).scalar() or 0
                connection.execute(parents.insert().values(id=highest + 1))

    threads = [threading.Thread(target=add_twenty) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows(engine) == 80


def test_instants_come_back_in_utc_and_must_have_a_zone(engine: Engine) -> None:
    in_beijing = datetime(2026, 5, 1, 20, 0, tzinfo=timezone(timedelta(hours=8)))
    with unit_of_work(engine) as connection:
        connection.execute(parents.insert().values(at=in_beijing))
        found = connection.execute(sa.select(parents.c.at)).scalar_one()
    assert found == in_beijing
    assert found.tzinfo is UTC
    with pytest.raises(StatementError, match="time zone"), unit_of_work(engine) as connection:
        connection.execute(parents.insert().values(at=datetime(2026, 5, 1)))  # noqa: DTZ001 - that is the point


def test_what_is_overwritten_is_gone_from_the_files(engine: Engine, tmp_path: Path) -> None:
    secrets = sa.Table("secrets", sa.MetaData(), sa.Column("key", sa.LargeBinary))
    create_tables(engine, secrets.metadata)
    with unit_of_work(engine) as connection:
        connection.execute(secrets.insert().values(key=b"a secret of sixteen"))
    with unit_of_work(engine) as connection:
        connection.execute(secrets.update().values(key=None))
    forget_freed_pages(engine)
    assert not any(b"a secret" in path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize("url", ["", "not a url", "nosuch://server/name"])
def test_a_url_that_names_no_database_is_refused(url: str) -> None:
    with pytest.raises(BadInput) as refused:
        open_database(url)
    assert refused.value.code == "DATABASE_URL_INVALID"


def test_a_missing_driver_is_said_to_be_missing() -> None:
    with pytest.raises(Unavailable) as refused:
        open_database("oracle://server/name")
    assert refused.value.code == "DATABASE_DRIVER_MISSING"


def test_a_database_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as refused:
        open_database(f"sqlite:///{tmp_path / 'missing' / 'test.db'}")
    assert refused.value.code == "DATABASE_UNAVAILABLE"
    (tmp_path / "noise.db").write_bytes(b"this is no database " * 100)
    with pytest.raises(Unavailable) as refused:
        create_tables(open_database(f"sqlite:///{tmp_path / 'noise.db'}"), schema)
    assert refused.value.code == "DATABASE_UNAVAILABLE"
