"""The table of sessions that an order had before: whoever kept the former one finds where it goes on.

Two references of a row name nobody. It stays when the order is given up: then its present session has none.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.tables import UtcInstant, schema

order_moves = sa.Table(
    "order_moves",
    schema,
    sa.Column("former", sa.String(64), primary_key=True),
    sa.Column("session_id", sa.String(64), nullable=False, index=True),  # the present one
    sa.Column("moved_at", UtcInstant, nullable=False),
)


def note_move(connection: Connection, former: str, session_id: str, at: datetime) -> None:
    """Write down where an order goes on, for its former session and for those before it."""
    before = order_moves.c.session_id == former
    connection.execute(order_moves.update().where(before).values(session_id=session_id))
    connection.execute(order_moves.insert().values(former=former, session_id=session_id, moved_at=at))


def find_present_session(connection: Connection, former: str) -> str | None:
    """Return the session with which the order of a former one goes on."""
    query = sa.select(order_moves.c.session_id).where(order_moves.c.former == former)
    return connection.execute(query).scalar_one_or_none()
