import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import Insert

from shiming.entrypoints.database_schema import MIGRATIONS, NEWEST_REVISION, may_make_keys, prepare_schema
from shiming.infrastructure.database import open_database, reading, unit_of_work
from shiming.infrastructure.migrations import Migrations, find_revision
from shiming.infrastructure.schema_drift import find_drift
from shiming.infrastructure.tables import schema
from shiming.vocabulary.errors import Unavailable
from tests.databases import ENGINES, a_database, a_postgresql_database
from tests.entrypoints.postgresql_programs import dumped_schema

NOW = datetime(2026, 5, 1, tzinfo=UTC)
REGENERATE = "run: python -m tools.first_migration"

STEP_TWO = """
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    copying = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    with op.batch_alter_table("proofing_sessions", recreate=copying) as sessions:
        sessions.add_column(sa.Column("shelf", sa.String(20), nullable=False, server_default="upper"))
    op.create_index("ix_proofing_sessions_shelf", "proofing_sessions", ["shelf"])
    op.execute("UPDATE proofing_sessions SET shelf = 'lower' WHERE id = 'SES-2'")
    {failure}
"""
LET_PASS = (
    "CREATE OR REPLACE FUNCTION shiming_refuse_change() RETURNS trigger AS 'BEGIN END' LANGUAGE plpgsql"
)


def an_empty_database(kind: str, folder: Path) -> AbstractContextManager[str]:
    if kind == "postgresql":
        return a_postgresql_database()
    return nullcontext(f"sqlite:///{folder / 'empty.db'}")


@pytest.fixture(params=ENGINES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with an_empty_database(request.param, tmp_path) as url:
        engine = open_database(url)
        yield engine
        engine.dispose()


def a_row(table: str, **values: Any) -> Insert:
    """A row with something in every column that needs it, whatever columns the table has got meanwhile."""
    some: dict[type, Any] = {
        str: "x",
        int: 1,
        bytes: b"secret",
        bool: False,
        object: NOW,
    }  # object: an instant
    needed = {
        column.name: some[column.type.python_type]
        for column in schema.tables[table].columns
        if not column.nullable and column.default is None and column.server_default is None
    }
    return schema.tables[table].insert().values(**needed | values)


def two_steps(folder: Path, failure: str = "") -> Migrations:
    """The migrations of a later version, which this test invents."""
    shutil.copytree(MIGRATIONS.folder, folder / "migrations")
    (folder / "migrations" / "versions" / "0002_shelf.py").write_text(STEP_TWO.format(failure=failure))
    return Migrations(folder / "migrations", "0002")


def refusal(engine: Engine, migrations: Migrations = MIGRATIONS) -> str:
    with pytest.raises(Unavailable) as refused:
        migrations.require(engine, may_create=True)
    assert refused.value.advice.en
    assert refused.value.advice.zh
    return refused.value.code


def test_the_newest_revision_is_the_head_of_one_line_of_steps() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS.folder))
    steps = ScriptDirectory.from_config(config)
    assert steps.get_heads() == [NEWEST_REVISION]
    assert [step.revision for step in steps.walk_revisions()] == [
        f"{number:04d}" for number in range(int(NEWEST_REVISION), 0, -1)
    ]


def test_a_migrated_database_has_the_schema_of_the_program(empty: Engine) -> None:
    assert MIGRATIONS.create(empty) is True
    drift = find_drift(empty, schema)
    assert not drift, (REGENERATE, drift)


def test_pg_dump_finds_no_difference_between_migrated_and_created(tmp_path: Path) -> None:
    with a_postgresql_database() as migrated, a_database("postgresql", tmp_path) as created:
        engine = open_database(migrated)
        MIGRATIONS.create(engine)
        with unit_of_work(engine) as connection:
            connection.exec_driver_sql("DROP TABLE alembic_version")
        engine.dispose()
        assert dumped_schema(migrated) == dumped_schema(created), REGENERATE


def test_sqlite_holds_the_same_statements_migrated_and_created(tmp_path: Path) -> None:
    def statements(engine: Engine) -> list[str]:
        query = (
            "SELECT sql FROM sqlite_master WHERE name <> 'alembic_version' AND sql <> '' ORDER BY type, name"
        )
        with reading(engine) as connection:
            found = [" ".join(sql.split()) for sql in connection.exec_driver_sql(query).scalars()]
        engine.dispose()
        return found

    migrated = open_database(f"sqlite:///{tmp_path / 'migrated.db'}")
    prepare_schema(migrated, may_create=True)
    with a_database("sqlite", tmp_path / "created") as url:
        assert statements(migrated) == statements(open_database(url)), REGENERATE


def test_an_empty_sqlite_database_is_created_only_where_that_is_allowed(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'new.db'}")
    with pytest.raises(Unavailable) as refused:
        prepare_schema(engine, may_create=False)
    assert refused.value.code == "DATABASE_NOT_INITIALISED"
    prepare_schema(engine, may_create=True)
    prepare_schema(engine, may_create=False)


def test_a_server_is_never_filled_by_the_way() -> None:
    with a_postgresql_database() as url:
        engine = open_database(url)
        assert refusal(engine) == "DATABASE_NOT_INITIALISED"
        assert find_revision(engine) is None
        engine.dispose()


def test_a_database_of_somebody_else_is_left_alone(empty: Engine) -> None:
    with unit_of_work(empty) as connection:
        connection.exec_driver_sql("CREATE TABLE their_own (id INTEGER)")
    with pytest.raises(Unavailable) as refused:
        MIGRATIONS.create(empty)
    assert refused.value.code == "DATABASE_FOREIGN"
    assert sa.inspect(empty).get_table_names() == ["their_own"]


@pytest.mark.parametrize(
    ("revision", "code"),
    [("0000", "OLD"), ("0099", "NEWER"), ("a1b2c3d4e5f6", "FOREIGN"), (None, "RESTORE_UNFINISHED")],
)
def test_what_stands_in_the_way_is_said(empty: Engine, revision: str | None, code: str) -> None:
    MIGRATIONS.create(empty)
    with unit_of_work(empty) as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
        if revision:
            connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{revision}')")  # noqa: S608 - ours
    assert refusal(empty).endswith(code)
    with pytest.raises(Unavailable):
        MIGRATIONS.create(empty)


def test_an_older_database_is_upgraded_with_its_rows_and_guards(empty: Engine, tmp_path: Path) -> None:
    MIGRATIONS.create(empty)
    with unit_of_work(empty) as connection:
        for session in ("SES-1", "SES-2"):
            connection.execute(a_row("proofing_sessions", id=session))
        connection.execute(a_row("proofing_challenges", session_id="SES-1"))  # refers to what will change
        connection.execute(a_row("data_keys", wrapped=b"secret"))
    later = two_steps(tmp_path)
    assert refusal(empty, later) == "DATABASE_SCHEMA_OLD"
    assert later.upgrade(empty) == ("0001", "0002")
    later.require(empty, may_create=False)
    with reading(empty) as connection:
        rows = connection.exec_driver_sql("SELECT id, shelf FROM proofing_sessions ORDER BY 1").all()
    assert [tuple(row) for row in rows] == [("SES-1", "upper"), ("SES-2", "lower")]
    assert refusal(empty) == "DATABASE_SCHEMA_NEWER"
    assert later.upgrade(empty) == ("0002", "0002")
    assert [line for line in find_drift(empty, schema).missing if "proofing_sessions" not in line] == []
    with pytest.raises(IntegrityError, match="tombstone"), unit_of_work(empty) as connection:
        connection.exec_driver_sql("DELETE FROM data_keys")
    with pytest.raises(IntegrityError), unit_of_work(empty) as connection:
        connection.exec_driver_sql("DELETE FROM proofing_sessions")  # foreign keys are in force again


def test_a_step_that_fails_leaves_the_database_as_it_was(empty: Engine, tmp_path: Path) -> None:
    MIGRATIONS.create(empty)
    before = find_drift(empty, schema)
    with pytest.raises(ZeroDivisionError):
        two_steps(tmp_path, failure="1 / 0").upgrade(empty)
    assert find_revision(empty) == "0001"
    assert find_drift(empty, schema) == before


def test_two_upgrades_at_once_happen_once(empty: Engine, tmp_path: Path) -> None:
    MIGRATIONS.create(empty)
    later, url = two_steps(tmp_path), empty.url.render_as_string(hide_password=False)

    def upgrade(_number: int) -> tuple[str, str]:
        engine = open_database(url)
        try:
            return later.upgrade(engine)
        finally:
            engine.dispose()

    with ThreadPoolExecutor(3) as threads:
        found = sorted(threads.map(upgrade, range(3)))
    assert found == [("0001", "0002"), ("0002", "0002"), ("0002", "0002")]


def test_keys_are_made_only_where_nothing_can_have_been_lost(empty: Engine) -> None:
    assert may_make_keys(empty) == (empty.dialect.name == "sqlite")
    MIGRATIONS.create(empty)
    assert not may_make_keys(empty)
    with unit_of_work(empty) as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    assert not may_make_keys(empty)


def test_two_programs_that_find_no_database_create_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"

    def prepare(_number: int) -> None:
        engine = open_database(url)
        prepare_schema(engine, may_create=True)
        engine.dispose()

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(prepare, range(3)))
    assert find_revision(open_database(url)) == NEWEST_REVISION


@pytest.mark.parametrize(
    ("kind", "damage", "thing"),
    [
        ("sqlite", "DROP TRIGGER data_keys_no_delete", "guard CREATE TRIGGER data_keys_no_delete"),
        ("sqlite", "DROP INDEX ix_evidence_subject", "index CREATE INDEX ix_evidence_subject"),
        ("sqlite", "ALTER TABLE evidence DROP COLUMN erased_why", "column evidence: erased_why"),
        (
            "postgresql",
            "DROP TRIGGER data_keys_no_delete ON data_keys",
            "guard CREATE TRIGGER data_keys_no_delete",
        ),
        (
            "postgresql",
            "ALTER TABLE data_keys DISABLE TRIGGER data_keys_no_delete",
            "guard CREATE TRIGGER data_keys_no_delete",
        ),
        ("postgresql", "DROP TABLE evidence_p3", "partition evidence_p3"),
        ("postgresql", "ALTER TABLE evidence ALTER COLUMN kind TYPE text", "column evidence.kind"),
        (
            "postgresql",
            LET_PASS,
            "function CREATE OR REPLACE FUNCTION shiming_refuse_change",
        ),
    ],
)
def test_whatever_somebody_changed_by_hand_is_found(
    kind: str, damage: str, thing: str, tmp_path: Path
) -> None:
    with a_database(kind, tmp_path / "database") as url:
        engine = open_database(url)
        with unit_of_work(engine) as connection:
            connection.exec_driver_sql(damage)
        drift = find_drift(engine, schema)
        engine.dispose()
    assert any(line.startswith(thing) for line in drift.missing), drift
