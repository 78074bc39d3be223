"""The table of operators' BSS, and the names of their secrets."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema
from shiming.registrations.model.provisioning import OperatorBss

bss_endpoints = sa.Table(
    "bss_endpoints",
    schema,
    sa.Column("operator", sa.String(40), primary_key=True),
    sa.Column("url", sa.String(500), nullable=False),
    sa.Column("added_at", UtcInstant, nullable=False),
)


def token_name(operator: str) -> str:
    """Return the name of the bearer token that we show."""
    return f"bss:{operator}:token"


def callback_name(operator: str) -> str:
    """Return the name of the secret that signs callbacks."""
    return f"bss:{operator}:callback"


def former_callback_name(operator: str) -> str:
    """Return the name of the secret that signed callbacks before."""
    return f"bss:{operator}:callback-former"


def put_bss(connection: Connection, operator: str, url: str, *, now: datetime) -> OperatorBss:
    """Write where an operator's BSS is; a former address is replaced."""
    statement = insert_into(connection, bss_endpoints).values(operator=operator, url=url, added_at=now)
    changed = {"url": url, "added_at": now}
    connection.execute(statement.on_conflict_do_update(index_elements=["operator"], set_=changed))
    return OperatorBss(operator, url, now)


def find_bss(connection: Connection, operator: str) -> OperatorBss | None:
    """Return an operator's BSS."""
    query = bss_endpoints.select().where(bss_endpoints.c.operator == operator)
    row = connection.execute(query).one_or_none()
    return None if row is None else OperatorBss(row.operator, row.url, row.added_at)


def list_bss(connection: Connection, *, operator: str | None = None) -> tuple[OperatorBss, ...]:
    """Return all BSS by operator, or the one of an operator."""
    query = bss_endpoints.select().order_by(bss_endpoints.c.operator)
    if operator is not None:
        query = query.where(bss_endpoints.c.operator == operator)
    return tuple(OperatorBss(row.operator, row.url, row.added_at) for row in connection.execute(query))


def remove_bss(connection: Connection, operator: str) -> bool:
    """Forget an operator's BSS; False when there was none."""
    gone = bss_endpoints.delete().where(bss_endpoints.c.operator == operator)
    return connection.execute(gone).rowcount == 1
