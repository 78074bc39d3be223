"""What a report about a service order changes: once, whoever brings it and however often.

Callbacks, polls and the answer to the order itself all come here. The service is held meanwhile, so that two
reports about one line never work at once. Lock order: service, line, lane of the ledger.
"""

from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.job_queue.model import NewJob
from shiming.infrastructure.job_queue.queue import enqueue
from shiming.infrastructure.outbox import Event, Fact, emit
from shiming.privacy.use_cases.ledger import record
from shiming.registrations.events.provisioning import ORDER_CANCELLED, ORDER_COMPLETED, ORDER_FAILED
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.provisioning import OrderAction, OrderState, ServiceOrder
from shiming.registrations.rules.service_orders import (
    Await,
    Drop,
    NothingToDo,
    Send,
    advance,
    decide_next,
)
from shiming.registrations.store import provisioning as store
from shiming.registrations.store.lines import find_line
from shiming.registrations.use_cases.provisioning_tools import ProvisioningTools
from shiming.registrations.use_cases.stops import confirm_line
from shiming.vocabulary.permissions import inside

SEND = "provisioning.send"
REASON_CHARACTERS_MAX = 80
_KINDS = {
    OrderState.COMPLETED: ORDER_COMPLETED,
    OrderState.FAILED: ORDER_FAILED,
    OrderState.CANCELLED: ORDER_CANCELLED,
}


@inside("reports come from callbacks that were authenticated, and from jobs")
def settle(
    tools: ProvisioningTools,
    connection: Connection,
    order_id: str,
    reported: OrderState,
    *,
    now: datetime,
    bss_order: str | None = None,
    reason: str | None = None,
    confirmation: str | None = None,
) -> ServiceOrder | None:
    """Take up what is reported about an order; return the order if that changed anything."""
    seen = store.find_order(connection, order_id)
    if seen is None:
        return None
    store.lock_service(connection, seen.service_id, seen.operator, seen.line_id)
    order = store.find_order(connection, order_id)  # again: another report may have been faster
    after = None if order is None else advance(order.state, reported)
    if order is None or after is None:
        return None
    columns: dict[str, object] = {"state": after.value, "reason": reason and reason[:REASON_CHARACTERS_MAX]}
    if bss_order is not None:
        columns["bss_order"] = bss_order
    if confirmation is not None:
        columns["confirmation"] = confirmation
    store.change_order(connection, order_id, now=now, **columns)
    if after.is_final:
        _finish(tools, connection, order, after, reason=reason, confirmation=confirmation, now=now)
    return store.find_order(connection, order_id)


@inside("whatever ends an order asks for the next")
def queue_next(
    tools: ProvisioningTools, connection: Connection, order: ServiceOrder, *, now: datetime
) -> None:
    """Queue what is next for a service that is held; drop what the network never needs to hear."""
    match next_of(connection, order):
        case Send(next_order):
            enqueue(connection, send_job(next_order), now=now)
        case Await(waiting, reason) if not waiting.state.is_sent and waiting.reason != reason.value:
            store.change_order(connection, waiting.order_id, now=now, reason=reason.value)
        case Drop(orders):
            for each in orders:
                store.change_order(connection, each.order_id, now=now, state=OrderState.CANCELLED.value)
                note(tools, connection, each, OrderState.CANCELLED, reason=None, now=now)


@inside("shared by sending and by confirming")
def next_of(connection: Connection, order: ServiceOrder) -> Send | Await | Drop | NothingToDo:
    """Return what is next among the orders of this order's service, which is held."""
    service = store.find_service(connection, order.service_id, order.operator)
    known = service is not None and store.is_in_network(service)
    return decide_next(store.orders_of(connection, order.service_id, order.operator), known=known)


@inside("one name for the job of an order")
def send_job(order: ServiceOrder) -> NewJob:
    """Return the job that sends an order; while it waits or runs there is no second."""
    return NewJob(SEND, {"order": order.order_id}, unique_key=f"{SEND}:{order.order_id}")


@inside("every change of an order is written the same way")
def note(
    tools: ProvisioningTools,
    connection: Connection,
    order: ServiceOrder,
    after: OrderState,
    *,
    reason: str | None,
    now: datetime,
    confirmation: str | None = None,
    by: str | None = None,
) -> None:
    """Write the leaf and the event of an order that has come to an end."""
    facts: dict[str, Fact] = {
        "order": order.order_id,
        "line": order.line_id,
        "action": order.action.value,
        "sequence": order.sequence,
        "status": order.desired.status.value,
        "reason": reason,
    }
    kind = _KINDS[after]
    leaf = {**facts, "confirmation": confirmation, "by": by}
    record(connection, tools.keys, kind=kind, facts=leaf, now=now, operator=order.operator)
    emit(connection, Event(kind, order.order_id, order.operator, now, facts))


def _finish(
    tools: ProvisioningTools,
    connection: Connection,
    order: ServiceOrder,
    after: OrderState,
    *,
    reason: str | None,
    confirmation: str | None,
    now: datetime,
) -> None:
    if after is OrderState.COMPLETED:
        store.change_service(
            connection,
            order.service_id,
            order.operator,
            confirmed=order.desired.to_text(),
            confirmed_at=now,
        )
        if order.action is OrderAction.ADD and order.line_id is not None:
            _confirm_line(tools, connection, order.line_id, now=now)
    note(tools, connection, order, after, reason=reason, confirmation=confirmation, now=now)
    queue_next(tools, connection, order, now=now)


def _confirm_line(tools: ProvisioningTools, connection: Connection, line_id: str, *, now: datetime) -> None:
    """Take the line up; one that has ended meanwhile stays so: the order that deletes it follows."""
    line = find_line(connection, line_id)
    if line is not None and line.status is LineStatus.PENDING:
        confirm_line(tools.registrations, connection, line_id, now=now, policy=tools.policy())
