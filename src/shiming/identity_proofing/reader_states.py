"""What the reader of a session does at present: one row a session, told by the reader, watched by the page.

A counter may ask a certain device for a reading (`wanted`); the device finds the latest such session. A row
says nothing of the card or its holder.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.identity_proofing.model.card_reading import ReaderState
from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema

#: A wish older than this is of a customer who has gone.
WANTED_FOR = timedelta(minutes=10)

_states = sa.Table(
    "proofing_reader_states",
    schema,
    sa.Column("session_id", sa.String(40), sa.ForeignKey("proofing_sessions.id"), primary_key=True),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("code", sa.String(40), nullable=False),  # of a fault; "" otherwise
    sa.Column("device", sa.String(40), nullable=False, index=True),  # "" unknown
    sa.Column("changes", sa.Integer, nullable=False),
    sa.Column("changed_at", UtcInstant, nullable=False),
)
_s = _states.c


@dataclass(frozen=True, slots=True)
class Told:
    """A state as it is told; `code` names a fault, `device` who says so."""

    state: ReaderState
    code: str = ""
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """The present state; `changes` counts up, so that a watcher sees each change once."""

    state: ReaderState
    code: str
    device: str
    changes: int
    changed_at: datetime


def tell(connection: Connection, session_id: str, told: Told, now: datetime) -> None:
    """Replace the state of a session's reader."""
    row = {
        "state": told.state.value,
        "code": told.code,
        "device": told.device or "",
        "changed_at": now,
    }
    insert = insert_into(connection, _states).values(session_id=session_id, changes=1, **row)
    connection.execute(
        insert.on_conflict_do_update(index_elements=["session_id"], set_={**row, "changes": _s.changes + 1})
    )


def find_state(connection: Connection, session_id: str) -> Known | None:
    """Return the state; None before anything was told."""
    row = connection.execute(sa.select(_states).where(_s.session_id == session_id)).first()
    return _known(row) if row else None


def session_wanting(connection: Connection, device: str, now: datetime) -> str | None:
    """Return the latest session that wants a reading of this device."""
    query = (
        sa.select(_s.session_id)
        .where(_s.device == device, _s.state == ReaderState.WANTED.value, _s.changed_at > now - WANTED_FOR)
        .order_by(_s.changed_at.desc(), _s.session_id.desc())
        .limit(1)
    )
    found = connection.execute(query).scalar()
    return None if found is None else str(found)


def _known(row: Row[Any]) -> Known:
    return Known(ReaderState(row.state), row.code, row.device, row.changes, row.changed_at)
