"""Cards in SQL. A card goes from stock to a line by one guarded update: of two who want it, one gets it.

Which line a card goes into is settled earlier, by the one row that it has in `sim_holds`: of the order that
names it, for a while; of its line from the registration on, for good. Lock order: the hold, then the card.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema
from shiming.registrations.model.lines import Line, SimForm
from shiming.registrations.model.sims import CardStanding, NewSim, Sim, SimState, SimUse
from shiming.vocabulary.sim_identifiers import Iccid, Imsi

sims = sa.Table(
    "sims",
    schema,
    sa.Column("iccid", sa.String(20), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("imsi", sa.String(15), nullable=False, unique=True),
    sa.Column("form", sa.String(10), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("line_id", sa.String(40)),
    sa.Column("added_at", UtcInstant, nullable=False),
    sa.CheckConstraint("(state = 'stock') = (line_id IS NULL)", name="of_a_line_unless_in_stock"),
)

sim_uses = sa.Table(
    "sim_uses",
    schema,
    sa.Column("line_id", sa.String(40), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),  # cards of the line, from 1
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("iccid", sa.String(20), nullable=False, unique=True),  # a card serves one line in its life
    sa.Column("since", UtcInstant, nullable=False),
    sa.Column("until", UtcInstant),
)


sim_holds = sa.Table(
    "sim_holds",
    schema,
    sa.Column("iccid", sa.String(20), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("session_id", sa.String(64), nullable=False),  # of the order that names it
    sa.Column("line_id", sa.String(40)),
    sa.Column("until", UtcInstant),
    sa.Index("ix_sim_holds_session", "session_id"),
    sa.CheckConstraint("(line_id IS NULL) = (until IS NOT NULL)", name="runs_out_unless_of_a_line"),
)


def standing_of(connection: Connection, iccid: str) -> CardStanding:
    """Return what is known of a card."""
    card = connection.execute(sims.select().where(sims.c.iccid == iccid)).one_or_none()
    held = connection.execute(sim_holds.select().where(sim_holds.c.iccid == iccid)).one_or_none()
    standing = CardStanding()
    if card is not None:
        standing = replace(standing, operator=card.operator, state=SimState(card.state))
    if held is not None:
        standing = replace(standing, held_for=held.session_id, held_until=held.until, line_id=held.line_id)
    return standing


def hold_for_order(
    connection: Connection, iccid: str, *, operator: str, session_id: str, until: datetime, now: datetime
) -> bool:
    """Keep a card for an order, again: for longer; False when it is another's."""
    free = sim_holds.c.line_id.is_(None) & (
        (sim_holds.c.session_id == session_id) | (sim_holds.c.until <= now)
    )
    columns = {"operator": operator, "session_id": session_id, "until": until}
    return _hold(connection, iccid, columns, free)


def hold_for_line(
    connection: Connection, iccid: Iccid, line: Line, *, session_id: str, now: datetime
) -> bool:
    """Keep a card for a line for good; False when it is another's; `session_id` ordered it."""
    mine = sim_holds.c.session_id == session_id
    free = (sim_holds.c.line_id == line.line_id) | (
        sim_holds.c.line_id.is_(None) & (mine | (sim_holds.c.until <= now))
    )
    columns = {"operator": line.operator, "session_id": session_id, "line_id": line.line_id, "until": None}
    return _hold(connection, iccid.reveal("store"), columns, free)


def release_holds(connection: Connection, session_id: str, *, besides: str | None = None) -> None:
    """Keep cards no longer for an order, or only the one that it names now; those of lines stay."""
    of_order = (sim_holds.c.session_id == session_id) & sim_holds.c.line_id.is_(None)
    other = sa.true() if besides is None else sim_holds.c.iccid != besides
    connection.execute(sim_holds.delete().where(of_order, other))


def _hold(connection: Connection, iccid: str, columns: dict[str, Any], free: sa.ColumnElement[bool]) -> bool:
    statement = insert_into(connection, sim_holds).values(iccid=iccid, **columns)
    statement = statement.on_conflict_do_update(index_elements=["iccid"], set_=columns, where=free)
    return connection.execute(statement.returning(sim_holds.c.iccid)).one_or_none() is not None


def add_sims(connection: Connection, cards: Sequence[NewSim], now: datetime) -> None:
    """Write cards; one whose ICCID or IMSI is there already is passed over, which `find_sims` then shows."""
    if cards:
        rows = [_row(card, now) for card in cards]
        connection.execute(insert_into(connection, sims).on_conflict_do_nothing(), rows)


def find_sims(connection: Connection, iccids: Sequence[str]) -> dict[str, Sim]:
    """Return the cards with these numbers."""
    query = sims.select().where(sims.c.iccid.in_(iccids))
    return {row.iccid: _sim(row) for row in connection.execute(query)}


def find_sim(connection: Connection, iccid: Iccid) -> Sim | None:
    """Return a card."""
    text = iccid.reveal("lookup")
    return find_sims(connection, (text,)).get(text)


def take(connection: Connection, card: Sim, line: Line) -> bool:
    """Take a card out of the stock for a line; False when another one was faster."""
    statement = (
        sims.update()
        .where(sims.c.iccid == card.iccid.reveal("lookup"), sims.c.state == SimState.STOCK.value)
        .values(state=SimState.ASSIGNED.value, line_id=line.line_id)
    )
    return connection.execute(statement).rowcount == 1


def add_use(connection: Connection, use: SimUse) -> None:
    """Write that a card is in a line now."""
    connection.execute(
        sim_uses.insert().values(
            line_id=use.line_id,
            position=use.position,
            operator=use.operator,
            iccid=use.iccid.reveal("store"),
            since=use.since,
        )
    )


def end_uses(connection: Connection, line: Line, *, at: datetime) -> None:
    """Retire the card that is in a line, if there is one."""
    connection.execute(
        sims.update()
        .where(sims.c.line_id == line.line_id, sims.c.state == SimState.ASSIGNED.value)
        .values(state=SimState.RETIRED.value)
    )
    present = (sim_uses.c.line_id == line.line_id) & sim_uses.c.until.is_(None)
    connection.execute(sim_uses.update().where(present).values(until=at))


def uses_of(connection: Connection, line_id: str) -> tuple[SimUse, ...]:
    """Return the cards that a line has and had, oldest first."""
    query = sim_uses.select().where(sim_uses.c.line_id == line_id).order_by(sim_uses.c.position)
    return tuple(_use(row) for row in connection.execute(query))


def _row(card: NewSim, now: datetime) -> dict[str, Any]:
    return {
        "iccid": card.iccid.reveal("store"),
        "operator": card.operator,
        "imsi": card.imsi.reveal("store"),
        "form": card.form.value,
        "state": SimState.STOCK.value,
        "added_at": now,
    }


def _sim(row: Row[Any]) -> Sim:
    return Sim(
        Iccid(row.iccid),
        row.operator,
        Imsi(row.imsi),
        SimForm(row.form),
        SimState(row.state),
        row.added_at,
        row.line_id,
    )


def _use(row: Row[Any]) -> SimUse:
    return SimUse(row.line_id, row.operator, row.position, Iccid(row.iccid), row.since, row.until)
