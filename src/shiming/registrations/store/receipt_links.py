"""The table of links to receipts, found by the hash of a token or by the notice that carries it."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.tables import UtcInstant, schema
from shiming.registrations.model.receipt_links import ReceiptLink

receipt_links = sa.Table(
    "receipt_links",
    schema,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("line_id", sa.String(40), nullable=False, index=True),
    sa.Column("subject", sa.String(80), nullable=False),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("notice_id", sa.String(40), nullable=False, unique=True),
    sa.Column("made_at", UtcInstant, nullable=False),
    sa.Column("expires_at", UtcInstant, nullable=False),
    sa.Column("closed_at", UtcInstant),
)
_c = receipt_links.c


def add_link(connection: Connection, link: ReceiptLink) -> None:
    """Write a new link."""
    names = [column.name for column in _c]
    connection.execute(receipt_links.insert().values({name: getattr(link, name) for name in names}))


def find_link(connection: Connection, token_hash: str) -> ReceiptLink | None:
    """Return the link of a token."""
    return _one(connection, receipt_links.select().where(_c.token_hash == token_hash))


def find_by_notice(connection: Connection, notice_id: str) -> ReceiptLink | None:
    """Return the link that a notice carries; it is held until the transaction ends."""
    query = receipt_links.select().where(_c.notice_id == notice_id).with_for_update()
    return _one(connection, query)


def find_open(connection: Connection, line_id: str) -> ReceiptLink | None:
    """Return the link of a line that no newer one has replaced."""
    return _one(
        connection, receipt_links.select().where(_c.line_id == line_id, _c.closed_at.is_(None)).limit(1)
    )


def close_links(connection: Connection, line_id: str, at: datetime) -> None:
    """Let no link of a line open anything any more."""
    where = (_c.line_id == line_id) & _c.closed_at.is_(None)
    connection.execute(receipt_links.update().where(where).values(closed_at=at))


def renew(connection: Connection, token_hash: str, new_hash: str) -> None:
    """Let another token open a link that the caller holds, and the former one nothing."""
    where = _c.token_hash == token_hash
    connection.execute(receipt_links.update().where(where).values(token_hash=new_hash))


def _one(connection: Connection, query: sa.Select[tuple[object, ...]]) -> ReceiptLink | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else ReceiptLink(**row._asdict())
