"""The pool in SQL. Blocks are disjoint, and so are exclusions: the nearest range below a number says all.

Ranges of another length lie between others in the order of text, so lengths are compared first.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.database import insert_into
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.numbers import (
    NumberBlock,
    NumberFacts,
    NumberHold,
    NumberRange,
    NumberState,
)
from shiming.registrations.store.number_tables import number_blocks, numbers_held
from shiming.registrations.store.tables import numbers_in_use

#: Ranges asked about in one statement; SQLite allows 500 parts of a compound SELECT.
NEIGHBOURS_AT_ONCE = 100
_FREED_AT_ONCE = 1000
_NO_LINE = ""  # in a place of `numbers_in_use` that nobody else ever sees


def keep_others_out(connection: Connection) -> None:
    """Let nobody else add blocks until the transaction ends, so that none overlap; readers go on."""
    if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
        connection.execute(sa.text("LOCK TABLE number_blocks IN SHARE ROW EXCLUSIVE MODE"))


def add_blocks(connection: Connection, blocks: Sequence[NumberBlock]) -> None:
    """Write blocks that overlap none."""
    rows = [
        {
            "block_id": block.block_id,
            "operator": block.operator,
            "first": block.range.first,
            "last": block.range.last,
            "kind": block.kind.value,
            "excluded": block.excluded,
            "added_at": block.added_at,
        }
        for block in blocks
    ]
    if rows:
        connection.execute(number_blocks.insert(), rows)


def nearest(
    connection: Connection, numbers: Sequence[str], *, excluded: bool
) -> Mapping[str, NumberBlock | None]:
    """Return for each number the last range of its length that begins at or before it."""
    found: dict[str, NumberBlock | None] = dict.fromkeys(numbers)
    wanted = list(found)
    for at in range(0, len(wanted), NEIGHBOURS_AT_ONCE):
        part = wanted[at : at + NEIGHBOURS_AT_ONCE]
        query = _nearest_query(len(part))
        names = {f"n{index}": number for index, number in enumerate(part)}
        for row in connection.execute(query, names | {"excluded": excluded}):
            found[row.number] = _block(row)
    return found


def blocks_from(
    connection: Connection,
    operator: str,
    *,
    kind: LineKind | None,
    block_id: str | None = None,
    first: str,
    behind: bool = False,
    limit: int,
) -> tuple[NumberBlock, ...]:
    """Return blocks of an operator that begin at, or only `behind`, a number, in order; no exclusions."""
    begins = number_blocks.c.first
    query = (
        number_blocks.select()
        .where(
            number_blocks.c.operator == operator,
            number_blocks.c.excluded.is_(sa.false()),
            begins > first if behind else begins >= first,
        )
        .order_by(number_blocks.c.first)
        .limit(limit)
    )
    if kind is not None:
        query = query.where(number_blocks.c.kind == kind.value)
    if block_id is not None:
        query = query.where(number_blocks.c.block_id == block_id)
    return tuple(_block(row) for row in connection.execute(query))


def list_blocks(
    connection: Connection, operator: str | None, *, after: str | None, limit: int
) -> tuple[NumberBlock, ...]:
    """Return ranges, exclusions too, in the order of their references."""
    query = number_blocks.select().order_by(number_blocks.c.block_id).limit(limit)
    if operator is not None:
        query = query.where(number_blocks.c.operator == operator)
    if after is not None:
        query = query.where(number_blocks.c.block_id > after)
    return tuple(_block(row) for row in connection.execute(query))


def some_block(
    connection: Connection,
    operator: str,
    *,
    kind: LineKind | None,
    block_id: str | None = None,
    from_reference: str,
) -> NumberBlock | None:
    """Return the block whose reference follows one that was drawn by chance, or the first of all."""
    query = (
        number_blocks.select()
        .where(number_blocks.c.operator == operator, number_blocks.c.excluded.is_(sa.false()))
        .order_by((number_blocks.c.block_id < from_reference), number_blocks.c.block_id)
        .limit(1)
    )
    if kind is not None:
        query = query.where(number_blocks.c.kind == kind.value)
    if block_id is not None:
        query = query.where(number_blocks.c.block_id == block_id)
    row = connection.execute(query).first()
    return None if row is None else _block(row)


def exclusions_in(connection: Connection, block: NumberRange) -> tuple[NumberRange, ...]:
    """Return the exclusions within a block, in order."""
    query = (
        sa.select(number_blocks.c.first, number_blocks.c.last)
        .where(
            number_blocks.c.excluded.is_(sa.true()),
            number_blocks.c.first.between(block.first, block.last),
            sa.func.length(number_blocks.c.first) == len(block.first),
        )
        .order_by(number_blocks.c.first)
    )
    return tuple(NumberRange(first, last) for first, last in connection.execute(query))


def taken(connection: Connection, numbers: Sequence[str], now: datetime) -> frozenset[str]:
    """Return which of these numbers a line uses, or are kept or rest."""
    used = sa.select(numbers_in_use.c.number).where(numbers_in_use.c.number.in_(numbers))
    held = sa.select(numbers_held.c.number).where(
        numbers_held.c.number.in_(numbers), numbers_held.c.until > now
    )
    return frozenset(connection.execute(sa.union_all(used, held)).scalars())


def number_facts(connection: Connection, number: str) -> NumberFacts:
    """Return what is known of a number."""
    whole = NumberRange(number, number)
    block = nearest(connection, (number,), excluded=False)[number]
    excluded = nearest(connection, (number,), excluded=True)[number]
    inside = block if block is not None and block.range.contains(whole) else None
    used = sa.select(numbers_in_use.c.line_id).where(numbers_in_use.c.number == number)
    held = connection.execute(numbers_held.select().where(numbers_held.c.number == number)).first()
    return NumberFacts(
        operator=None if inside is None else inside.operator,
        kind=None if inside is None else inside.kind,
        excluded=excluded is not None and excluded.range.contains(whole),
        line_id=connection.execute(used).scalar(),
        hold=None if held is None else _hold(held),
    )


def count_held(connection: Connection, held_for: str, now: datetime) -> int:
    """Return how many numbers are kept for a session or an organisation."""
    query = (
        sa.select(sa.func.count())
        .select_from(numbers_held)
        .where(numbers_held.c.held_for == held_for, numbers_held.c.until > now)
    )
    return connection.execute(query).scalar_one()


def hold(connection: Connection, number: str, kept: NumberHold, *, now: datetime) -> bool:
    """Keep a number; False when a line uses it, or somebody holds it already.

    Its place in `numbers_in_use` is taken first and given back at the end, in one transaction: whoever
    registers the number at the same moment waits for it and then sees the hold. Lock order: the place, the
    hold, as when a line begins or ends.
    """
    place = insert_into(connection, numbers_in_use).values(
        number=number, operator=kept.operator, line_id=_NO_LINE
    )
    placed = connection.execute(place.on_conflict_do_nothing().returning(numbers_in_use.c.number))
    if placed.first() is None:
        return False
    held = _write_hold(connection, number, kept, now)
    connection.execute(
        numbers_in_use.delete().where(numbers_in_use.c.number == number, numbers_in_use.c.line_id == _NO_LINE)
    )
    return held


def _write_hold(connection: Connection, number: str, kept: NumberHold, now: datetime) -> bool:
    statement = insert_into(connection, numbers_held).values(_held_row(number, kept))
    statement = statement.on_conflict_do_update(
        index_elements=[numbers_held.c.number],
        set_=_held_columns(kept),
        where=numbers_held.c.until <= now,
    )
    return connection.execute(statement.returning(numbers_held.c.number)).first() is not None


def rest(connection: Connection, number: str, kept: NumberHold) -> None:
    """Let a number rest after use, whatever was kept before."""
    statement = insert_into(connection, numbers_held).values(_held_row(number, kept))
    connection.execute(
        statement.on_conflict_do_update(index_elements=[numbers_held.c.number], set_=_held_columns(kept))
    )


def release(connection: Connection, number: str, *, operator: str, held_for: str) -> bool:
    """Keep a number no longer; False when it was not kept for this one."""
    statement = numbers_held.delete().where(
        numbers_held.c.number == number,
        numbers_held.c.operator == operator,
        numbers_held.c.held_for == held_for,
        numbers_held.c.state == NumberState.RESERVED.value,
    )
    return connection.execute(statement).rowcount == 1


def release_all(connection: Connection, *, operator: str, held_for: str) -> tuple[str, ...]:
    """Keep nothing any longer for a session or organisation; return the numbers, in order."""
    statement = numbers_held.delete().where(
        numbers_held.c.held_for == held_for,
        numbers_held.c.operator == operator,
        numbers_held.c.state == NumberState.RESERVED.value,
    )
    return tuple(sorted(connection.execute(statement.returning(numbers_held.c.number)).scalars()))


def free_expired(connection: Connection, now: datetime) -> int:
    """Remove a batch of what has run out; return how many."""
    due = (
        sa.select(numbers_held.c.number)
        .where(numbers_held.c.until <= now)
        .order_by(numbers_held.c.until)
        .limit(_FREED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    numbers = connection.execute(due).scalars().all()
    if not numbers:
        return 0
    gone = numbers_held.delete().where(numbers_held.c.number.in_(numbers), numbers_held.c.until <= now)
    return connection.execute(gone).rowcount


@cache
def _nearest_query(count: int) -> sa.TextualSelect:
    """Return the question for `count` numbers; the column order is that of the table."""
    names = ", ".join(column.name for column in number_blocks.c)
    each = (
        f"SELECT * FROM (SELECT :n{{0}} AS number, {names} FROM number_blocks "  # noqa: S608 - no input in it
        "WHERE excluded = :excluded AND first <= :n{0} AND length(first) = length(:n{0}) "
        "ORDER BY first DESC LIMIT 1) AS b{0}"
    )
    text = sa.text(" UNION ALL ".join(each.format(index) for index in range(count)))
    return text.columns(sa.column("number"), *number_blocks.c)  # columns give instants their zone


def _held_row(number: str, kept: NumberHold) -> dict[str, Any]:
    return {"number": number, **_held_columns(kept)}


def _held_columns(kept: NumberHold) -> dict[str, Any]:
    return {
        "operator": kept.operator,
        "state": kept.state.value,
        "held_for": kept.held_for,
        "until": kept.until,
    }


def _hold(row: Row[Any]) -> NumberHold:
    return NumberHold(NumberState(row.state), row.operator, row.held_for, row.until)


def _block(row: Row[Any]) -> NumberBlock:
    return NumberBlock(
        row.block_id,
        row.operator,
        NumberRange(row.first, row.last),
        LineKind(row.kind),
        row.excluded,
        row.added_at,
    )
