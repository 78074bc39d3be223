"""Reading and writing services, profiles and service orders."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.database import insert_into
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.provisioning import (
    DesiredService,
    OrderAction,
    OrderState,
    Profile,
    ServiceOrder,
)
from shiming.registrations.store.bss_endpoints import bss_endpoints
from shiming.registrations.store.provisioning_tables import (
    OPEN,
    line_profiles,
    network_services,
    service_orders,
)


def lock_service(connection: Connection, service_id: str, operator: str, line_id: str | None) -> Row[Any]:
    """Return the row of a service, made if need be, and hold it until the transaction ends."""
    new = {"service_id": service_id, "operator": operator, "line_id": line_id, "last_sequence": 0}
    connection.execute(insert_into(connection, network_services).values(new).on_conflict_do_nothing())
    return connection.execute(
        network_services.select().where(_service(service_id, operator)).with_for_update()
    ).one()


def find_service(connection: Connection, service_id: str, operator: str) -> Row[Any] | None:
    """Return the row of a service."""
    return connection.execute(network_services.select().where(_service(service_id, operator))).one_or_none()


def change_service(connection: Connection, service_id: str, operator: str, **columns: Any) -> None:
    """Set columns of a service that is held."""
    connection.execute(network_services.update().where(_service(service_id, operator)).values(**columns))


def is_in_network(service: Row[Any]) -> bool:
    """Say whether the network has the service, by what it confirmed last."""
    if service.confirmed is None:
        return False
    return DesiredService.from_text(service.confirmed).status is not LineStatus.TERMINATED


def put_profile(
    connection: Connection,
    line_id: str,
    operator: str,
    *,
    source: str,
    profile: Profile,
    until: datetime | None,
    now: datetime,
) -> None:
    """Write the part of a profile that one source asks for; it replaces that source's former part."""
    row = {
        "line_id": line_id,
        "source": source,
        "operator": operator,
        "profile": json.dumps(dict(profile), sort_keys=True),
        "requested_at": now,
        "until": until,
    }
    parts = insert_into(connection, line_profiles).values(row)
    changed = {name: row[name] for name in ("profile", "requested_at", "until")}
    connection.execute(parts.on_conflict_do_update(index_elements=["line_id", "source"], set_=changed))


def list_profiles(connection: Connection, line_id: str, *, now: datetime) -> tuple[Profile, ...]:
    """Return the parts that hold now, lasting ones first: a later one decides."""
    until = line_profiles.c.until
    query = (
        sa.select(line_profiles.c.profile)
        .where(line_profiles.c.line_id == line_id, sa.or_(until.is_(None), until > now))
        .order_by(until.is_not(None), line_profiles.c.source)
    )
    return tuple(json.loads(text) for text in connection.execute(query).scalars())


def take_expired_profiles(
    connection: Connection, *, now: datetime, limit: int
) -> tuple[tuple[str, str], ...]:
    """Remove parts whose time is over; return (line, operator) of each."""
    old = (
        sa.select(line_profiles)
        .where(line_profiles.c.until <= now)
        .order_by(line_profiles.c.until)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(old).all()
    for row in rows:
        mine = (line_profiles.c.line_id == row.line_id) & (line_profiles.c.source == row.source)
        connection.execute(line_profiles.delete().where(mine))
    return tuple({(row.line_id, row.operator) for row in rows})


def add_order(connection: Connection, order: ServiceOrder) -> None:
    """Write a new order."""
    connection.execute(
        service_orders.insert().values(
            order_id=order.order_id,
            operator=order.operator,
            service_id=order.service_id,
            line_id=order.line_id,
            sequence=order.sequence,
            action=order.action.value,
            desired=order.desired.to_text(),
            state=order.state.value,
            reason=order.reason,
            attempts=order.attempts,
            created_at=order.created_at,
            changed_at=order.changed_at,
        )
    )


def find_order(connection: Connection, order_id: str) -> ServiceOrder | None:
    """Return an order by its reference."""
    query = service_orders.select().where(service_orders.c.order_id == order_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else _order(row)


def find_by_bss_order(connection: Connection, operator: str, bss_order: str) -> ServiceOrder | None:
    """Return an order by what the operator's BSS calls it."""
    mine = (service_orders.c.operator == operator) & (service_orders.c.bss_order == bss_order)
    row = connection.execute(service_orders.select().where(mine).limit(1)).one_or_none()
    return None if row is None else _order(row)


def orders_of(connection: Connection, service_id: str, operator: str) -> tuple[ServiceOrder, ...]:
    """Return all orders of a service in their order."""
    query = (
        service_orders.select()
        .where(service_orders.c.service_id == service_id, service_orders.c.operator == operator)
        .order_by(service_orders.c.sequence)
    )
    return tuple(_order(row) for row in connection.execute(query))


def change_order(connection: Connection, order_id: str, *, now: datetime, **columns: Any) -> None:
    """Set columns of an order whose service is held."""
    mine = service_orders.c.order_id == order_id
    connection.execute(service_orders.update().where(mine).values(changed_at=now, **columns))


def list_orders(
    connection: Connection,
    *,
    operator: str | None,
    states: Iterable[OrderState] = (),
    line_id: str | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int,
) -> tuple[ServiceOrder, ...]:
    """Return orders, oldest first, of one operator or of all."""
    query = service_orders.select()
    if operator is not None:
        query = query.where(service_orders.c.operator == operator)
    if wanted := [state.value for state in states]:
        query = query.where(service_orders.c.state.in_(wanted))
    if line_id is not None:
        query = query.where(service_orders.c.line_id == line_id)
    if after is not None:
        at, order_id = after
        place = sa.tuple_(service_orders.c.created_at, service_orders.c.order_id)
        bound = sa.tuple_(sa.literal(at, service_orders.c.created_at.type), sa.literal(order_id))
        query = query.where(place > bound)
    query = query.order_by(service_orders.c.created_at, service_orders.c.order_id).limit(limit)
    return tuple(_order(row) for row in connection.execute(query))


def list_stuck(
    connection: Connection, *, stale_before: datetime, after: tuple[str, str] | None, limit: int
) -> tuple[ServiceOrder, ...]:
    """Return a page of open orders of operators that have a BSS: held ones, and those long untouched."""
    place = sa.tuple_(service_orders.c.operator, service_orders.c.order_id)
    reachable = service_orders.c.operator.in_(sa.select(bss_endpoints.c.operator))
    stale = service_orders.c.changed_at < stale_before
    stuck = sa.or_(service_orders.c.state == OrderState.HELD.value, stale)
    query = service_orders.select().where(OPEN, reachable, stuck)
    if after is not None:
        query = query.where(place > sa.tuple_(*map(sa.literal, after)))
    query = query.order_by(service_orders.c.operator, service_orders.c.order_id).limit(limit)
    return tuple(_order(row) for row in connection.execute(query))


def _service(service_id: str, operator: str) -> sa.ColumnElement[bool]:
    return (network_services.c.service_id == service_id) & (network_services.c.operator == operator)


def _order(row: Row[Any]) -> ServiceOrder:
    return ServiceOrder(
        order_id=row.order_id,
        operator=row.operator,
        service_id=row.service_id,
        sequence=row.sequence,
        action=OrderAction(row.action),
        desired=DesiredService.from_text(row.desired),
        state=OrderState(row.state),
        created_at=row.created_at,
        changed_at=row.changed_at,
        line_id=row.line_id,
        attempts=row.attempts,
        bss_order=row.bss_order,
        reason=row.reason,
        confirmation=row.confirmation,
    )
