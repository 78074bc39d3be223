"""The table of notices to holders."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema
from shiming.registrations.model.notices import CampaignReach, NewNotice, Notice, NoticeState
from shiming.vocabulary.errors import Text

#: A sender that says nothing for so long has died; another one takes its notices up.
LEASE = timedelta(minutes=2)

notices = sa.Table(
    "notices",
    schema,
    sa.Column("notice_id", sa.String(40), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("line_id", sa.String(40)),  # none: it goes to a contact
    sa.Column("contact_evidence", sa.String(64)),  # the contact itself is only in the vault
    sa.Column("subject", sa.String(80), nullable=False),
    sa.Column("template", sa.String(60), nullable=False),
    sa.Column("text_zh", sa.Text, nullable=False),
    sa.Column("text_en", sa.Text, nullable=False),
    sa.Column("dedupe_key", sa.String(160), nullable=False),
    sa.Column("about", sa.String(64)),
    sa.Column("campaign", sa.String(80)),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("due_at", UtcInstant, nullable=False),
    sa.Column("created_at", UtcInstant, nullable=False),
    sa.Column("changed_at", UtcInstant, nullable=False),
    sa.Column("channel_reference", sa.String(120)),
    sa.Column("failure", sa.String(60)),
    sa.Column("code_hash", sa.String(128)),  # of the one-time code; the code itself is kept nowhere
    sa.Column("code_attempts", sa.Integer, nullable=False, server_default="0"),
    sa.UniqueConstraint("operator", "dedupe_key", name="uq_notices_dedupe"),
    sa.Index("ix_notices_campaign", "operator", "campaign", "notice_id"),
    sa.Index("ix_notices_about", "about"),
)
_queued = notices.c.state == NoticeState.QUEUED.value
_is_queued: sa.ColumnElement[bool] = sa.literal_column("state = 'queued'")
sa.Index("ix_notices_due", notices.c.due_at, sqlite_where=_is_queued, postgresql_where=_is_queued)


def add_notice(connection: Connection, notice_id: str, new: NewNotice, now: datetime) -> bool:
    """Write a notice; False when this one is queued or sent already."""
    statement = insert_into(connection, notices).values(
        notice_id=notice_id,
        operator=new.operator,
        line_id=new.line_id,
        subject=new.subject,
        template=new.template,
        text_zh=new.text.zh,
        text_en=new.text.en,
        dedupe_key=new.dedupe_key,
        about=new.about,
        campaign=new.campaign,
        contact_evidence=new.contact_evidence,
        state=NoticeState.QUEUED.value,
        due_at=now,
        created_at=now,
        changed_at=now,
    )
    added = statement.on_conflict_do_nothing().returning(notices.c.notice_id)
    return connection.execute(added).first() is not None


def find_notice(connection: Connection, notice_id: str, *, for_update: bool = False) -> Notice | None:
    """Return a notice; `for_update` holds it until the transaction ends."""
    query = notices.select().where(notices.c.notice_id == notice_id)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    return None if row is None else _notice(row)


def get_by_key(connection: Connection, operator: str, dedupe_key: str) -> Notice:
    """Return the notice of a key that is there."""
    query = notices.select().where(notices.c.operator == operator, notices.c.dedupe_key == dedupe_key)
    return _notice(connection.execute(query).one())


def find_about(connection: Connection, about: str, template: str) -> Notice | None:
    """Return the latest notice of a template about something."""
    query = (
        notices.select()
        .where(notices.c.about == about, notices.c.template == template)
        .order_by(notices.c.created_at.desc(), notices.c.notice_id)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _notice(row)


def take_due(connection: Connection, now: datetime, limit: int) -> tuple[Notice, ...]:
    """Take queued notices that are due for sending; another sender sees them again after the lease."""
    due = (
        notices.select()
        .where(_queued, notices.c.due_at <= now)
        .order_by(notices.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = tuple(_notice(row) for row in connection.execute(due))
    if found:
        taken = notices.c.notice_id.in_([notice.notice_id for notice in found])
        more = notices.c.attempts + 1
        connection.execute(notices.update().where(taken).values(due_at=now + LEASE, attempts=more))
    return found


def change_notice(connection: Connection, notice_id: str, **columns: Any) -> None:
    """Set columns of a notice."""
    values = {
        name: value.value if isinstance(value, NoticeState) else value for name, value in columns.items()
    }
    connection.execute(notices.update().where(notices.c.notice_id == notice_id).values(**values))


def reach_of(connection: Connection, operator: str | None, campaign: str) -> CampaignReach:
    """Count the notices of a campaign by state."""
    query = (
        sa.select(notices.c.state, sa.func.count().label("notices"))
        .where(notices.c.campaign == campaign, *_of(operator))
        .group_by(notices.c.state)
    )
    counted: Mapping[str, int] = {row.state: row.notices for row in connection.execute(query)}
    return CampaignReach(campaign, {state: counted.get(state.value, 0) for state in NoticeState})


def list_notices(
    connection: Connection,
    *,
    operator: str | None,
    campaign: str | None = None,
    states: tuple[NoticeState, ...] = tuple(NoticeState),
    after: str = "",
    limit: int,
) -> tuple[Notice, ...]:
    """Return notices in the order of their references."""
    query = (
        notices.select()
        .where(notices.c.notice_id > after, notices.c.state.in_([state.value for state in states]))
        .order_by(notices.c.notice_id)
        .limit(limit)
    )
    if campaign is not None:
        query = query.where(notices.c.campaign == campaign)
    return tuple(_notice(row) for row in connection.execute(query.where(*_of(operator))))


def _of(operator: str | None) -> tuple[sa.ColumnElement[bool], ...]:
    return () if operator is None else (notices.c.operator == operator,)


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        notice_id=row.notice_id,
        operator=row.operator,
        line_id=row.line_id,
        subject=row.subject,
        template=row.template,
        state=NoticeState(row.state),
        dedupe_key=row.dedupe_key,
        created_at=row.created_at,
        changed_at=row.changed_at,
        about=row.about,
        campaign=row.campaign,
        attempts=row.attempts,
        failure=row.failure,
        code_hash=row.code_hash,
        code_attempts=row.code_attempts,
        text=Text(zh=row.text_zh, en=row.text_en),
        contact_evidence=row.contact_evidence,
    )
