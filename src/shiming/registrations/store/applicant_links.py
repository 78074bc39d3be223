"""The table of links to orders, found by the hash of a token; and what is kept while an order waits."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.tables import UtcInstant, schema
from shiming.registrations.model.applicant_links import ApplicantLink, LinkEnd
from shiming.registrations.model.numbers import NumberState
from shiming.registrations.store.number_tables import numbers_held
from shiming.registrations.store.orders import line_orders
from shiming.registrations.store.sims import sim_holds

applicant_links = sa.Table(
    "applicant_links",
    schema,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("session_id", sa.String(64), nullable=False, index=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("made_at", UtcInstant, nullable=False),
    sa.Column("expires_at", UtcInstant, nullable=False),
    sa.Column("begun_at", UtcInstant),
    sa.Column("closed_at", UtcInstant),
    sa.Column("closed_why", sa.String(20)),  # LinkEnd
    sa.Column("sessions", sa.Integer, nullable=False),
    sa.Column("card_wrong", sa.Integer, nullable=False),
)

#: What somebody said or was given as the one whom the former session was about to prove.
_OF_THE_PROOF = (
    "terms_version",
    "terms_hash",
    "terms_accepted_at",
    "terms_channel",
    "terms_language",
    "confirmed_identifier",
    "confirmation_method",
    "confirmed_at",
    "cap_subject",
    "cap_scope",
    "cap_name",
    "cap_reserved_until",
    "review",
    "delivery_until",
)


def add_link(connection: Connection, link: ApplicantLink) -> None:
    """Write a new link."""
    names = [column.name for column in applicant_links.c]
    connection.execute(applicant_links.insert().values({name: getattr(link, name) for name in names}))


def find_link(connection: Connection, token_hash: str, *, for_update: bool = False) -> ApplicantLink | None:
    """Return a link; `for_update` holds it until the transaction ends."""
    query = applicant_links.select().where(applicant_links.c.token_hash == token_hash)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    if row is None:
        return None
    columns = row._asdict()
    columns["closed_why"] = LinkEnd(row.closed_why) if row.closed_why else None
    return ApplicantLink(**columns)


def change_link(connection: Connection, token_hash: str, **columns: Any) -> None:
    """Set columns of a link that the caller holds."""
    where = applicant_links.c.token_hash == token_hash
    connection.execute(applicant_links.update().where(where).values(**columns))


def close_links(connection: Connection, session_id: str, at: datetime, why: LinkEnd) -> int:
    """Let no link of a session be used any more; return how many were."""
    where = (applicant_links.c.session_id == session_id) & applicant_links.c.closed_at.is_(None)
    statement = applicant_links.update().where(where).values(closed_at=at, closed_why=why.value)
    return connection.execute(statement).rowcount


def keep_longer(connection: Connection, session_id: str, until: datetime) -> None:
    """Keep the number and the card of an order at least until then; what is not kept stays so."""
    number = (numbers_held.c.held_for == session_id) & (numbers_held.c.state == NumberState.RESERVED.value)
    connection.execute(numbers_held.update().where(number, numbers_held.c.until < until).values(until=until))
    card = (sim_holds.c.session_id == session_id) & sim_holds.c.line_id.is_(None)
    connection.execute(sim_holds.update().where(card, sim_holds.c.until < until).values(until=until))


def move_order(connection: Connection, former: str, session_id: str) -> None:
    """Let an order go on with another session: number and card move, what rested on the proof is left."""
    order = line_orders.update().where(line_orders.c.session_id == former)
    connection.execute(order.values(session_id=session_id, **dict.fromkeys(_OF_THE_PROOF)))
    number = (numbers_held.c.held_for == former) & (numbers_held.c.state == NumberState.RESERVED.value)
    connection.execute(numbers_held.update().where(number).values(held_for=session_id))
    card = (sim_holds.c.session_id == former) & sim_holds.c.line_id.is_(None)
    connection.execute(sim_holds.update().where(card).values(session_id=session_id))


def await_card(connection: Connection, session_id: str, until: datetime) -> None:
    """Let an order wait for its card until then; a place under the cap that it keeps is kept as long."""
    mine = line_orders.c.session_id == session_id
    connection.execute(line_orders.update().where(mine).values(delivery_until=until))
    kept = mine & line_orders.c.cap_reserved_until.is_not(None)
    connection.execute(line_orders.update().where(kept).values(cap_reserved_until=until))
    keep_longer(connection, session_id, until)


def find_latest(connection: Connection, session_id: str) -> ApplicantLink | None:
    """Return the link of a session that was made last."""
    mine = applicant_links.c.session_id == session_id
    query = sa.select(applicant_links.c.token_hash).where(mine)
    newest = query.order_by(applicant_links.c.made_at.desc(), applicant_links.c.closed_at.is_(None).desc())
    key = connection.execute(newest.limit(1)).scalar_one_or_none()
    return None if key is None else find_link(connection, key)
