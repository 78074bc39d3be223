"""How the schema of a database differs from the one that the program expects, to the last guard.

Both are described by the database itself: the expected one is created beside the real one (in memory on
SQLite, in a schema of its own inside a transaction that is rolled back on PostgreSQL), so that types,
checks, partitions, functions and triggers are compared in the server's own words. The order of columns does
not count: a migration can only add at the end.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.database import open_database, reading, unit_of_work
from shiming.infrastructure.migrations import VERSION_TABLE

_SHADOW = "shiming_expected"
_CAST = re.compile(r"::(?:text|character varying)(?:\[\])?")
_ENCLOSED = re.compile(r"(?<!\w)\((\w+|'[^']*'|ARRAY\[[^\]]*\])\)")
_QUERIES = (
    """SELECT CASE WHEN relispartition THEN 'partition ' ELSE 'table ' END || relname
       || coalesce(' by ' || pg_get_partkeydef(oid), '')
       || coalesce(' ' || pg_get_expr(relpartbound, oid), '')
       FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = :space""",
    """SELECT 'column ' || relname || '.' || attname || ' ' || format_type(atttypid, atttypmod)
       || CASE WHEN attnotnull THEN ' not null' ELSE '' END
       || CASE attidentity WHEN '' THEN '' ELSE ' identity' END
       || coalesce(' default ' || pg_get_expr(adbin, adrelid), '')
       FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
       LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
       WHERE relkind IN ('r', 'p') AND relnamespace = :space AND attnum > 0 AND NOT attisdropped""",
    """SELECT 'constraint ' || relname || '.' || conname || ' ' || pg_get_constraintdef(pg_constraint.oid)
       FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
       WHERE connamespace = :space AND contype <> 'n'""",
    """SELECT 'index ' || pg_get_indexdef(indexrelid) || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END
       FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relnamespace = :space""",
    """SELECT 'guard ' || pg_get_triggerdef(pg_trigger.oid)
       || CASE tgenabled WHEN 'O' THEN '' ELSE ' DISABLED' END
       FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
       WHERE relnamespace = :space AND NOT tgisinternal""",
    """SELECT 'function ' || pg_get_functiondef(oid)
       FROM pg_proc WHERE pronamespace = :space AND prokind = 'f'""",
)


@dataclass(frozen=True, slots=True)
class Drift:
    """What the database lacks and what it has too much, each thing in one line."""

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected)


def find_drift(engine: Engine, expected: sa.MetaData) -> Drift:
    """Compare the database with the schema of the program; Unavailable where no schema may be created."""
    if engine.dialect.name == "postgresql":
        present, wanted = _postgresql(engine, expected)
    else:
        with reading(engine) as connection:
            present = describe(connection)
        beside = open_database("sqlite://")
        with unit_of_work(beside) as connection:
            expected.create_all(connection)
            wanted = describe(connection)
        beside.dispose()
    return Drift(tuple(sorted(wanted - present)), tuple(sorted(present - wanted)))


def describe(connection: Connection, space: str = "public") -> frozenset[str]:
    """Return one line for each thing in a schema: table, column, constraint, index, guard, function."""
    things = _on_postgresql(connection, space) if _is_postgresql(connection) else _on_sqlite(connection)
    return frozenset(" ".join(thing.split()) for thing in things if VERSION_TABLE not in thing)


def _postgresql(engine: Engine, expected: sa.MetaData) -> tuple[frozenset[str], frozenset[str]]:
    with unit_of_work(engine) as connection:
        present = describe(connection)
        connection.exec_driver_sql(f"CREATE SCHEMA {_SHADOW}")
        connection.exec_driver_sql(f"SET LOCAL search_path TO {_SHADOW}")
        expected.create_all(connection, checkfirst=False)
        wanted = describe(connection, _SHADOW)
        connection.rollback()
    return present, wanted


def _is_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _on_postgresql(connection: Connection, space: str) -> Iterator[str]:
    number = connection.execute(
        sa.text("SELECT oid FROM pg_namespace WHERE nspname = :space"), {"space": space}
    ).scalar_one()
    for query in _QUERIES:
        for thing in connection.execute(sa.text(query), {"space": number}).scalars():
            plain = thing.replace(f"{space}.", "")
            yield _without_casts(plain) if plain.startswith(("constraint", "index")) else plain


def _without_casts(text: str) -> str:
    """Leave out casts between kinds of text and what they enclose: a dump writes them in another way."""
    text, before = _CAST.sub("", text), ""
    while text != before:
        text, before = _ENCLOSED.sub(r"\1", text), text
    return text


def _on_sqlite(connection: Connection) -> Iterator[str]:
    rows = connection.exec_driver_sql(
        "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite~_%' ESCAPE '~'"
    )
    for kind, name, sql in rows:
        if kind != "table":
            yield f"{'guard' if kind == 'trigger' else kind} {sql}".replace('"', "")
            continue
        yield f"table {name}"
        for part in _parts(sql):
            yield f"column {name}: {part}"


def _parts(sql: str) -> list[str]:
    """Return the columns and constraints of CREATE TABLE, without regard to their order."""
    body = sql[sql.index("(") + 1 : sql.rindex(")")].replace('"', "")
    parts, depth = [""], 0
    for sign in re.findall(r"'(?:[^']|'')*'|.", body, re.DOTALL):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [" ".join(part.split()) for part in parts]
