"""Tables of lines and cap counters, and all their SQL.

Three walls keep the cap and the number, whatever runs at once: the counter is raised by one statement
that does nothing at the cap, a CHECK forbids more, and a partial unique index lets a number have one line
that is not terminated. A session registers one line, by its own unique column.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema
from shiming.registrations.model import Line, LineHolding, LineStatus
from shiming.vocabulary.msisdn import Msisdn



lines = sa.Table(
    "lines",
    schema,
    sa.Column("line_id", sa.String(40), primary_key=True),
    sa.Column("number", sa.String(16), nullable=False),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("product_class", sa.String(60), nullable=False),
    sa.Column("cap_scope", sa.String(80), nullable=False),
    sa.Column("subject", sa.String(80), nullable=False),
    sa.Column("session_id", sa.String(64), nullable=False, unique=True),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("registered_at", UtcInstant, nullable=False),
    sa.Column("terminated_at", UtcInstant),
    sa.Column("terminated_why", sa.String(80)),
    sa.Column("receipt", sa.Text, nullable=False),
    sa.CheckConstraint("(status = 'terminated') = (terminated_at IS NOT NULL)", name="terminated_when"),
    sa.Index("ix_lines_holder", "subject", "cap_scope", "product_class"),
)
_in_use = lines.c.status != LineStatus.TERMINATED.value
sa.Index(
    "ux_lines_number_in_use", lines.c.number, unique=True, sqlite_where=_in_use, postgresql_where=_in_use
)

cap_counters = sa.Table(
    "cap_counters",
    schema,
    sa.Column("subject", sa.String(80), primary_key=True),
    sa.Column("cap_scope", sa.String(80), primary_key=True),
    sa.Column("product_class", sa.String(60), primary_key=True),
    sa.Column("active", sa.Integer, nullable=False),
    sa.Column("cap", sa.Integer, nullable=False),
    sa.CheckConstraint("active BETWEEN 0 AND cap", name="within_cap"),
)


def take_cap_slot(
    connection: Connection, *, subject: str, cap_scope: str, product_class: str, cap: int
) -> int | None:
    """Count one more line, if the cap allows; return how many there are now, None at the cap."""
    first = insert_into(connection, cap_counters).values(
        subject=subject, cap_scope=cap_scope, product_class=product_class, active=1, cap=cap
    )
    one_more = first.on_conflict_do_update(
        index_elements=[cap_counters.c.subject, cap_counters.c.cap_scope, cap_counters.c.product_class],
        set_={"active": cap_counters.c.active + 1, "cap": first.excluded.cap},
        where=cap_counters.c.active < first.excluded.cap,
    ).returning(cap_counters.c.active)
    return connection.execute(one_more).scalar_one_or_none()


def give_cap_slot_back(connection: Connection, line: Line) -> None:
    """Count one line less."""
    connection.execute(
        cap_counters.update()
        .where(
            cap_counters.c.subject == line.subject,
            cap_counters.c.cap_scope == line.cap_scope,
            cap_counters.c.product_class == line.product_class,
        )
        .values(active=cap_counters.c.active - 1)
    )


def list_holdings(
    connection: Connection, *, subject: str, cap_scope: str, product_class: str
) -> tuple[LineHolding, ...]:
    """Return the lines that an identity holds and held in one scope."""
    query = sa.select(lines.c.line_id, lines.c.status).where(
        lines.c.subject == subject, lines.c.cap_scope == cap_scope, lines.c.product_class == product_class
    )
    return tuple(LineHolding(row.line_id, LineStatus(row.status)) for row in connection.execute(query))


def insert_line(connection: Connection, line: Line, receipt: Mapping[str, Any]) -> None:
    """Add an active line with its receipt."""
    connection.execute(
        lines.insert().values(
            line_id=line.line_id,
            number=line.number.reveal("store"),
            operator=line.operator,
            product_class=line.product_class,
            cap_scope=line.cap_scope,
            subject=line.subject,
            session_id=line.session_id,
            status=line.status.value,
            registered_at=line.registered_at,
            receipt=json.dumps(receipt, ensure_ascii=False),
        )
    )


def terminate(connection: Connection, line_id: str, *, now: datetime, why: str) -> None:
    """End a line; its number becomes free."""
    connection.execute(
        lines.update()
        .where(lines.c.line_id == line_id, _in_use)
        .values(status=LineStatus.TERMINATED.value, terminated_at=now, terminated_why=why)
    )


def find_in_use(connection: Connection, number: Msisdn) -> Line | None:
    """Return the line that uses a number now."""
    query = lines.select().where(lines.c.number == number.reveal("lookup"), _in_use)
    return _line(connection.execute(query).first())


def find_latest(connection: Connection, number: Msisdn) -> Line | None:
    """Return the line that uses a number now, or the last one that did."""
    query = (
        lines.select()
        .where(lines.c.number == number.reveal("lookup"))
        .order_by(_in_use.desc(), lines.c.registered_at.desc(), lines.c.line_id)
        .limit(1)
    )
    return _line(connection.execute(query).first())


def find_line(connection: Connection, line_id: str) -> Line | None:
    """Return a line by its reference."""
    return _line(connection.execute(lines.select().where(lines.c.line_id == line_id)).first())


def find_by_session(connection: Connection, session_id: str) -> Line | None:
    """Return the line that a session registered."""
    return _line(connection.execute(lines.select().where(lines.c.session_id == session_id)).first())


def get_receipt(connection: Connection, line_id: str) -> dict[str, Any]:
    """Return the receipt of a line that exists."""
    text = connection.execute(sa.select(lines.c.receipt).where(lines.c.line_id == line_id)).scalar_one()
    receipt: dict[str, Any] = json.loads(text)
    return receipt


def _line(row: Row[Any] | None) -> Line | None:
    if row is None:
        return None
    return Line(
        line_id=row.line_id,
        number=Msisdn.parse(row.number),
        operator=row.operator,
        product_class=row.product_class,
        cap_scope=row.cap_scope,
        subject=row.subject,
        session_id=row.session_id,
        status=LineStatus(row.status),
        registered_at=row.registered_at,
        terminated_at=row.terminated_at,
        terminated_why=row.terminated_why,
    )
