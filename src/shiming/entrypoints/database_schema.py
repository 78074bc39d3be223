"""The present schema of the database, and the way to it."""

from pathlib import Path

from sqlalchemy.engine import Engine

from shiming.infrastructure.migrations import Migrations, find_revision

NEWEST_REVISION = "0001"  # the head of migrations/versions; a test compares them
MIGRATIONS = Migrations(Path(__file__).with_name("migrations"), NEWEST_REVISION)


def prepare_schema(engine: Engine, *, may_create: bool) -> None:
    """Let only a database of the present schema pass; an empty SQLite one is created if that is allowed.

    Unavailable: DATABASE_NOT_INITIALISED (run `shiming db init`), DATABASE_SCHEMA_OLD (`shiming db upgrade`),
    DATABASE_SCHEMA_NEWER, DATABASE_FOREIGN, DATABASE_RESTORE_UNFINISHED. Costs one query when all is well.
    """
    MIGRATIONS.require(engine, may_create=may_create)


def may_make_keys(engine: Engine) -> bool:
    """Say whether new keys can hide no loss: the database is an SQLite file that holds nothing yet."""
    return engine.dialect.name == "sqlite" and find_revision(engine) is None
