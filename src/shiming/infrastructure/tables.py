"""The one schema that every feature's `store` adds its tables to, and the parts that tables are made of.

The same tables exist on SQLite and on PostgreSQL. What only one engine can do is said here once:
partitions by operator (PostgreSQL) and guards against changes of records that must stay as they are (both,
each in its own words).
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Dialect

#: Hash partitions of a large table on PostgreSQL; a fixed number, so that a new operator needs no new table.
PARTITIONS = 8
REFUSE_FUNCTION = "shiming_refuse_change"

schema = sa.MetaData()


class UtcInstant(sa.TypeDecorator[datetime]):
    """An instant, kept in UTC on every engine; a time without a zone is refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn any zone into UTC."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            message = "an instant needs a time zone"
            raise ValueError(message)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back that SQLite does not keep."""
        del dialect
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def partitioned(name: str, *parts: Any, by: str = "operator") -> sa.Table:
    """Return a table that PostgreSQL splits by the hash of one column, which its unique keys must contain."""
    table = sa.Table(name, schema, *parts, postgresql_partition_by=f"HASH ({by})")
    for number in range(PARTITIONS):
        statement = (
            f"CREATE TABLE {name}_p{number} PARTITION OF {name} "
            f"FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {number})"
        )
        _after_create(table, statement, "postgresql")
    return table


def guard(table: sa.Table, name: str, verb: str, why: str, when: str = "") -> None:
    """Let the database itself refuse UPDATE or DELETE of rows, for the same reason on both engines.

    `when` is a condition over OLD and NEW that both engines understand; without it every row is refused.
    Whoever owns the database can drop a guard: it stops mistakes, the ledger finds the rest.
    """
    when = f"WHEN ({when})" if when else ""
    _after_create(
        table,
        f"CREATE TRIGGER {name} BEFORE {verb} ON {table.name} {when} BEGIN SELECT RAISE(ABORT, '{why}'); END",
        "sqlite",
    )
    _after_create(
        table,
        f"CREATE TRIGGER {name} BEFORE {verb} ON {table.name} FOR EACH ROW {when} "
        f"EXECUTE FUNCTION {REFUSE_FUNCTION}('{why}')",
        "postgresql",
    )


def _after_create(table: sa.Table, statement: str, dialect: str) -> None:
    ddl = sa.DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call] # the library leaves it untyped
    event.listen(table, "after_create", ddl.execute_if(dialect=dialect))


@event.listens_for(schema, "before_create")
def _create_functions(_schema: sa.MetaData, connection: Connection, **_options: Any) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(
            sa.text(
                f"CREATE OR REPLACE FUNCTION {REFUSE_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END $$"
            )
        )
