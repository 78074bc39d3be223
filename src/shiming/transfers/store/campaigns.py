"""Campaigns of new terms, and which holders belong to one; how far a notice came stands with the notices."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema
from shiming.transfers.model.terms_upgrade import CampaignHolder, CampaignState, TermsCampaign

terms_campaigns = sa.Table(
    "terms_campaigns",
    schema,
    sa.Column("campaign_id", sa.String(40), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("terms_version", sa.String(40), nullable=False),
    sa.Column("notify_by", UtcInstant, nullable=False),
    sa.Column("takes_effect_at", UtcInstant, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("created_at", UtcInstant, nullable=False),
    sa.Column("cursor", sa.String(40), nullable=False),  # the last line that was looked at
    sa.Column("all_queued", sa.Boolean, nullable=False),
    sa.UniqueConstraint("operator", "terms_version", name="uq_terms_campaigns_version"),
)
campaign_holders = sa.Table(
    "campaign_holders",
    schema,
    sa.Column("campaign_id", sa.String(40), primary_key=True),
    sa.Column("subject", sa.String(80), primary_key=True),
    sa.Column("line_id", sa.String(40), nullable=False),  # where they are told: the first of theirs
    sa.Column("notice_id", sa.String(40), nullable=False),
    sa.Column("accepted_at", UtcInstant),
    sa.Column("session_id", sa.String(64)),  # by which proof they accepted, where there was one
    sa.Index("ix_campaign_holders_line", "campaign_id", "line_id"),
)


def add_campaign(connection: Connection, campaign: TermsCampaign) -> bool:
    """Write a new campaign; False when there is one for this version."""
    statement = insert_into(connection, terms_campaigns).values(
        campaign_id=campaign.campaign_id,
        operator=campaign.operator,
        terms_version=campaign.terms_version,
        notify_by=campaign.notify_by,
        takes_effect_at=campaign.takes_effect_at,
        state=campaign.state.value,
        created_at=campaign.created_at,
        cursor=campaign.cursor,
        all_queued=campaign.all_queued,
    )
    key = terms_campaigns.c.campaign_id
    return connection.execute(statement.on_conflict_do_nothing().returning(key)).first() is not None


def find_campaign(
    connection: Connection, campaign_id: str, *, for_update: bool = False
) -> TermsCampaign | None:
    """Return a campaign; `for_update` holds it until the transaction ends."""
    query = terms_campaigns.select().where(terms_campaigns.c.campaign_id == campaign_id)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    return None if row is None else _campaign(row)


def find_by_version(connection: Connection, operator: str, version: str) -> TermsCampaign | None:
    """Return the campaign of an operator for one version."""
    columns = terms_campaigns.c
    query = terms_campaigns.select().where(columns.operator == operator, columns.terms_version == version)
    row = connection.execute(query).one_or_none()
    return None if row is None else _campaign(row)


def change_campaign(connection: Connection, campaign_id: str, **columns: Any) -> None:
    """Set columns of a campaign that is held."""
    values = {
        name: value.value if isinstance(value, CampaignState) else value for name, value in columns.items()
    }
    changed = terms_campaigns.c.campaign_id == campaign_id
    connection.execute(terms_campaigns.update().where(changed).values(**values))


def list_running(connection: Connection) -> tuple[str, ...]:
    """Return the references of campaigns that run."""
    columns = terms_campaigns.c
    query = sa.select(columns.campaign_id).where(columns.state == CampaignState.RUNNING.value)
    return tuple(connection.execute(query.order_by(columns.campaign_id)).scalars())


def list_campaigns(
    connection: Connection, *, operator: str | None, after: str, limit: int
) -> tuple[TermsCampaign, ...]:
    """Return campaigns in the order of their references."""
    columns = terms_campaigns.c
    query = terms_campaigns.select().where(columns.campaign_id > after)
    if operator is not None:
        query = query.where(columns.operator == operator)
    rows = connection.execute(query.order_by(columns.campaign_id).limit(limit))
    return tuple(_campaign(row) for row in rows)


def known_holders(connection: Connection, campaign_id: str, subjects: set[str]) -> set[str]:
    """Return who of these people belongs to the campaign already."""
    columns = campaign_holders.c
    query = sa.select(columns.subject).where(
        columns.campaign_id == campaign_id, columns.subject.in_(subjects)
    )
    return set(connection.execute(query).scalars())


def add_holders(connection: Connection, campaign_id: str, holders: list[CampaignHolder]) -> None:
    """Take holders into a campaign."""
    if holders:
        rows = [
            {
                "campaign_id": campaign_id,
                "subject": holder.subject,
                "line_id": holder.line_id,
                "notice_id": holder.notice_id,
            }
            for holder in holders
        ]
        connection.execute(campaign_holders.insert(), rows)


def find_holder(connection: Connection, campaign_id: str, subject: str) -> CampaignHolder | None:
    """Return a holder in a campaign, and hold the row."""
    columns = campaign_holders.c
    query = campaign_holders.select().where(columns.campaign_id == campaign_id, columns.subject == subject)
    row = connection.execute(query.with_for_update()).one_or_none()
    return None if row is None else _holder(row)


def accept(
    connection: Connection, campaign_id: str, subject: str, *, session_id: str | None, now: datetime
) -> None:
    """Note that a holder accepted."""
    columns = campaign_holders.c
    connection.execute(
        campaign_holders.update()
        .where(columns.campaign_id == campaign_id, columns.subject == subject)
        .values(accepted_at=now, session_id=session_id)
    )


def count_holders(connection: Connection, campaign_id: str) -> tuple[int, int]:
    """Return how many holders a campaign has, and how many accepted."""
    columns = campaign_holders.c
    query = sa.select(sa.func.count(), sa.func.count(columns.accepted_at)).where(
        columns.campaign_id == campaign_id
    )
    held, accepted = connection.execute(query).one()
    return held, accepted


def list_holders(
    connection: Connection, campaign_id: str, *, after: str, limit: int
) -> tuple[CampaignHolder, ...]:
    """Return the holders of a campaign in the order of the lines that they are told on."""
    columns = campaign_holders.c
    query = (
        campaign_holders.select()
        .where(columns.campaign_id == campaign_id, columns.line_id > after)
        .order_by(columns.line_id)
        .limit(limit)
    )
    return tuple(_holder(row) for row in connection.execute(query))


def _holder(row: Row[Any]) -> CampaignHolder:
    return CampaignHolder(row.subject, row.line_id, row.notice_id, row.accepted_at)


def _campaign(row: Row[Any]) -> TermsCampaign:
    return TermsCampaign(
        campaign_id=row.campaign_id,
        operator=row.operator,
        terms_version=row.terms_version,
        notify_by=row.notify_by,
        takes_effect_at=row.takes_effect_at,
        state=CampaignState(row.state),
        created_at=row.created_at,
        cursor=row.cursor,
        all_queued=row.all_queued,
    )
