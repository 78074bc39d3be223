"""Tables of what is reported about industry cards: end users, stock statements, resale."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema
from shiming.registrations.model.iot_reports import EndUser, ResaleCase, ResaleState, StockStatement

iot_end_users = sa.Table(
    "iot_end_users",
    schema,
    sa.Column("contract", sa.String(40), primary_key=True),
    sa.Column("device_serial", sa.String(80), primary_key=True),
    sa.Column("iccid", sa.String(20), nullable=False, unique=True),  # one card, one device
    sa.Column("buyer", sa.String(80)),
    sa.Column("session", sa.String(64)),
    sa.Column("reported_at", UtcInstant, nullable=False),
)

iot_stock_statements = sa.Table(
    "iot_stock_statements",
    schema,
    sa.Column("contract", sa.String(40), primary_key=True),
    sa.Column("on", sa.Date, primary_key=True),
    sa.Column("sold", sa.Integer, nullable=False),
    sa.Column("stock", sa.Integer, nullable=False),
    sa.Column("stated_at", UtcInstant, nullable=False),
    sa.CheckConstraint("sold >= 0 AND stock >= 0", name="counts"),
)

iot_resale_cases = sa.Table(
    "iot_resale_cases",
    schema,
    sa.Column("case_id", sa.String(40), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("organisation", sa.String(40), nullable=False, index=True),
    sa.Column("contract", sa.String(40), nullable=False),
    sa.Column("iccid", sa.String(20)),
    sa.Column("evidence", sa.String(64), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("reported_at", UtcInstant, nullable=False),
    sa.Column("decided_at", UtcInstant),
    sa.Column("decided_by", sa.String(80)),
    sa.Column("liable", sa.String(40)),
    sa.Column("appeal", sa.String(64)),
    sa.Column("version", sa.Integer, nullable=False),
)


def find_end_users(
    connection: Connection, contract: str, serials: Collection[str], iccids: Collection[str]
) -> tuple[EndUser, ...]:
    """Return what is reported of these devices of a contract, and of these cards anywhere."""
    table = iot_end_users
    same_device = (table.c.contract == contract) & table.c.device_serial.in_(serials)
    query = table.select().where(sa.or_(same_device, table.c.iccid.in_(iccids)))
    names = ("contract", "device_serial", "iccid", "buyer", "session")
    return tuple(EndUser(*(getattr(row, name) for name in names)) for row in connection.execute(query))


def put_end_user(connection: Connection, user: EndUser, *, now: datetime) -> None:
    """Write who has a device; a later buyer of the same device replaces the former."""
    statement = insert_into(connection, iot_end_users).values(**asdict(user), reported_at=now)
    changed = {"buyer": user.buyer, "session": user.session, "reported_at": now}
    keys = ["contract", "device_serial"]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))


def count_end_users(connection: Connection, contract: str) -> tuple[int, int]:
    """Count the devices of a contract whose buyer is proven, and those whose buyer is awaited."""
    table = iot_end_users
    query = sa.select(sa.func.count(), sa.func.count(table.c.buyer)).where(table.c.contract == contract)
    reported, proven = connection.execute(query).one()
    return proven, reported - proven


def put_statement(connection: Connection, statement: StockStatement, *, now: datetime) -> bool:
    """Write what a maker declares of a day; False when it declared the same before."""
    table = iot_stock_statements
    key = (table.c.contract == statement.contract) & (table.c.on == statement.on)
    former = connection.execute(table.select().where(key)).one_or_none()
    if former is not None and (former.sold, former.stock) == (statement.sold, statement.stock):
        return False
    insert = insert_into(connection, table).values(**asdict(statement), stated_at=now)
    changed = {"sold": statement.sold, "stock": statement.stock, "stated_at": now}
    connection.execute(insert.on_conflict_do_update(index_elements=["contract", "on"], set_=changed))
    return True


def find_latest_statement(connection: Connection, contract: str) -> StockStatement | None:
    """Return what a maker declared last."""
    table = iot_stock_statements
    query = table.select().where(table.c.contract == contract).order_by(table.c.on.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else StockStatement(row.contract, row.on, row.sold, row.stock)


def add_case(connection: Connection, case: ResaleCase) -> None:
    """Write a new case."""
    connection.execute(iot_resale_cases.insert().values(**asdict(case) | {"state": case.state.value}))


def find_case(connection: Connection, case_id: str, *, for_update: bool = False) -> ResaleCase | None:
    """Return a case; `for_update` holds it until the transaction ends."""
    query = iot_resale_cases.select().where(iot_resale_cases.c.case_id == case_id)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    if row is None:
        return None
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public way to read a row by name
    return ResaleCase(**{**values, "state": ResaleState(row.state)})


def is_under_suspicion(connection: Connection, organisation: str) -> bool:
    """Whether a case about a company goes on, or was decided against it."""
    table = iot_resale_cases
    query = table.select().where(
        table.c.organisation == organisation, table.c.state != ResaleState.DISMISSED.value
    )
    return connection.execute(query.limit(1)).first() is not None


def change_case(connection: Connection, case: ResaleCase, **columns: Any) -> bool:
    """Set columns of a case and count its version; False when it is not this version any more."""
    table = iot_resale_cases
    statement = (
        table.update()
        .where(table.c.case_id == case.case_id, table.c.version == case.version)
        .values(version=case.version + 1, **columns)
    )
    return connection.execute(statement).rowcount == 1
