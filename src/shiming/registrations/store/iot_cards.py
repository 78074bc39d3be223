"""The table of industry cards: stock, sold, returned. Of two who want a card or a device, one gets it."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema
from shiming.registrations.model.iot import CardState, IotCard
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.store.cap_counters import CounterKey
from shiming.registrations.store.tables import cap_counters, lines
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.sim_identifiers import Iccid, Imei, Imsi

ROWS_AT_ONCE = 1000  # of a reading cursor

iot_cards = sa.Table(
    "iot_cards",
    schema,
    sa.Column("iccid", sa.String(20), primary_key=True),
    sa.Column("imsi", sa.String(15), nullable=False, unique=True),
    sa.Column("number", sa.String(64), nullable=False, unique=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("contract", sa.String(40)),
    sa.Column("imei", sa.String(15)),  # of the device it is bound to now
    sa.Column("line_id", sa.String(40), unique=True),
    sa.Column("actual_user", sa.String(80)),
    sa.Column("actual_session", sa.String(64), unique=True),  # one proof names the user of one card
    sa.Column("imported_at", UtcInstant, nullable=False),
    sa.Column("sold_at", UtcInstant),
    sa.Column("returned_at", UtcInstant),
    sa.UniqueConstraint("operator", "imei", name="uq_iot_cards_device"),  # one device, one card
    sa.CheckConstraint("(state = 'stock') = (contract IS NULL)", name="sold_under_a_contract"),
)
sa.Index("ix_iot_cards_contract", iot_cards.c.contract, iot_cards.c.iccid)
sa.Index("ix_iot_cards_stock", iot_cards.c.operator, iot_cards.c.state)


def add_cards(connection: Connection, cards: Sequence[IotCard], *, now: datetime) -> frozenset[str]:
    """Write new cards; return the ICCIDs that went in. What is there already stays as it is."""
    rows = [
        {
            "iccid": card.iccid.reveal("stored"),
            "imsi": card.imsi.reveal("stored"),
            "number": card.number.reveal("stored"),
            "operator": card.operator,
            "state": CardState.STOCK.value,
            "imported_at": now,
        }
        for card in cards
    ]
    statement = insert_into(connection, iot_cards).on_conflict_do_nothing().returning(iot_cards.c.iccid)
    return frozenset(connection.execute(statement.values(rows)).scalars())


def remove_from_stock(connection: Connection, iccids: Collection[str]) -> None:
    """Take cards out that were never sold."""
    in_stock = iot_cards.c.state == CardState.STOCK.value
    connection.execute(iot_cards.delete().where(iot_cards.c.iccid.in_(iccids), in_stock))


def find_cards(
    connection: Connection, iccids: Collection[str], *, for_update: bool = False
) -> dict[str, IotCard]:
    """Return the cards that are there, by ICCID."""
    query = iot_cards.select().where(iot_cards.c.iccid.in_(iccids)).order_by(iot_cards.c.iccid)
    rows = connection.execute(query.with_for_update() if for_update else query)
    return {row.iccid: _card(row) for row in rows}


def find_card_of_line(connection: Connection, line_id: str) -> IotCard | None:
    """Return the card that a line was opened for, held until the transaction ends."""
    query = iot_cards.select().where(iot_cards.c.line_id == line_id).with_for_update()
    row = connection.execute(query).one_or_none()
    return None if row is None else _card(row)


def find_bound(connection: Connection, operator: str, imeis: Collection[str]) -> dict[str, str]:
    """Return which card each of these devices is bound to: IMEI -> ICCID."""
    query = sa.select(iot_cards.c.imei, iot_cards.c.iccid).where(
        iot_cards.c.operator == operator, iot_cards.c.imei.in_(imeis)
    )
    return {row.imei: row.iccid for row in connection.execute(query)}


def sell(connection: Connection, card: IotCard, *, actual_session: str | None, now: datetime) -> bool:
    """Take a card out of the stock; False when it is not in it any more."""
    statement = (
        iot_cards.update()
        .where(iot_cards.c.iccid == card.iccid.reveal("lookup"), iot_cards.c.state == CardState.STOCK.value)
        .values(
            state=CardState.SOLD.value,
            contract=card.contract,
            imei=card.imei and card.imei.reveal("the card is bound to it"),
            line_id=card.line_id,
            actual_user=card.actual_user,
            actual_session=actual_session,
            sold_at=now,
        )
    )
    return connection.execute(statement).rowcount == 1


def bind(connection: Connection, iccid: str, imei: str) -> None:
    """Bind a card to another device; the caller holds the card."""
    connection.execute(iot_cards.update().where(iot_cards.c.iccid == iccid).values(imei=imei))


def take_back(connection: Connection, iccid: str, *, now: datetime) -> bool:
    """Write that a sold card came back: its device is free; False when it was not out."""
    statement = (
        iot_cards.update()
        .where(iot_cards.c.iccid == iccid, iot_cards.c.state == CardState.SOLD.value)
        .values(state=CardState.RETURNED.value, imei=None, returned_at=now)
    )
    return connection.execute(statement).rowcount == 1


def used_sessions(connection: Connection, sessions: Collection[str]) -> frozenset[str]:
    """Return which of these sessions have named the actual user of a card."""
    query = sa.select(iot_cards.c.actual_session).where(iot_cards.c.actual_session.in_(sessions))
    return frozenset(connection.execute(query).scalars())


def free_place_of_user(connection: Connection, counter: CounterKey) -> None:
    """Count one card less for an actual user."""
    statement = (
        cap_counters.update()
        .where(
            cap_counters.c.subject == counter.subject,
            cap_counters.c.cap_scope == counter.scope,
            cap_counters.c.cap_name == counter.name,
            cap_counters.c.active > 0,
        )
        .values(active=cap_counters.c.active - 1)
    )
    connection.execute(statement)


def count_under(connection: Connection, contract: str) -> dict[CardState, int]:
    """Count the cards that were sold under a contract, by where they are now."""
    query = (
        sa.select(iot_cards.c.state, sa.func.count())
        .where(iot_cards.c.contract == contract)
        .group_by(iot_cards.c.state)
    )
    return {CardState(state): count for state, count in connection.execute(query)}


def count_of(connection: Connection, operator: str) -> dict[CardState, int]:
    """Count the cards of an operator by where they are."""
    query = (
        sa.select(iot_cards.c.state, sa.func.count())
        .where(iot_cards.c.operator == operator)
        .group_by(iot_cards.c.state)
    )
    return {CardState(state): count for state, count in connection.execute(query)}


def count_lines_under(connection: Connection, contract: str) -> tuple[int, int]:
    """Count the sold cards of a contract whose lines are registered, and those whose lines are awaited."""
    pending = lines.c.status == LineStatus.PENDING.value
    query = (
        sa.select(
            sa.func.coalesce(sa.func.sum(sa.case((pending, 0), else_=1)), 0),
            sa.func.coalesce(sa.func.sum(sa.case((pending, 1), else_=0)), 0),
        )
        .select_from(_cards_with_lines())
        .where(iot_cards.c.contract == contract, _has_line_in_use())
    )
    registered, awaiting = connection.execute(query).one()
    return int(registered), int(awaiting)


def sold_without_line(connection: Connection, operator: str, limit: int) -> tuple[tuple[str, str], ...]:
    """Return sold cards whose line is not there or has ended: (contract, line or empty)."""
    query = (
        sa.select(iot_cards.c.contract, iot_cards.c.line_id)
        .select_from(_cards_with_lines())
        .where(
            iot_cards.c.operator == operator,
            iot_cards.c.state == CardState.SOLD.value,
            sa.or_(lines.c.line_id.is_(None), lines.c.status == LineStatus.TERMINATED.value),
        )
        .order_by(iot_cards.c.iccid)
        .limit(limit)
    )
    return tuple((row.contract, row.line_id or "") for row in connection.execute(query))


def lines_under(connection: Connection, contract: str, *, after: str, limit: int) -> tuple[str, ...]:
    """Return references of lines of a contract's sold cards, in order, from behind `after`."""
    query = (
        sa.select(iot_cards.c.line_id)
        .where(
            iot_cards.c.contract == contract,
            iot_cards.c.state == CardState.SOLD.value,
            iot_cards.c.line_id > after,
        )
        .order_by(iot_cards.c.line_id)
        .limit(limit)
    )
    return tuple(connection.execute(query).scalars())


def stream_contracts(connection: Connection, operator: str) -> Iterator[str]:
    """Yield the contracts of an operator under which cards were sold, in order, by a cursor."""
    query = (
        sa.select(iot_cards.c.contract)
        .where(iot_cards.c.operator == operator, iot_cards.c.contract.is_not(None))
        .distinct()
        .order_by(iot_cards.c.contract)
    )
    yield from connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query).scalars()


def _cards_with_lines() -> sa.Join:
    same = (lines.c.line_id == iot_cards.c.line_id) & (lines.c.operator == iot_cards.c.operator)
    return iot_cards.outerjoin(lines, same)


def _has_line_in_use() -> sa.ColumnElement[bool]:
    sold = iot_cards.c.state == CardState.SOLD.value
    return sa.and_(sold, lines.c.status != LineStatus.TERMINATED.value)


def _card(row: Row[Any]) -> IotCard:
    return IotCard(
        Iccid(row.iccid),
        Imsi(row.imsi),
        Msisdn(row.number),
        row.operator,
        CardState(row.state),
        row.contract,
        Imei(row.imei) if row.imei else None,
        row.line_id,
        row.actual_user,
    )
