"""Reading the registry's side of a comparison a page at a time, and keeping what was found."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.database import insert_into
from shiming.registrations.model.drift import Drift, DriftKind, Reconciliation
from shiming.registrations.model.lines import Line
from shiming.registrations.store.lines import find_lines
from shiming.registrations.store.provisioning_tables import OPEN, network_services, service_orders
from shiming.registrations.store.reconciling_tables import line_drifts, reconciliations
from shiming.registrations.store.tables import in_use, lines

LISTED_MAX = 10_000  # drifts of one comparison that are kept by name; all are counted
KEPT_FOR = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class RegistryRow:
    """A line with what provisioning knows of it."""

    line: Line
    is_under_way: bool  # an order is open, or the network confirmed one since the comparison began


def page_of_lines(
    connection: Connection, operator: str, *, after: str, limit: int, since: datetime
) -> tuple[RegistryRow, ...]:
    """Return lines of an operator that have not ended, in the database's order of their references."""
    query = (
        sa.select(lines.c.line_id)
        .where(lines.c.operator == operator, lines.c.line_id > after, in_use)
        .order_by(lines.c.line_id)
        .limit(limit)
    )
    return lines_with_standing(connection, connection.execute(query).scalars().all(), operator, since=since)


def lines_with_standing(
    connection: Connection, line_ids: Sequence[str], operator: str, *, since: datetime
) -> tuple[RegistryRow, ...]:
    """Return those of these lines that are the operator's, in this order."""
    busy = _under_way(connection, line_ids, operator, since)
    found = find_lines(connection, line_ids, operator)
    return tuple(RegistryRow(found[line_id], line_id in busy) for line_id in line_ids if line_id in found)


def services_under_way(
    connection: Connection, service_ids: Sequence[str], operator: str, *, since: datetime
) -> frozenset[str]:
    """Return those of these services that an order is open for, or was finished lately."""
    return frozenset(_under_way(connection, service_ids, operator, since))


def add_reconciliation(connection: Connection, wanted: Reconciliation) -> None:
    """Write that a comparison begins; forget those of long ago."""
    old = reconciliations.c.started_at < wanted.started_at - KEPT_FOR
    connection.execute(reconciliations.delete().where(old))
    connection.execute(
        reconciliations.insert().values(
            reconciliation_id=wanted.reconciliation_id,
            operator=wanted.operator,
            started_at=wanted.started_at,
            repair=wanted.repair,
            stop_unknown=wanted.stop_unknown,
        )
    )


def finish_reconciliation(connection: Connection, done: Reconciliation) -> None:
    """Write what a comparison found, or that it failed."""
    mine = reconciliations.c.reconciliation_id == done.reconciliation_id
    connection.execute(
        reconciliations.update()
        .where(mine)
        .values(
            finished_at=done.finished_at,
            failure=done.failure,
            lines=done.lines,
            services=done.services,
            unreadable=done.unreadable,
            under_way=done.under_way,
            ordered=done.ordered,
            found=json.dumps(done.found, sort_keys=True),
        )
    )


def find_reconciliation(connection: Connection, reconciliation_id: str) -> Reconciliation | None:
    """Return a comparison."""
    query = reconciliations.select().where(reconciliations.c.reconciliation_id == reconciliation_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else _reconciliation(row)


def list_reconciliations(
    connection: Connection, operator: str | None, limit: int
) -> tuple[Reconciliation, ...]:
    """Return the comparisons that began last, newest first; operator None: of all."""
    query = reconciliations.select().order_by(
        reconciliations.c.started_at.desc(), reconciliations.c.reconciliation_id
    )
    if operator is not None:
        query = query.where(reconciliations.c.operator == operator)
    return tuple(_reconciliation(row) for row in connection.execute(query.limit(limit)))


def add_drifts(connection: Connection, reconciliation_id: str, drifts: Iterable[Drift]) -> None:
    """Write differences."""
    rows = [
        {
            "reconciliation_id": reconciliation_id,
            "service_id": drift.service_id,
            "kind": drift.kind.value,
            "registry": drift.registry,
            "network": drift.network,
            "differs": json.dumps(drift.differs),
            "order_id": drift.order_id,
        }
        for drift in drifts
    ]
    if rows:
        connection.execute(insert_into(connection, line_drifts).on_conflict_do_nothing(), rows)


def list_drifts(
    connection: Connection, reconciliation_id: str, *, after: str, limit: int
) -> tuple[Drift, ...]:
    """Return the differences that a comparison found, by service."""
    query = (
        line_drifts.select()
        .where(line_drifts.c.reconciliation_id == reconciliation_id, line_drifts.c.service_id > after)
        .order_by(line_drifts.c.service_id)
        .limit(limit)
    )
    return tuple(_drift(row) for row in connection.execute(query))


def _under_way(
    connection: Connection, service_ids: Sequence[str], operator: str, since: datetime
) -> set[str]:
    open_orders = sa.select(service_orders.c.service_id).where(
        OPEN, service_orders.c.service_id.in_(service_ids), service_orders.c.operator == operator
    )
    finished = sa.select(network_services.c.service_id).where(
        network_services.c.service_id.in_(service_ids),
        network_services.c.operator == operator,
        network_services.c.confirmed_at >= since,
    )
    return set(connection.execute(sa.union(open_orders, finished)).scalars())


def _reconciliation(row: Row[Any]) -> Reconciliation:
    return Reconciliation(**{**row._mapping, "found": json.loads(row.found)})  # noqa: SLF001 - the library's public name


def _drift(row: Row[Any]) -> Drift:
    return Drift(
        row.service_id,
        DriftKind(row.kind),
        row.registry,
        row.network,
        tuple(json.loads(row.differs)),
        row.order_id,
    )
