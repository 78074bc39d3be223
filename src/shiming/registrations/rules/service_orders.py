"""What the network is to do with a line, which order is next, and what a report changes; decided purely."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shiming.registrations.errors.provisioning import WaitReason
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.provisioning import (
    DesiredService,
    OrderAction,
    OrderState,
    Profile,
    ServiceOrder,
)


@dataclass(frozen=True, slots=True)
class Send:
    """This order goes to the network now."""

    order: ServiceOrder


@dataclass(frozen=True, slots=True)
class Await:
    """Nothing can be sent: an earlier order is with the network, or the network does not know the line."""

    order: ServiceOrder
    reason: WaitReason


@dataclass(frozen=True, slots=True)
class Drop:
    """These orders are not needed any more: the line ended before the network knew it."""

    orders: tuple[ServiceOrder, ...]


@dataclass(frozen=True, slots=True)
class NothingToDo:
    """No order is open."""


#: How strict a status is: a stricter one suspends, a less strict one resumes.
_STRICTNESS = {LineStatus.ACTIVE: 0, LineStatus.ONE_WAY_STOPPED: 1, LineStatus.TWO_WAY_STOPPED: 2}


def desired_service(
    status: LineStatus, profiles: Iterable[Profile], occasion: str | None, resources: str | None = None
) -> DesiredService:
    """Return what the network is to do: a registered line works, and later parts of the profile decide."""
    merged: dict[str, Any] = {}
    for profile in profiles:
        merged |= profile
    if status is LineStatus.TERMINATED:
        return DesiredService(status)
    return DesiredService(
        LineStatus.ACTIVE if status is LineStatus.PENDING else status, merged, occasion, resources
    )


def decide_action(before: DesiredService | None, wanted: DesiredService) -> OrderAction | None:
    """Say what is to be ordered to come from one state to another; None: nothing."""
    ended = wanted.status is LineStatus.TERMINATED
    if before is None or before.status is LineStatus.TERMINATED:
        return None if ended else OrderAction.ADD
    if before == wanted:
        return None
    if ended:
        return OrderAction.DELETE
    stricter = _STRICTNESS[wanted.status] - _STRICTNESS[before.status]
    if stricter:
        return OrderAction.SUSPEND if stricter > 0 else OrderAction.RESUME
    return OrderAction.MODIFY


def decide_next(orders: Sequence[ServiceOrder], *, known: bool) -> Send | Await | Drop | NothingToDo:
    """Say what to do next with the orders of one service, in their sequence; `known`: the network has it.

    (1) one at a time: an order with the network is waited for; (2) what the network never heard of and is to
    end is dropped; (3) nothing is changed of a line that the network refused to add; (4) else the first open
    order goes out.
    """
    still_open = [order for order in orders if not order.state.is_final]
    if not still_open:
        return NothingToDo()
    head = still_open[0]
    if head.state.is_sent:
        return Await(head, WaitReason.EARLIER_ORDER)
    ending = next((order for order in still_open if order.action is OrderAction.DELETE), None)
    if ending is not None and not known and all(order.attempts == 0 for order in still_open):
        return Drop(tuple(order for order in still_open if order.sequence <= ending.sequence))
    registered = head.line_id is not None
    if registered and not known and head.action is not OrderAction.ADD and head.attempts == 0:
        return Await(head, WaitReason.NOT_IN_NETWORK)
    return Send(head)


#: What TMF641 may report, in our words. `partial` of an order with one item is a failure of a part of it.
REPORTED: Mapping[str, OrderState] = {
    "acknowledged": OrderState.ACKNOWLEDGED,
    "pending": OrderState.IN_PROGRESS,
    "held": OrderState.IN_PROGRESS,
    "inProgress": OrderState.IN_PROGRESS,
    "assessingCancellation": OrderState.IN_PROGRESS,
    "pendingCancellation": OrderState.IN_PROGRESS,
    "completed": OrderState.COMPLETED,
    "failed": OrderState.FAILED,
    "partial": OrderState.FAILED,
    "rejected": OrderState.FAILED,
    "cancelled": OrderState.FAILED,  # not by us: the network did not do it
}
_RANK = {OrderState.WAITING: 0, OrderState.HELD: 0, OrderState.ACKNOWLEDGED: 1, OrderState.IN_PROGRESS: 2}
_FINAL_RANK = 3


def advance(present: OrderState, reported: OrderState) -> OrderState | None:
    """Return the new state, or None when the report is a repeat, late or out of order."""
    forward = _RANK.get(reported, _FINAL_RANK) > _RANK.get(present, _FINAL_RANK)
    return reported if forward else None
