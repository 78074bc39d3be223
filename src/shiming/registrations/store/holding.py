"""Who holds a line: reading it, handing it over, and the acts of its history, which only grow.

Order of locks, as in registering and ending: sessions, counters (in the order of their keys), the line, the
ledger lane.
"""

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant
from shiming.registrations.model.holding import Act, ActKind, CapSlot
from shiming.registrations.model.lines import Line, LineKind, LineStatus, stored_identifier
from shiming.registrations.store.orders import line_orders
from shiming.registrations.store.tables import cap_counters, in_use, lines, registrations

_USE_UP = sa.text("UPDATE proofing_sessions SET consumed_by = :by WHERE id = :id AND consumed_by IS NULL")
_IDENTITY = sa.text(
    "SELECT 1 FROM evidence WHERE case_reference = :session AND subject = :subject "
    "AND kind = 'identity_record' AND erased_at IS NULL"
)
_EVIDENCE = sa.text(
    "SELECT evidence_id FROM evidence WHERE case_reference = :session AND (operator = :operator OR "
    "operator = '') AND erased_at IS NULL ORDER BY evidence_id"
)
#: Acts that bring a line to a holder.
_TAKING = (ActKind.REGISTERED.value, ActKind.CHANGE_OF_HOLDER.value)


def use_up_session(connection: Connection, session_id: str, *, by: str) -> bool:
    """Use a session up for a line; False when it is used up already."""
    return connection.execute(_USE_UP, {"by": by, "id": session_id}).rowcount == 1


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


def count_held(connection: Connection, subject: str, slot: CapSlot) -> int:
    """Return how many lines of a person this cap counts."""
    query = sa.select(cap_counters.c.active).where(*_counter(subject, slot.scope, slot.cap_class))
    return connection.execute(query).scalar_one_or_none() or 0


def takings_since(connection: Connection, subject: str, scope: str, since: datetime) -> tuple[datetime, ...]:
    """Return when lines came to a person since then, in one scope, oldest first."""
    taken = sa.and_(
        registrations.c.line_id == lines.c.line_id,
        registrations.c.operator == lines.c.operator,
        registrations.c.session_id == lines.c.session_id,
        registrations.c.kind.in_(_TAKING),
    )
    query = (
        sa.select(registrations.c.registered_at)
        .select_from(lines.join(registrations, taken))
        .where(
            lines.c.subject == subject,
            lines.c.cap_scope == scope,
            registrations.c.registered_at >= sa.bindparam("since", since, type_=UtcInstant()),
        )
        .order_by(registrations.c.registered_at)
    )
    return tuple(connection.execute(query).scalars())


def lock_counters(connection: Connection, *held: tuple[str, str, str]) -> None:
    """Lock counters by (subject, scope, class) in the order of their keys, so that none waits in a circle."""
    for subject, scope, cap_class in sorted(set(held)):
        query = sa.select(cap_counters.c.active).where(*_counter(subject, scope, cap_class))
        connection.execute(query.with_for_update())


def take_slot(connection: Connection, subject: str, slot: CapSlot) -> bool:
    """Count one more line of a person by one statement that does nothing at the cap; False there."""
    cap = slot.cap.lines_per_holder_max.value
    new = insert_into(connection, cap_counters).values(
        subject=subject, cap_scope=slot.scope, cap_name=slot.cap_class, active=1, cap=cap, version=1
    )
    statement = new.on_conflict_do_update(
        index_elements=["subject", "cap_scope", "cap_name"],
        set_={"active": cap_counters.c.active + 1, "cap": cap, "version": cap_counters.c.version + 1},
        where=cap_counters.c.active < cap,
    )
    return cap > 0 and connection.execute(statement).rowcount == 1


def give_slot_back(connection: Connection, subject: str, scope: str, cap_class: str) -> None:
    """Count one line of a person less, where it was counted."""
    counter = (*_counter(subject, scope, cap_class), cap_counters.c.active > 0)
    connection.execute(cap_counters.update().where(*counter).values(active=cap_counters.c.active - 1))


def hand_over(
    connection: Connection, line: Line, *, subject: str, session_id: str, slot: CapSlot | None
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
            cap_scope=slot.scope if slot else "",
            cap_name=slot.cap_class if slot else None,
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
        )
        for row in connection.execute(query)
    )


def _counter(subject: str, scope: str, cap_class: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        cap_counters.c.subject == subject,
        cap_counters.c.cap_scope == scope,
        cap_counters.c.cap_name == cap_class,
    )
