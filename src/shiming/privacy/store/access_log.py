"""The table of who looked at what is kept of a person, and all its SQL."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.tables import UtcInstant, guard, schema
from shiming.privacy.model import EvidenceKind, Purpose
from shiming.privacy.rules.access import Access, AccessKind

access_log = sa.Table(
    "access_log",
    schema,
    sa.Column("access_id", sa.String(40), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("subject", sa.String(80), nullable=False),
    sa.Column("at", UtcInstant, nullable=False, index=True),
    sa.Column("actor", sa.String(80), nullable=False),
    sa.Column("what", sa.String(20), nullable=False),
    sa.Column("purpose", sa.String(40), nullable=False),
    sa.Column("case_reference", sa.String(80), nullable=False),
    sa.Column("evidence_id", sa.String(40), nullable=False),
    sa.Column("evidence_kind", sa.String(40), nullable=False),
    sa.Column("disclosure_id", sa.String(40)),
    sa.Column("recipient", sa.String(200)),
    sa.Column("visible_from", UtcInstant, nullable=False),
    sa.Index("ix_access_log_subject", "subject", "at", "access_id"),
)
guard(access_log, "access_log_no_update", "UPDATE", "who looked is not rewritten")


def insert_access(connection: Connection, access: Access) -> None:
    """Note that somebody looked."""
    values = {name: getattr(access, name) for name in access.__slots__}
    values |= {name: values[name].value for name in ("what", "purpose", "evidence_kind")}
    connection.execute(access_log.insert().values(**values))


def list_visible(
    connection: Connection,
    subject: str,
    now: datetime,
    *,
    limit: int,
    operator: str | None = None,
    after: tuple[datetime, str] | None = None,
) -> tuple[Access, ...]:
    """Return what the person may see by now, newest first; `after` is the last one of the page before."""
    place = sa.tuple_(access_log.c.at, access_log.c.access_id)
    query = (
        access_log.select()
        .where(access_log.c.subject == subject, access_log.c.visible_from <= now)
        .order_by(access_log.c.at.desc(), access_log.c.access_id.desc())
        .limit(limit)
    )
    if operator is not None:
        query = query.where(access_log.c.operator == operator)
    if after is not None:
        query = query.where(place < sa.tuple_(sa.literal(after[0], UtcInstant), sa.literal(after[1])))
    return tuple(_access(row) for row in connection.execute(query))


def find_oldest(connection: Connection) -> datetime | None:
    """Return when the oldest look took place."""
    return connection.execute(sa.select(sa.func.min(access_log.c.at))).scalar()


def delete_before(connection: Connection, before: datetime, *, limit: int) -> int:
    """Remove a batch of what is older than its retention; return how many."""
    old = (
        sa.select(access_log.c.access_id)
        .where(access_log.c.at < before, access_log.c.visible_from < before)
        .limit(limit)
    )
    return connection.execute(access_log.delete().where(access_log.c.access_id.in_(old))).rowcount


def _access(row: Row[Any]) -> Access:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public way to name columns
    return Access(
        **values
        | {
            "what": AccessKind(row.what),
            "purpose": Purpose(row.purpose),
            "evidence_kind": EvidenceKind(row.evidence_kind),
        }
    )
