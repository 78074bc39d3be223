"""Tables of the ledger, and all their SQL.

A leaf belongs to a lane and has the next number of its lane. A transaction locks its lane until it commits,
so the numbers of a lane have no gaps and become visible in their order; each connection uses a lane of its
own, so writers do not wait for each other. SQLite has one writer and one lane.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.tables import guard, partitioned, schema

#: (table, trigger, verb) of every guard of the ledger: `missing_guards` looks for them.
GUARDS: list[tuple[str, str, str]] = []


def ledger_guard(table: sa.Table, name: str, verb: str, why: str, when: str = "") -> None:
    """Guard a table of the ledger, and note that the guard must be found there."""
    guard(table, name, verb, why, when)
    GUARDS.append((table.name, name, verb))


LANE_LOCK = 0x5348  # class of the advisory locks by which a PostgreSQL session holds its lane
_LANE = "shiming_ledger_lane"
_ROWS_AT_ONCE = 1000  # rows in memory while streaming
_TRIGGER_BITS = {"UPDATE": 1 + 2 + 16, "DELETE": 1 + 2 + 8}  # pg_trigger.tgtype: each row, before, verb
_REFUSE_BODY = "BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END"

ledger_lanes = sa.Table(
    "ledger_lanes",
    schema,
    sa.Column("lane", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),  # of its last leaf; 0: none yet
    sa.Column("mac", sa.String(64), nullable=False),
    sa.Column("key_id", sa.String(40), nullable=False),
    sqlite_autoincrement=True,  # the number of a lane that was torn out is never given again
)
ledger_guard(ledger_lanes, "ledger_lanes_no_delete", "DELETE", "a lane stays")
ledger_guard(
    ledger_lanes,
    "ledger_lanes_forward",
    "UPDATE",
    "a lane moves forward by one",
    "NEW.sequence <> OLD.sequence + 1 OR NEW.lane <> OLD.lane",
)

ledger_leaves = partitioned(
    "ledger_leaves",
    sa.Column("operator", sa.String(40), primary_key=True),
    sa.Column("lane", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("leaf", sa.Text, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("mac", sa.String(64), nullable=False),
    sa.Column("key_id", sa.String(40), nullable=False),
    sa.Index("ix_ledger_leaves_lane", "lane", "sequence"),
)
ledger_guard(ledger_leaves, "ledger_leaves_no_update", "UPDATE", "the ledger is append-only")
ledger_guard(ledger_leaves, "ledger_leaves_no_delete", "DELETE", "the ledger is append-only")


class LeafRow(NamedTuple):
    """A row of `ledger_leaves` as it was found; on SQLite any field may hold anything."""

    operator: str
    lane: int
    sequence: int
    leaf: str
    hash: str
    mac: str
    key_id: str


_LEAF_COLUMNS = tuple(ledger_leaves.c[name] for name in LeafRow._fields)


def lock_lane(connection: Connection) -> tuple[int, int] | None:
    """Lock the lane of this connection until the end of the transaction; return it and its last number.

    None when there is no lane that this connection could take: then `insert_lane` makes one.
    """
    lane = connection.info.get(_LANE) or _take_free_lane(connection)
    if lane is None:
        return None
    query = sa.select(ledger_lanes.c.sequence).where(ledger_lanes.c.lane == lane).with_for_update()
    sequence = connection.execute(query).scalar()
    if sequence is None:  # its first transaction was rolled back
        connection.info.pop(_LANE, None)
        return None
    connection.info[_LANE] = lane
    return lane, sequence


def insert_lane(connection: Connection, *, mac: str, key_id: str) -> int:
    """Add a lane and hold it for this connection; return its number."""
    new = ledger_lanes.insert().values(sequence=0, mac=mac, key_id=key_id).returning(ledger_lanes.c.lane)
    lane: int = connection.execute(new).scalar_one()
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_lock(LANE_LOCK, lane)))
    connection.info[_LANE] = lane
    return lane


def insert_leaf(connection: Connection, **values: Any) -> None:
    """Append a leaf and move its lane on."""
    connection.execute(ledger_leaves.insert().values(**values))


def advance_lane(connection: Connection, lane: int, *, sequence: int, mac: str, key_id: str) -> None:
    """Move a lane to the leaf just appended."""
    connection.execute(
        ledger_lanes.update()
        .where(ledger_lanes.c.lane == lane)
        .values(sequence=sequence, mac=mac, key_id=key_id)
    )


def list_lanes(connection: Connection) -> tuple[Row[Any], ...]:
    """Return all lanes in order."""
    return tuple(connection.execute(ledger_lanes.select().order_by(ledger_lanes.c.lane)))


def iterate_leaves(
    connection: Connection, lane: Any, *, after: int | None = None, limit: int | None = None
) -> Iterator[LeafRow]:
    """Return the leaves of a lane in order, a few at a time in memory."""
    query = (
        sa.select(*_LEAF_COLUMNS)
        .where(ledger_leaves.c.lane == lane, *(() if after is None else (ledger_leaves.c.sequence > after,)))
        .order_by(ledger_leaves.c.sequence, ledger_leaves.c.operator)
        .limit(limit)
        .execution_options(yield_per=_ROWS_AT_ONCE)
    )
    with connection.execute(query) as found:  # closed where a reader stops
        yield from map(LeafRow._make, found)


def find_leaves(connection: Connection, lane: int, sequence: int) -> list[LeafRow]:
    """Return the leaf of this name; more than one is the work of an intruder."""
    at = (ledger_leaves.c.lane == lane) & (ledger_leaves.c.sequence == sequence)
    return list(map(LeafRow._make, connection.execute(sa.select(*_LEAF_COLUMNS).where(at))))


def missing_guards(connection: Connection) -> list[str]:
    """Return the guards that are not in place, or not as they were made."""
    find = _postgresql_guards if connection.dialect.name == "postgresql" else _sqlite_guards
    found = find(connection)
    return [name for guard in GUARDS if guard not in found for name in guard[1:2]]


def _sqlite_guards(connection: Connection) -> set[tuple[str, str, str]]:
    rows = connection.exec_driver_sql("SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'")
    return {
        (table, name, verb)
        for table, name, sql in rows
        for verb in ("UPDATE", "DELETE")
        if f"BEFORE {verb} ON {table}" in sql and "RAISE(ABORT" in sql
    }


def _postgresql_guards(connection: Connection) -> set[tuple[str, str, str]]:
    """Count a guard when it is enabled on the table and on every partition, and still refuses."""
    rows = connection.exec_driver_sql(
        "SELECT t.tgrelid::regclass::text, t.tgname, t.tgtype, p.prosrc FROM pg_trigger t "
        "JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_class c ON c.oid = t.tgrelid "
        "WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgenabled = 'O' AND NOT EXISTS ("
        "SELECT FROM pg_inherits i WHERE i.inhparent = t.tgrelid AND NOT EXISTS ("
        "SELECT FROM pg_trigger part WHERE part.tgrelid = i.inhrelid AND part.tgparentid = t.oid "
        "AND part.tgenabled = 'O'))"
    )
    return {
        (table, name, verb)
        for table, name, kind, source in rows
        for verb, bits in _TRIGGER_BITS.items()
        if kind == bits and source.split() == _REFUSE_BODY.split()
    }


@contextmanager
def tolerant_text(connection: Connection) -> Iterator[None]:
    """Read text that is not UTF-8 as well: who tampers with a row must not stop its examination."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name != "sqlite":  # PostgreSQL refuses such text on writing
        yield
        return
    driver.text_factory = lambda raw: raw.decode("utf-8", "replace")
    try:
        yield
    finally:
        driver.text_factory = str


def _take_free_lane(connection: Connection) -> int | None:
    """Return a lane that no other connection holds; on PostgreSQL it is held until this one closes."""
    query = sa.select(ledger_lanes.c.lane).order_by(ledger_lanes.c.lane)
    lanes: Sequence[int] = connection.execute(query).scalars().all()
    if connection.dialect.name != "postgresql":
        return lanes[0] if lanes else None
    for lane in lanes:
        if connection.execute(sa.select(sa.func.pg_try_advisory_lock(LANE_LOCK, lane))).scalar_one():
            return lane
    return None
