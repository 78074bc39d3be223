"""Ports out and in. A line, and a session, has one open port at a time."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema
from shiming.transfers.model.porting import PortIn, PortOut, PortState

ports_out = sa.Table(
    "ports_out",
    schema,
    sa.Column("port_id", sa.String(40), primary_key=True),
    sa.Column("line_id", sa.String(40), nullable=False),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("subject", sa.String(80), nullable=False),
    sa.Column("session_id", sa.String(64), nullable=False, unique=True),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("authorised_at", UtcInstant, nullable=False),
    sa.Column("expires_at", UtcInstant, nullable=False),
    sa.Column("code_hash", sa.String(128), nullable=False),  # the code itself is kept nowhere
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("recipient", sa.String(40)),
    sa.Column("ended_at", UtcInstant),
)
ports_in = sa.Table(
    "ports_in",
    schema,
    sa.Column("port_id", sa.String(40), primary_key=True),
    sa.Column("session_id", sa.String(64), nullable=False, unique=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("donor", sa.String(40), nullable=False),
    sa.Column("donor_reference", sa.String(64), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("authorised_at", UtcInstant, nullable=False),
    sa.Column("expires_at", UtcInstant, nullable=False),
    sa.Column("line_id", sa.String(40)),
    sa.Column("ended_at", UtcInstant),
)
_authorised: sa.ColumnElement[bool] = sa.literal_column("state = 'authorised'")
sa.Index(
    "ux_ports_out_line",
    ports_out.c.line_id,
    unique=True,
    sqlite_where=_authorised,
    postgresql_where=_authorised,
)
sa.Index(
    "ix_ports_out_expiry",
    ports_out.c.expires_at,
    sqlite_where=_authorised,
    postgresql_where=_authorised,
)


def add_port_out(connection: Connection, port: PortOut) -> bool:
    """Write an authorisation; False when the line has an open one, or the session gave one."""
    statement = insert_into(connection, ports_out).values(
        port_id=port.port_id,
        line_id=port.line_id,
        operator=port.operator,
        subject=port.subject,
        session_id=port.session_id,
        state=port.state.value,
        authorised_at=port.authorised_at,
        expires_at=port.expires_at,
        code_hash=port.code_hash,
    )
    key = ports_out.c.port_id
    return connection.execute(statement.on_conflict_do_nothing().returning(key)).first() is not None


def find_port_out(connection: Connection, port_id: str, *, for_update: bool = False) -> PortOut | None:
    """Return a port out; `for_update` holds it until the transaction ends."""
    query = ports_out.select().where(ports_out.c.port_id == port_id)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    return None if row is None else _port_out(row)


def find_open_of_line(connection: Connection, line_id: str) -> PortOut | None:
    """Return the authorisation of a line that was not used, cancelled or marked as expired."""
    query = ports_out.select().where(
        ports_out.c.line_id == line_id, ports_out.c.state == PortState.AUTHORISED.value
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _port_out(row)


def change_port_out(connection: Connection, port_id: str, **columns: Any) -> None:
    """Set columns of a port out that is held."""
    values = {name: value.value if isinstance(value, PortState) else value for name, value in columns.items()}
    connection.execute(ports_out.update().where(ports_out.c.port_id == port_id).values(**values))


def list_expired(connection: Connection, now: datetime, limit: int) -> tuple[PortOut, ...]:
    """Return authorisations whose time is over, and hold them."""
    query = (
        ports_out.select()
        .where(ports_out.c.state == PortState.AUTHORISED.value, ports_out.c.expires_at <= now)
        .order_by(ports_out.c.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return tuple(_port_out(row) for row in connection.execute(query))


def add_port_in(connection: Connection, port: PortIn) -> bool:
    """Write what the donor confirmed; False when the session has one already."""
    statement = insert_into(connection, ports_in).values(
        port_id=port.port_id,
        session_id=port.session_id,
        operator=port.operator,
        donor=port.donor,
        donor_reference=port.donor_reference,
        state=port.state.value,
        authorised_at=port.authorised_at,
        expires_at=port.expires_at,
    )
    key = ports_in.c.port_id
    return connection.execute(statement.on_conflict_do_nothing().returning(key)).first() is not None


def find_port_in(connection: Connection, port_id: str, *, for_update: bool = False) -> PortIn | None:
    """Return a port in; `for_update` holds it until the transaction ends."""
    query = ports_in.select().where(ports_in.c.port_id == port_id)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    return None if row is None else _port_in(row)


def find_port_in_of_session(
    connection: Connection, session_id: str, *, for_update: bool = False
) -> PortIn | None:
    """Return the port in of a session; `for_update` holds it until the transaction ends."""
    query = ports_in.select().where(ports_in.c.session_id == session_id)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    return None if row is None else _port_in(row)


def change_port_in(connection: Connection, port_id: str, **columns: Any) -> None:
    """Set columns of a port in that is held."""
    values = {name: value.value if isinstance(value, PortState) else value for name, value in columns.items()}
    connection.execute(ports_in.update().where(ports_in.c.port_id == port_id).values(**values))


def _port_out(row: Row[Any]) -> PortOut:
    return PortOut(
        port_id=row.port_id,
        line_id=row.line_id,
        operator=row.operator,
        subject=row.subject,
        session_id=row.session_id,
        state=PortState(row.state),
        authorised_at=row.authorised_at,
        expires_at=row.expires_at,
        code_hash=row.code_hash,
        attempts=row.attempts,
        recipient=row.recipient,
        ended_at=row.ended_at,
    )


def _port_in(row: Row[Any]) -> PortIn:
    return PortIn(
        port_id=row.port_id,
        session_id=row.session_id,
        operator=row.operator,
        donor=row.donor,
        donor_reference=row.donor_reference,
        state=PortState(row.state),
        authorised_at=row.authorised_at,
        expires_at=row.expires_at,
        line_id=row.line_id,
        ended_at=row.ended_at,
    )
