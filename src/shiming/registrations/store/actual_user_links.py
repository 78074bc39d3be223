"""The table of links for actual users; a token is found by its hash."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.tables import UtcInstant, schema
from shiming.registrations.model.enterprise_lines import (
    ActualUserLink,
    EnterpriseLineState,
    LinkSent,
)
from shiming.registrations.model.notices import NoticeState
from shiming.registrations.store.enterprise_lines import enterprise_lines
from shiming.registrations.store.notices import notices

actual_user_links = sa.Table(
    "actual_user_links",
    schema,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("number", sa.String(64), nullable=False, index=True),
    sa.Column("contract_id", sa.String(40), nullable=False),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("made_at", UtcInstant, nullable=False),
    sa.Column("expires_at", UtcInstant, nullable=False),
    sa.Column("sessions", sa.Integer, nullable=False),
    sa.Column("session_id", sa.String(64)),
    sa.Column("closed_at", UtcInstant),
    sa.Column(
        "notice_id", sa.String(40), index=True
    ),  # it went to the contact; none: to whoever asked for it
)
_SESSION_STATE = sa.text(
    "SELECT state, outcome, expires_at FROM proofing_sessions WHERE id = :session_id"
).columns(expires_at=UtcInstant)


def add_links(connection: Connection, links: Sequence[ActualUserLink]) -> None:
    """Write new links."""
    names = [column.name for column in actual_user_links.c]
    rows = [{name: getattr(link, name) for name in names} for link in links]
    connection.execute(actual_user_links.insert(), rows)


def close_links(connection: Connection, numbers: Sequence[str], at: datetime) -> None:
    """Let no link to these numbers be used any more."""
    where = actual_user_links.c.number.in_(numbers) & actual_user_links.c.closed_at.is_(None)
    connection.execute(actual_user_links.update().where(where).values(closed_at=at))


def find_link(connection: Connection, token_hash: str, *, for_update: bool = False) -> ActualUserLink | None:
    """Return a link; `for_update` holds it until the transaction ends."""
    query = actual_user_links.select().where(actual_user_links.c.token_hash == token_hash)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    return None if row is None else ActualUserLink(**row._mapping)  # noqa: SLF001 - public way to read by name


def find_by_notice(
    connection: Connection, notice_id: str, *, for_update: bool = False
) -> ActualUserLink | None:
    """Return the link that a notice carries; `for_update` holds it until the transaction ends."""
    query = actual_user_links.select().where(actual_user_links.c.notice_id == notice_id)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    return None if row is None else ActualUserLink(**row._mapping)  # noqa: SLF001 - public way to read by name


def renew(connection: Connection, token_hash: str, new_hash: str) -> None:
    """Let another token open a link that the caller holds, and the former one nothing."""
    where = actual_user_links.c.token_hash == token_hash
    connection.execute(actual_user_links.update().where(where).values(token_hash=new_hash))


def list_sent(
    connection: Connection, contract_id: str, *, arrived: bool | None, after: str, limit: int
) -> tuple[LinkSent, ...]:
    """Return the link of each line that is to be used, by number, with how far its notice came."""
    state = notices.c.state
    query = (
        sa.select(
            actual_user_links.c.number,
            enterprise_lines.c.user_reference,
            actual_user_links.c.made_at,
            actual_user_links.c.expires_at,
            actual_user_links.c.session_id,
            actual_user_links.c.notice_id,
            state,
            notices.c.failure,
        )
        .join(enterprise_lines, enterprise_lines.c.number == actual_user_links.c.number)
        .outerjoin(notices, notices.c.notice_id == actual_user_links.c.notice_id)
        .where(
            actual_user_links.c.contract_id == contract_id,
            actual_user_links.c.closed_at.is_(None),
            actual_user_links.c.number > after,
        )
        .order_by(actual_user_links.c.number)
        .limit(limit)
    )
    if arrived is not None:
        there = state.in_([NoticeState.DELIVERED.value, NoticeState.REACHED.value])
        query = query.where(state.is_not(None), there if arrived else ~there)
    return tuple(
        LinkSent(*row[:6], state=row.state and NoticeState(row.state), failure=row.failure)
        for row in connection.execute(query)
    )


def change_link(connection: Connection, token_hash: str, **columns: Any) -> None:
    """Set columns of a link that the caller holds."""
    where = actual_user_links.c.token_hash == token_hash
    connection.execute(actual_user_links.update().where(where).values(**columns))


def numbers_without_link(
    connection: Connection, contract_id: str, *, now: datetime, limit: int
) -> tuple[str, ...]:
    """Return lines of a contract without user and without a link that can be used."""
    live = sa.exists().where(
        actual_user_links.c.number == enterprise_lines.c.number,
        actual_user_links.c.closed_at.is_(None),
        actual_user_links.c.expires_at > now,
    )
    query = (
        sa.select(enterprise_lines.c.number)
        .where(
            enterprise_lines.c.contract_id == contract_id,
            enterprise_lines.c.state != EnterpriseLineState.REGISTERED.value,
            ~live,
        )
        .order_by(enterprise_lines.c.number)
        .limit(limit)
    )
    return tuple(connection.execute(query).scalars())


def session_stands(connection: Connection, session_id: str) -> tuple[str, str | None, datetime] | None:
    """Return state, outcome and end of a proofing session."""
    row = connection.execute(_SESSION_STATE, {"session_id": session_id}).one_or_none()
    return None if row is None else (row.state, row.outcome, row.expires_at)
