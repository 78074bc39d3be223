"""Write the first migration from the present schema: `python -m tools.first_migration`.

Until the first release the schema may change freely, and this makes the migration follow. Afterwards a
change is a step of its own in src/shiming/entrypoints/migrations/versions/.

Every statement is recorded while `schema.create_all` runs on a real database of each engine, so the migration
is what the schema does: tables, indexes, partitions, functions and guards.
"""

import re
import tempfile
from contextlib import AbstractContextManager, nullcontext
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import event

import shiming.entrypoints.schema
from shiming.entrypoints.migrations import __path__ as migrations
from shiming.infrastructure.database import open_database, unit_of_work
from shiming.infrastructure.sql_script import script_of
from shiming.infrastructure.tables import schema
from tests.databases import ENGINES, a_postgresql_database

_READS = re.compile(r"\s*(SELECT|PRAGMA|BEGIN|SHOW)\b", re.IGNORECASE)
_INDEX = re.compile(r"\s*CREATE (UNIQUE )?INDEX\b")


def recorded(url: str) -> list[str]:
    """Return the statements that create the schema in an empty database."""
    statements: list[str] = []

    def note(
        _connection: Any, _cursor: Any, statement: str, parameters: Any, context: Any, _many: bool
    ) -> None:
        if _READS.match(statement):
            return
        if parameters:
            raise ValueError(statement)  # a migration is text alone
        as_sent = context is not None and context.execution_options.get("no_parameters")
        doubled = url.startswith("postgresql") and not as_sent
        statements.append(statement.replace("%%", "%") if doubled else statement)

    engine = open_database(url)
    event.listen(engine, "before_cursor_execute", note)
    with unit_of_work(engine) as connection:
        schema.create_all(connection, checkfirst=False)
    engine.dispose()
    return _in_order(statements)


def _in_order(statements: list[str]) -> list[str]:
    """Sort indexes that follow each other: SQLAlchemy keeps those of a table in a set."""
    runs = groupby(statements, key=lambda statement: bool(_INDEX.match(statement)))
    return [statement for are_indexes, run in runs for statement in (sorted(run) if are_indexes else run)]


def _tidy(statement: str) -> str:
    return "\n".join(line.rstrip() for line in statement.strip().replace("\t", "    ").splitlines())


def _empty(kind: str, folder: str) -> AbstractContextManager[str]:
    return a_postgresql_database() if kind == "postgresql" else nullcontext(f"sqlite:///{folder}/first.db")


def main() -> None:
    """Write both files."""
    print(f"{len(shiming.entrypoints.schema.TABLES)} tables")
    for kind in ENGINES:
        with tempfile.TemporaryDirectory() as folder, _empty(kind, folder) as url:
            statements = [_tidy(statement) for statement in recorded(url)]
        file = Path(migrations[0]) / "versions" / f"0001_first.{kind}.sql"
        file.write_text(script_of(statements), encoding="utf-8")
        print(f"{file.name}: {len(statements)} statements")


if __name__ == "__main__":
    main()
