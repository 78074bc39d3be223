"""Places under a cap: counters of lines, and places that a session keeps for a while.

The counter of a holder is locked first by everything that takes or keeps a place. What takes one raises
`version`; who decided on an older version finds its condition false and decides again.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import insert_into
from shiming.registrations.model.lines import Line
from shiming.registrations.model.registration import HolderCounter
from shiming.registrations.store.orders import line_orders
from shiming.registrations.store.tables import cap_counters, in_use, lines

_c = cap_counters.c


@dataclass(frozen=True, slots=True)
class CounterKey:
    """Whose lines are counted, where, and under which cap of the pack."""

    subject: str
    scope: str
    name: str


@dataclass(frozen=True, slots=True)
class OverCap:
    """A holder who has more lines than the cap of today."""

    subject: str
    cap_scope: str
    cap_name: str
    active: int


def key_of(line: Line) -> CounterKey | None:
    """Return the counter that a line is counted in; None: it is not counted."""
    return None if line.cap_name is None else CounterKey(line.subject, line.cap_scope, line.cap_name)


def lock_counter(connection: Connection, key: CounterKey) -> HolderCounter:
    """Hold a counter until the transaction ends, made where there was none; return how it stands."""
    new = insert_into(connection, cap_counters).values(**_columns(key), active=0, cap=0)
    connection.execute(new.on_conflict_do_nothing())
    row = connection.execute(cap_counters.select().where(_is(key)).with_for_update()).one()
    return HolderCounter(row.active, row.version, row.last_registered_at, row.day, row.day_count)


def places_kept(connection: Connection, key: CounterKey, *, session_id: str, now: datetime) -> int:
    """Count the places that other sessions of the holder keep."""
    query = sa.select(sa.func.count()).where(
        line_orders.c.cap_subject == key.subject,
        line_orders.c.cap_reserved_until > now,
        line_orders.c.cap_scope == key.scope,
        line_orders.c.cap_name == key.name,
        line_orders.c.session_id != session_id,
    )
    return connection.execute(query).scalar_one()


def keep_place(connection: Connection, key: CounterKey, *, session_id: str, until: datetime) -> None:
    """Keep one place for a session; the caller holds the counter and has counted."""
    connection.execute(
        line_orders.update()
        .where(line_orders.c.session_id == session_id)
        .values(cap_subject=key.subject, cap_scope=key.scope, cap_name=key.name, cap_reserved_until=until)
    )
    connection.execute(cap_counters.update().where(_is(key)).values(version=_c.version + 1))


def take_places(
    connection: Connection, key: CounterKey, many: int, *, cap: int, now: datetime, day: str
) -> int:
    """Count `many` more lines in a counter that the caller holds; return how many there are then."""
    changed = (
        cap_counters.update()
        .where(_is(key), _c.active + many <= cap)
        .values(
            active=_c.active + many,
            cap=cap,
            version=_c.version + 1,
            last_registered_at=now,
            day=day,
            day_count=sa.case((_c.day == day, _c.day_count + many), else_=many),
        )
        .returning(_c.active)
    )
    active: int = connection.execute(changed).scalar_one()
    return active


def lock_place(connection: Connection, line: Line) -> None:
    """Hold the counter of a line, before anything else of it is changed."""
    key = key_of(line)
    if key is not None:
        connection.execute(sa.select(_c.active).where(_is(key)).with_for_update())


def free_place(connection: Connection, line: Line) -> None:
    """Give the place of a line back, which ends or goes to another holder; the caller holds the counter."""
    key = key_of(line)
    if key is not None:
        connection.execute(cap_counters.update().where(_is(key)).values(active=_c.active - 1))


def list_over_cap(
    connection: Connection,
    caps: Iterable[tuple[str, int]],
    *,
    scopes: Collection[str] | None,
    line_at: Mapping[str, str],
    after: Sequence[str] | None,
    limit: int,
) -> tuple[OverCap, ...]:
    """Return holders with more lines than these caps (name, most), by their counters' keys.

    `line_at`: scopes that count lines of several operators, and where a holder has one to be named.
    """
    over = [(_c.cap_name == name) & (_c.active > most) for name, most in caps]
    query = cap_counters.select().where(sa.or_(sa.false(), *over))
    if scopes is not None:
        query = query.where(_c.cap_scope.in_(scopes))
    for scope, operator in line_at.items():
        query = query.where((_c.cap_scope != scope) | _has_line_at(operator))
    keys: tuple[sa.ColumnElement[Any], ...] = (_c.cap_name, _c.cap_scope, _c.subject)
    if after is not None:
        query = query.where(sa.tuple_(*keys) > sa.tuple_(*(sa.literal(part) for part in after)))
    rows = connection.execute(query.order_by(*keys).limit(limit))
    return tuple(OverCap(row.subject, row.cap_scope, row.cap_name, row.active) for row in rows)


def _has_line_at(operator: str) -> sa.ColumnElement[bool]:
    counted = (lines.c.cap_scope == _c.cap_scope) & (lines.c.cap_name == _c.cap_name)
    return sa.exists().where(lines.c.subject == _c.subject, lines.c.operator == operator, counted, in_use)


def _columns(key: CounterKey) -> dict[str, str]:
    return {"subject": key.subject, "cap_scope": key.scope, "cap_name": key.name}


def _is(key: CounterKey) -> sa.ColumnElement[bool]:
    return sa.and_(_c.subject == key.subject, _c.cap_scope == key.scope, _c.cap_name == key.name)
