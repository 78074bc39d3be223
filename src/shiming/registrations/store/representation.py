"""Who acted for whom: whether a representative's session is free, and how many people one proxy acts for.

A claim counts while its order may still be registered, and for good once its line exists. Claims of one
proxy are made one after another: each holds the proxy's row first.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema
from shiming.registrations.model.registration import ProvenSession
from shiming.registrations.store.tables import lines

proxies = sa.Table(
    "proxies",
    schema,
    sa.Column("operator", sa.String(40), primary_key=True),
    sa.Column("proxy", sa.String(80), primary_key=True),  # pseudonym
    sa.Column("acted_at", UtcInstant, nullable=False),
)
proxy_principals = sa.Table(
    "proxy_principals",
    schema,
    sa.Column("session_id", sa.String(64), primary_key=True),  # the principal's, which the order is known by
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("proxy", sa.String(80), nullable=False),
    sa.Column("principal", sa.String(80), nullable=False),
    sa.Column("claimed_at", UtcInstant, nullable=False),
    sa.Column("held_until", UtcInstant, nullable=False),
    sa.Index("ix_proxy_principals_proxy", "operator", "proxy", "claimed_at"),
)
#: Written and read by name: the table belongs to identity proofing (docs/decisions/0014).
_sessions = sa.table(
    "proofing_sessions",
    sa.column("id", sa.String),
    sa.column("outcome", sa.String),
    sa.column("level", sa.String),
    sa.column("subject", sa.String),
    sa.column("operator", sa.String),
    sa.column("category", sa.String),
    sa.column("decided_at", UtcInstant),
    sa.column("challenge_origin", sa.String),
    sa.column("receipt_hash", sa.String),
    sa.column("consumed_by", sa.String),
    sa.column("majority_on", sa.Date),
    sa.column("document_expires_on", sa.Date),
)


def find_proof(connection: Connection, session_id: str) -> tuple[ProvenSession, str] | None:
    """Return how a session ended and the category of its person."""
    row = connection.execute(_sessions.select().where(_sessions.c.id == session_id)).one_or_none()
    if row is None:
        return None
    proof = ProvenSession(
        session_id=row.id,
        outcome=row.outcome or "",
        level=row.level,
        subject=row.subject,
        decided_at=row.decided_at,
        challenge_origin=row.challenge_origin,
        receipt_hash=row.receipt_hash,
        operator=row.operator,
        consumed_by=row.consumed_by,
    )
    return proof, row.category


def find_deadlines(connection: Connection, session_id: str) -> dict[str, Any]:
    """Return the days on which the proof of a session stops being good enough; empty for no such session."""
    columns = (_sessions.c.category, _sessions.c.majority_on, _sessions.c.document_expires_on)
    row = connection.execute(sa.select(*columns).where(_sessions.c.id == session_id)).mappings().one_or_none()
    return dict(row) if row is not None else {}


def use_session(connection: Connection, session_id: str, used_by: str) -> bool:
    """Use a session up for something; False when something else did so before. Twice for the same is once."""
    free = _sessions.c.consumed_by.is_(None) | (_sessions.c.consumed_by == used_by)
    used = _sessions.update().where(_sessions.c.id == session_id, free).values(consumed_by=used_by)
    return connection.execute(used).rowcount == 1


def lock_proxy(connection: Connection, operator: str, proxy: str, now: datetime) -> None:
    """Let nobody else claim for this proxy until the transaction ends."""
    row = insert_into(connection, proxies).values(operator=operator, proxy=proxy, acted_at=now)
    connection.execute(
        row.on_conflict_do_update(index_elements=["operator", "proxy"], set_={"acted_at": now})
    )


def count_principals(
    connection: Connection, operator: str, proxy: str, *, besides: str | None, since: datetime, now: datetime
) -> int:
    """Count the people whom a proxy acts for at an operator, one of them left out."""
    registered = sa.exists().where(
        lines.c.session_id == proxy_principals.c.session_id, lines.c.operator == operator
    )
    query = sa.select(sa.func.count(sa.distinct(proxy_principals.c.principal))).where(
        proxy_principals.c.operator == operator,
        proxy_principals.c.proxy == proxy,
        proxy_principals.c.claimed_at > since,
        (proxy_principals.c.held_until > now) | registered,
    )
    if besides is not None:
        query = query.where(proxy_principals.c.principal != besides)
    return connection.execute(query).scalar_one()


def claim_principal(
    connection: Connection,
    session_id: str,
    *,
    operator: str,
    proxy: str,
    principal: str,
    now: datetime,
    held_until: datetime,
) -> None:
    """Write down that a proxy acts for somebody in an order; another proxy of the order takes its place."""
    values = {
        "operator": operator,
        "proxy": proxy,
        "principal": principal,
        "claimed_at": now,
        "held_until": held_until,
    }
    row = insert_into(connection, proxy_principals).values(session_id=session_id, **values)
    connection.execute(row.on_conflict_do_update(index_elements=["session_id"], set_=values))


def release_principal(connection: Connection, session_id: str) -> None:
    """Forget the claim of an order whose representative is no proxy any more."""
    connection.execute(proxy_principals.delete().where(proxy_principals.c.session_id == session_id))
