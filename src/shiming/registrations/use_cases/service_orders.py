"""Service orders: made from what is wanted of a line, seen, sent again, and confirmed by hand."""

import re
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.canonical_json import canonical_bytes
from shiming.infrastructure.encryption import KeyUse
from shiming.infrastructure.outbox import Event, Fact, emit
from shiming.privacy.use_cases.ledger import record
from shiming.registrations.errors.provisioning import (
    confirmation_invalid,
    order_not_failed,
    order_not_held,
    order_unknown,
)
from shiming.registrations.events.provisioning import ORDER_CREATED
from shiming.registrations.model.lines import Line, LineStatus
from shiming.registrations.model.provisioning import (
    DesiredService,
    OrderAction,
    OrderState,
    ServiceOrder,
)
from shiming.registrations.permissions.provisioning import (
    MayConfirmProvisioning,
    MayManageProvisioning,
    MayReadProvisioning,
)
from shiming.registrations.rules.line_status import confirmed_status
from shiming.registrations.rules.service_orders import Await, Send, decide_action, desired_service
from shiming.registrations.store import provisioning as store
from shiming.registrations.store.bss_endpoints import find_bss
from shiming.registrations.store.lines import find_line
from shiming.registrations.store.registry_side import resources_of_lines
from shiming.registrations.store.stops import stops_of
from shiming.registrations.use_cases.order_progress import next_of, note, queue_next, settle
from shiming.registrations.use_cases.provisioning_tools import ProvisioningTools
from shiming.vocabulary.permissions import asks, inside

DIGEST_CHARACTERS = 32  # 128 bits: tells one card from another, and names none
#: A ticket's name; what looks like the number of a person or a line is none.
_REFERENCE = re.compile(r"(?![A-Z]{0,2}\d{7,}[Xx]?$)[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@inside("a job follows each event about a line")
def order_line(
    tools: ProvisioningTools,
    connection: Connection,
    line_id: str,
    *,
    now: datetime,
    occasion: str | None = None,
) -> ServiceOrder | None:
    """Order what the line needs now; None when the newest order says it already.

    Looks at the line as it stands and not at the event, so that events may come in any order. `occasion`
    names an event that changed the holder or the place.
    """
    line = find_line(connection, line_id)
    if line is None:
        return None
    service = store.lock_service(connection, line_id, line.operator, line_id)
    line = find_line(connection, line_id) or line  # as it stands now that nobody else orders
    occasion = occasion or service.occasion
    wanted = wanted_of(tools, connection, line, occasion=occasion, now=now)
    before = None if service.wanted is None else DesiredService.from_text(service.wanted)
    action = decide_action(before, wanted)
    if action is None:
        return None
    sequence = service.last_sequence + 1
    store.change_service(
        connection, line_id, line.operator, last_sequence=sequence, wanted=wanted.to_text(), occasion=occasion
    )
    return add_order(tools, connection, line, wanted, action=action, sequence=sequence, now=now)


@inside("shared by ordering and by reconciling")
def network_status(connection: Connection, line: Line) -> LineStatus:
    """Return the status that the network is to give a line: a pending one is taken up with its stops."""
    if line.status is not LineStatus.PENDING:
        return line.status
    return confirmed_status(stops_of(connection, line))


@inside("shared by ordering and by reconciling")
def wanted_of(
    tools: ProvisioningTools, connection: Connection, line: Line, *, occasion: str | None, now: datetime
) -> DesiredService:
    """Return what the network is to do with a line."""
    profiles = store.list_profiles(connection, line.line_id, now=now)
    resources = sorted(resources_of_lines(connection, [line])[line.line_id])
    digest = tools.keys.mac(
        KeyUse.PSEUDONYM, canonical_bytes({"resources": [list(each) for each in resources]})
    )
    return desired_service(
        network_status(connection, line), profiles, occasion, digest.value[:DIGEST_CHARACTERS]
    )


@inside("shared by ordering and by reconciling")
def add_order(
    tools: ProvisioningTools,
    connection: Connection,
    line: Line | tuple[str, str],
    wanted: DesiredService,
    *,
    action: OrderAction,
    sequence: int,
    now: datetime,
) -> ServiceOrder:
    """Write an order for a line, or for a service that nobody registered; queue what is next."""
    known = isinstance(line, Line)
    service_id, operator = (line.line_id, line.operator) if isinstance(line, Line) else line
    order = ServiceOrder(
        order_id=tools.new_reference("PRV"),
        operator=operator,
        service_id=service_id,
        sequence=sequence,
        action=action,
        desired=wanted,
        state=OrderState.WAITING,
        created_at=now,
        changed_at=now,
        line_id=service_id if known else None,
    )
    store.add_order(connection, order)
    facts: dict[str, Fact] = {
        "order": order.order_id,
        "line": order.line_id,
        "action": action.value,
        "sequence": sequence,
        "status": wanted.status.value,
    }
    record(connection, tools.keys, kind=ORDER_CREATED, facts=facts, now=now, operator=operator)
    emit(connection, Event(ORDER_CREATED, order.order_id, operator, now, facts))
    queue_next(tools, connection, order, now=now)
    return store.find_order(connection, order.order_id) or order


@asks(MayReadProvisioning)
def find_order(connection: Connection, order_id: str) -> ServiceOrder | None:
    """Return an order."""
    return store.find_order(connection, order_id)


@asks(MayReadProvisioning)
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
    return store.list_orders(
        connection, operator=operator, states=states, line_id=line_id, after=after, limit=limit
    )


@asks(MayReadProvisioning)
def network_state(connection: Connection, line_id: str, operator: str) -> DesiredService | None:
    """Return what the network confirmed last about a line; None: nothing yet."""
    service = store.find_service(connection, line_id, operator)
    return (
        None if service is None or service.confirmed is None else DesiredService.from_text(service.confirmed)
    )


@asks(MayManageProvisioning)
def retry_order(
    tools: ProvisioningTools, connection: Connection, order_id: str, *, now: datetime
) -> ServiceOrder:
    """Order again what a failed order wanted, with a new reference; the failed one stays as it is."""
    failed = store.find_order(connection, order_id)
    if failed is None:
        raise order_unknown()
    if failed.state is not OrderState.FAILED:
        raise order_not_failed()
    return reorder(tools, connection, failed.service_id, failed.operator, failed.desired, now=now)


@inside("after a failure, and where the network was found to differ")
def reorder(
    tools: ProvisioningTools,
    connection: Connection,
    service_id: str,
    operator: str,
    wanted: DesiredService,
    *,
    now: datetime,
    observed: DesiredService | None = None,
    is_observed: bool = False,
) -> ServiceOrder:
    """Order the whole state of a service anew; of a line it is what the registry says now, not `wanted`.

    With `is_observed` the network was looked at and has the service like `observed` (None: not at all), which
    decides whether it is added or changed. What has not been sent yet is replaced by the new order.
    """
    line = find_line(connection, service_id)
    line = line if line is not None and line.operator == operator else None
    service = store.lock_service(connection, service_id, operator, None if line is None else service_id)
    if is_observed:
        confirmed = None if observed is None else observed.to_text()
        store.change_service(connection, service_id, operator, confirmed=confirmed, confirmed_at=now)
    else:
        observed = None if service.confirmed is None else DesiredService.from_text(service.confirmed)
    for each in store.orders_of(connection, service_id, operator):
        if not each.state.is_final and each.attempts == 0:
            store.change_order(connection, each.order_id, now=now, state=OrderState.CANCELLED.value)
            note(tools, connection, each, OrderState.CANCELLED, reason="ORDERED_ANEW", now=now)
    sequence = service.last_sequence + 1
    if line is not None:
        wanted = wanted_of(tools, connection, line, occasion=service.occasion, now=now)
    store.change_service(connection, service_id, operator, last_sequence=sequence, wanted=wanted.to_text())
    action = decide_action(observed, wanted) or OrderAction.MODIFY
    place = line or (service_id, operator)
    return add_order(tools, connection, place, wanted, action=action, sequence=sequence, now=now)


@asks(MayConfirmProvisioning)
def confirm_by_hand(
    tools: ProvisioningTools,
    connection: Connection,
    order_id: str,
    *,
    reference: str,
    by: str,
    now: datetime,
) -> ServiceOrder:
    """Note that the network did what is ordered: a person says so, on the ground of `reference`.

    Only while the operator has no BSS, and only the oldest open order of a line, so that nothing is confirmed
    out of order. Raise BadInput SERVICE_ORDER_UNKNOWN, SERVICE_ORDER_NOT_HELD or for the reference.
    """
    if not _REFERENCE.fullmatch(reference):
        raise confirmation_invalid()
    order = store.find_order(connection, order_id)
    if order is None:
        raise order_unknown()
    store.lock_service(connection, order.service_id, order.operator, order.line_id)
    head = next_of(connection, order)
    is_head = isinstance(head, Send | Await) and head.order.order_id == order_id
    if not is_head or find_bss(connection, order.operator) is not None:
        raise order_not_held()
    facts: dict[str, Fact] = {"order": order_id, "reference": reference, "by": by}
    record(
        connection,
        tools.keys,
        kind="service_order.confirmed_by_hand",
        facts=facts,
        now=now,
        operator=order.operator,
    )
    done = settle(tools, connection, order_id, OrderState.COMPLETED, now=now, confirmation=reference)
    return done or order
