"""The jobs of provisioning: make orders, send them, ask about those that nobody called back about, lift bars.

A BSS is asked outside any transaction. Before, the attempt is counted, so that a worker that dies between the
order and the note of it leaves one that is looked up by its reference before it is sent again.
"""

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.engine import Connection

from shiming.infrastructure.database import transact
from shiming.infrastructure.job_queue.model import NewJob, NotDone, PutBack, RetryRule, Task
from shiming.infrastructure.job_queue.queue import enqueue
from shiming.registrations.errors.provisioning import WaitReason
from shiming.registrations.model.provisioning import OrderState, ServiceOrder
from shiming.registrations.ports.bss import (
    BssEndpoint,
    OrderRefused,
    OrderTaken,
    OrderWanted,
    SupportingResource,
)
from shiming.registrations.rules.service_orders import Send
from shiming.registrations.store import provisioning as store
from shiming.registrations.store.lines import find_line
from shiming.registrations.store.registry_side import resources_of_lines
from shiming.registrations.use_cases.bss_endpoints import find_endpoint
from shiming.registrations.use_cases.order_progress import next_of, queue_next, send_job, settle
from shiming.registrations.use_cases.provisioning_tools import ProvisioningTools
from shiming.registrations.use_cases.service_orders import order_line
from shiming.vocabulary.errors import Unavailable
from shiming.vocabulary.permissions import inside

POLL = "provisioning.poll"
REST = timedelta(seconds=15)  # while a BSS is left alone
#: 1 s, 2 s, 4 s ... 10 min: about two days; after that the sweep takes the order up again.
RETRY = RetryRule(attempts_max=300)
STALE = timedelta(minutes=15)  # an open order to which nothing happened for so long is looked at again
AT_ONCE = 100  # orders or profiles of one transaction of the sweep
_RESTING = "CIRCUIT_OPEN"


@inside("the job that follows an event about a line")
def order_for_event(tools: ProvisioningTools, task: Task, *, occasions: frozenset[str] = frozenset()) -> None:
    """Make the order that an event asks for, if any."""
    payload = task.job.payload
    occasion = str(payload["event"]) if payload.get("type") in occasions else None

    def work(connection: Connection) -> None:
        order_line(tools, connection, str(payload["subject"]), now=tools.clock.now(), occasion=occasion)
        task.finish(connection)

    transact(tools.engine, work)


@inside("the job of one order")
def send_order(tools: ProvisioningTools, task: Task) -> NotDone | PutBack | None:
    """Send one order, or find out that the BSS has it already."""
    order_id = str(task.job.payload["order"])
    prepared = transact(tools.engine, lambda connection: _prepare(tools, connection, task, order_id))
    if prepared is None:
        return None
    order, bss, wanted = prepared
    try:
        taken = tools.bss.find_by_external_id(bss, order_id) if order.attempts else None
        answer = taken or tools.bss.place_order(bss, wanted)
    except Unavailable as problem:
        reason = str(problem.details.get("reason", problem.code))
        transact(tools.engine, lambda c: _note_failure(tools, c, order_id, reason))
        return PutBack(tools.clock.now() + REST) if reason == _RESTING else NotDone(reason)

    def note(connection: Connection) -> None:
        now = tools.clock.now()
        _take_up(tools, connection, order_id, answer, now=now)
        task.finish(connection)

    transact(tools.engine, note)
    return None


@inside("the job that asks about an order that nobody called back about")
def poll_order(tools: ProvisioningTools, task: Task) -> NotDone | PutBack | None:
    """Ask the BSS how an order stands."""
    order_id = str(task.job.payload["order"])

    def find(connection: Connection) -> tuple[ServiceOrder, BssEndpoint] | None:
        order = store.find_order(connection, order_id)
        bss = None if order is None else find_endpoint(connection, tools.keys, order.operator)
        return None if order is None or bss is None else (order, bss)

    at_bss = transact(tools.engine, find)
    if at_bss is None or not at_bss[0].state.is_sent:
        return None
    order, bss = at_bss
    try:
        found = tools.bss.find_order(bss, order.bss_order or "")
    except Unavailable:
        return PutBack(tools.clock.now() + tools.poll_pause)

    def note(connection: Connection) -> bool:
        now = tools.clock.now()
        if found is None:
            _send_again(tools, connection, order_id, now=now)
        else:
            settle(tools, connection, order_id, found.state, now=now, reason=found.reason)
        left = store.find_order(connection, order_id)
        return left is not None and left.state.is_sent

    return PutBack(tools.clock.now() + tools.poll_pause) if transact(tools.engine, note) else None


@inside("the scheduled job that finds what got stuck")
def sweep(tools: ProvisioningTools, task: Task) -> PutBack | None:
    """Lift temporary profiles whose time is over; queue open orders that nothing happens to; release held."""
    while transact(tools.engine, lambda connection: _lift(tools, connection)):
        if task.stopping():
            return PutBack()
    after: tuple[str, str] | None = None
    while True:
        seen = transact(tools.engine, partial(_queue_open, tools, after))
        if not seen:
            return None
        after = (seen[-1].operator, seen[-1].order_id)
        if task.stopping():
            return PutBack()


def _prepare(
    tools: ProvisioningTools, connection: Connection, task: Task, order_id: str
) -> tuple[ServiceOrder, BssEndpoint, OrderWanted] | None:
    """Count the attempt and return what to send; None when it is not this order's turn: the job is done."""
    seen = store.find_order(connection, order_id)
    if seen is None:
        task.finish(connection)
        return None
    store.lock_service(connection, seen.service_id, seen.operator, seen.line_id)
    now = tools.clock.now()
    match next_of(connection, seen):
        case Send(order) if order.order_id == order_id:
            bss = find_endpoint(connection, tools.keys, order.operator)
            if bss is not None:
                store.change_order(
                    connection,
                    order_id,
                    now=now,
                    attempts=order.attempts + 1,
                    state=OrderState.WAITING.value,
                    reason=None,
                )
                return order, bss, wanted_json(connection, order)
            store.change_order(
                connection, order_id, now=now, state=OrderState.HELD.value, reason=WaitReason.NO_BSS.value
            )
        case _:
            queue_next(tools, connection, seen, now=now)
    task.finish(connection)
    return None


@inside("what leaves the house is put together in one place")
def wanted_json(connection: Connection, order: ServiceOrder) -> OrderWanted:
    """Return an order with the numbers that only the operator's own BSS gets."""
    line = None if order.line_id is None else find_line(connection, order.line_id)
    if line is None:
        return OrderWanted(
            order.order_id,
            order.action,
            order.service_id,
            "unregistered",
            order.desired.status.value,
            order.desired.profile,
            (),
        )
    resources = resources_of_lines(connection, [line])[line.line_id]
    return OrderWanted(
        order.order_id,
        order.action,
        order.service_id,
        line.kind.value,
        order.desired.status.value,
        order.desired.profile,
        tuple(SupportingResource(kind, value) for kind, value in sorted(resources, reverse=True)),
        line.subject,
    )


def _take_up(
    tools: ProvisioningTools,
    connection: Connection,
    order_id: str,
    answer: OrderTaken | OrderRefused,
    *,
    now: datetime,
) -> None:
    if isinstance(answer, OrderRefused):
        settle(tools, connection, order_id, OrderState.FAILED, now=now, reason=answer.reason)
        return
    settle(
        tools, connection, order_id, answer.state, now=now, bss_order=answer.bss_order, reason=answer.reason
    )
    left = store.find_order(connection, order_id)
    if left is not None and left.state.is_sent:
        enqueue(connection, _poll_job(order_id, now + tools.callback_wait), now=now)


def _poll_job(order_id: str, at: datetime) -> NewJob:
    return NewJob(POLL, {"order": order_id}, run_at=at, unique_key=f"{POLL}:{order_id}")


def _note_failure(tools: ProvisioningTools, connection: Connection, order_id: str, reason: str) -> None:
    order = store.find_order(connection, order_id)
    if order is not None and not order.state.is_final and not order.state.is_sent:
        store.change_order(connection, order_id, now=tools.clock.now(), reason=reason[:80])


def _send_again(tools: ProvisioningTools, connection: Connection, order_id: str, *, now: datetime) -> None:
    """Take an order back that the BSS says it does not have; it is looked up before it is sent again."""
    seen = store.find_order(connection, order_id)
    if seen is None:
        return
    store.lock_service(connection, seen.service_id, seen.operator, seen.line_id)
    order = store.find_order(connection, order_id)
    if order is not None and order.state.is_sent:
        store.change_order(
            connection,
            order_id,
            now=now,
            state=OrderState.WAITING.value,
            bss_order=None,
            reason="LOST_BY_BSS",
        )
        queue_next(tools, connection, order, now=now)


def _lift(tools: ProvisioningTools, connection: Connection) -> int:
    now = tools.clock.now()
    over = store.take_expired_profiles(connection, now=now, limit=AT_ONCE)
    for line_id, _ in sorted(over):
        order_line(tools, connection, line_id, now=now)
    return len(over)


def _queue_open(
    tools: ProvisioningTools, after: tuple[str, str] | None, connection: Connection
) -> tuple[ServiceOrder, ...]:
    """Queue from a page of open orders of operators with a BSS: those that were held, and stale ones."""
    now = tools.clock.now()
    seen = store.list_stuck(connection, stale_before=now - STALE, after=after, limit=AT_ONCE)
    for order in seen:
        job = _poll_job(order.order_id, now) if order.state.is_sent else send_job(order)
        enqueue(connection, job, now=now)
    return seen
