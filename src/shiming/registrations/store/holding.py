"""Who holds a line: reading it, handing it over, and the acts of its history, which only grow.

Order of locks, as in registering and ending: sessions, counters (in the order of their keys), the line, the
ledger lane.
"""

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.registrations.model.holding import Act
from shiming.registrations.model.lines import Line, LineKind, LineStatus, stored_identifier
from shiming.registrations.model.registration import HolderCounter
from shiming.registrations.store.cap_counters import CounterKey
from shiming.registrations.store.orders import line_orders
from shiming.registrations.store.tables import cap_counters, in_use, lines, registrations

_USE_UP = sa.text("UPDATE proofing_sessions SET consumed_by = :by WHERE id = :id AND consumed_by IS NULL")
_HAND_BACK = sa.text("UPDATE proofing_sessions SET consumed_by = NULL WHERE id = :id AND consumed_by = :by")
_IDENTITY = sa.text(
    "SELECT 1 FROM evidence WHERE case_reference = :session AND subject = :subject "
    "AND kind = 'identity_record' AND erased_at IS NULL"
)
_EVIDENCE = sa.text(
    "SELECT evidence_id FROM evidence WHERE case_reference = :session AND (operator = :operator OR "
    "operator = '') AND erased_at IS NULL ORDER BY evidence_id"
)


def use_up_session(connection: Connection, session_id: str, *, by: str) -> bool:
    """Use a session up for a line; False when it is used up already."""
    return connection.execute(_USE_UP, {"by": by, "id": session_id}).rowcount == 1


def hand_back_session(connection: Connection, session_id: str, *, by: str | None) -> None:
    """Let what an organisation used up by naming somebody carry a line of that organisation."""
    connection.execute(_HAND_BACK, {"by": by, "id": session_id})


def is_identity_recorded(connection: Connection, session_id: str, subject: str) -> bool:
    """Say whether what the law wants recorded of this person is in the vault."""
    return connection.execute(_IDENTITY, {"session": session_id, "subject": subject}).first() is not None


def evidence_of(connection: Connection, session_id: str, operator: str) -> tuple[str, ...]:
    """Return the references of what is kept of a session."""
    found = connection.execute(_EVIDENCE, {"session": session_id, "operator": operator})
    return tuple(found.scalars())


def acts_of(connection: Connection, line: Line) -> tuple[Act, ...]:
    """Return the history of a line, oldest first."""
    query = (
        registrations.select()
        .where(registrations.c.line_id == line.line_id, registrations.c.operator == line.operator)
        .order_by(registrations.c.act)
    )
    return tuple(
        Act(row.line_id, row.act, row.kind, row.session_id, row.registered_at)
        for row in connection.execute(query)
    )


def add_act(connection: Connection, line: Line, act: Act, *, pack_hash: str, receipt: str) -> None:
    """Write one more act; its number is taken while the line is locked."""
    connection.execute(
        registrations.insert().values(
            line_id=line.line_id,
            act=act.number,
            operator=line.operator,
            kind=act.kind,
            session_id=act.session_id,
            pack_hash=pack_hash,
            registered_at=act.at,
            receipt=receipt,
        )
    )


def find_act_receipt(connection: Connection, line: Line, act: int) -> dict[str, Any] | None:
    """Return the unsigned content of the receipt of one act."""
    query = sa.select(registrations.c.receipt).where(
        registrations.c.line_id == line.line_id,
        registrations.c.act == act,
        registrations.c.operator == line.operator,
    )
    text = connection.execute(query).scalar_one_or_none()
    if text is None:
        return None
    content: dict[str, Any] = json.loads(text)
    return content


def place_of(connection: Connection, line: Line) -> str | None:
    """Return the reference of the address where the line is: of its last move, or of its registration."""
    query = (
        sa.select(line_orders.c.install_address)
        .select_from(registrations.join(line_orders, line_orders.c.session_id == registrations.c.session_id))
        .where(
            registrations.c.line_id == line.line_id,
            registrations.c.operator == line.operator,
            line_orders.c.install_address.is_not(None),
        )
        .order_by(registrations.c.act.desc())
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none()


def read_counter(connection: Connection, key: CounterKey) -> HolderCounter:
    """Return a counter as it stands, without holding it."""
    columns = cap_counters.c
    query = cap_counters.select().where(
        columns.subject == key.subject, columns.cap_scope == key.scope, columns.cap_name == key.name
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return HolderCounter()
    return HolderCounter(row.active, row.version, row.last_registered_at, row.day, row.day_count)


def hand_over(
    connection: Connection, line: Line, *, subject: str, session_id: str, counter: CounterKey | None
) -> bool:
    """Make a person the holder of a line if it still is as it was seen; False when something changed."""
    statement = (
        lines.update()
        .where(
            lines.c.line_id == line.line_id,
            lines.c.operator == line.operator,
            lines.c.subject == line.subject,
            lines.c.session_id == line.session_id,
            lines.c.status == line.status.value,
            in_use,
        )
        .values(
            subject=subject,
            session_id=session_id,
            position=1,
            cap_scope=counter.scope if counter else "",
            cap_name=counter.name if counter else None,
        )
    )
    return connection.execute(statement).rowcount == 1


def lock_as_seen(connection: Connection, line: Line) -> bool:
    """Lock a line if it still is as it was seen; False when something changed."""
    query = (
        sa.select(lines.c.line_id)
        .where(
            lines.c.line_id == line.line_id,
            lines.c.operator == line.operator,
            lines.c.subject == line.subject,
            lines.c.session_id == line.session_id,
            lines.c.status == line.status.value,
        )
        .with_for_update()
    )
    return connection.execute(query).first() is not None


def list_held(connection: Connection, operator: str, *, after: str, limit: int) -> tuple[Line, ...]:
    """Return the lines of an operator that have not ended, in the order of their references."""
    query = (
        lines.select()
        .where(lines.c.operator == operator, lines.c.line_id > after, in_use)
        .order_by(lines.c.line_id)
        .limit(limit)
    )
    return tuple(
        Line(
            line_id=row.line_id,
            number=stored_identifier(row.number),
            operator=row.operator,
            product_class=row.product_class,
            cap_scope=row.cap_scope,
            subject=row.subject,
            session_id=row.session_id,
            status=LineStatus(row.status),
            registered_at=row.registered_at,
            kind=LineKind(row.kind),
            cap_name=row.cap_name,
        )
        for row in connection.execute(query)
    )
