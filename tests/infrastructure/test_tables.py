from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError

from shiming.infrastructure.database import open_database, reading, unit_of_work
from shiming.infrastructure.tables import PARTITIONS, guard, partitioned, schema
from tests.databases import ENGINES, a_postgresql_database


@pytest.fixture(scope="module")
def notes() -> sa.Table:
    """A partitioned and guarded table that is in the one schema only while this module is tested."""
    table = partitioned(
        "notes_of_this_test",
        sa.Column("operator", sa.String(40), primary_key=True),
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("text", sa.Text),
        sa.Column("final", sa.Boolean, nullable=False, default=False),
    )
    guard(table, "notes_no_delete", "DELETE", "100% of notes stay")
    guard(table, "notes_final", "UPDATE", "a final note stays as it is", "OLD.final")
    schema.remove(table)
    return table


@pytest.fixture(params=ENGINES)
def engine(
    request: pytest.FixtureRequest, notes: sa.Table, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    if request.param == "sqlite":
        opened = open_database(f"sqlite:///{tmp_path_factory.mktemp('tables') / 'test.db'}")
        yield _with(opened, notes)
        opened.dispose()
        return
    with a_postgresql_database() as url:
        opened = open_database(url)
        yield _with(opened, notes)
        opened.dispose()


def _with(engine: Engine, notes: sa.Table) -> Engine:
    with unit_of_work(engine) as connection:
        schema.dispatch.before_create(schema, connection)  # the functions that guards call
        notes.create(connection)
        connection.execute(
            notes.insert(),
            [
                {"operator": f"operator-{n}", "id": n, "text": "as written", "final": n % 2 == 0}
                for n in range(40)
            ],
        )
    return engine


def _texts(engine: Engine, notes: sa.Table) -> list[str]:
    with reading(engine) as connection:
        return list(connection.execute(sa.select(notes.c.text).order_by(notes.c.id)).scalars())


def test_a_guarded_row_cannot_be_deleted(engine: Engine, notes: sa.Table) -> None:
    with pytest.raises(IntegrityError, match="100% of notes stay"), unit_of_work(engine) as connection:
        connection.execute(notes.delete().where(notes.c.id == 1))
    assert len(_texts(engine, notes)) == 40


def test_a_guard_with_a_condition_refuses_only_what_it_names(engine: Engine, notes: sa.Table) -> None:
    with unit_of_work(engine) as connection:
        connection.execute(notes.update().where(notes.c.id == 1).values(text="changed"))
    with pytest.raises(IntegrityError, match="a final note"), unit_of_work(engine) as connection:
        connection.execute(notes.update().where(notes.c.id == 2).values(text="changed"))
    assert _texts(engine, notes)[1:3] == ["changed", "as written"]


def test_a_refused_change_takes_the_whole_transaction_with_it(engine: Engine, notes: sa.Table) -> None:
    def change_and_delete() -> None:
        with unit_of_work(engine) as connection:
            connection.execute(notes.update().where(notes.c.id == 3).values(text="changed"))
            connection.execute(notes.delete().where(notes.c.id == 2))

    with pytest.raises(IntegrityError):
        change_and_delete()
    assert set(_texts(engine, notes)) == {"as written"}


def test_a_partition_is_guarded_like_its_table(notes: sa.Table) -> None:
    with a_postgresql_database() as url:
        engine = _with(open_database(url), notes)
        with reading(engine) as connection:
            query = "SELECT DISTINCT tableoid::regclass::text FROM notes_of_this_test"
            partitions = connection.exec_driver_sql(query).scalars().all()
        for partition in partitions:
            with pytest.raises(IntegrityError, match="notes stay"), unit_of_work(engine) as connection:
                connection.exec_driver_sql(f"DELETE FROM {partition}")  # noqa: S608 - a name from the server
        engine.dispose()
    assert len(partitions) >= 4


def test_rows_are_spread_by_operator_and_one_operator_lies_in_one_partition(notes: sa.Table) -> None:
    with a_postgresql_database() as url:
        engine = _with(open_database(url), notes)
        with unit_of_work(engine) as connection:
            connection.execute(notes.insert(), [{"operator": "operator-1", "id": n} for n in range(100, 150)])
        with reading(engine) as connection:
            found = connection.exec_driver_sql(
                "SELECT tableoid::regclass::text, operator, count(*) FROM notes_of_this_test GROUP BY 1, 2"
            ).all()
        engine.dispose()
    assert len(found) == 40  # no operator in two partitions
    assert 4 <= len({row[0] for row in found}) <= PARTITIONS
