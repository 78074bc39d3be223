"""A place under the cap, kept while a session runs; and holders who have more lines than the cap of today.

Two counters that serve one person at once cannot both promise the last line: each locks the holder's counter
before it counts lines and kept places. A kept place runs out by itself; registering or abandoning frees it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import CapScope
from shiming.privacy.use_cases.ledger import record
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.events.orders import PLACE_KEPT
from shiming.registrations.model.ordering import OrderRefused, PlaceKept
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.model.registration import (
    VERIFIED,
    CapReached,
    NamedCap,
    RegistrationPolicy,
)
from shiming.registrations.permissions.orders import MayListOverCap, MayManageOrders
from shiming.registrations.rules.line_cap import decide_line_cap
from shiming.registrations.rules.velocity import decide_velocity
from shiming.registrations.store import cap_counters as store
from shiming.registrations.store.cap_counters import CounterKey, OverCap
from shiming.registrations.use_cases.orders import get_proving_session
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.permissions import asks
from shiming.vocabulary.refusals import Refusal


@asks(MayManageOrders)
def keep_place(
    tools: RegistrationTools,
    connection: Connection,
    order: LineOrder,
    *,
    policy: RegistrationPolicy,
    now: datetime,
) -> PlaceKept | OrderRefused:
    """Keep one place under the cap for an order whose holder is proven; again: for longer.

    `order`: as `orders.hold_order` returned it, in the caller's transaction.
    """
    cap = policy.cap_of(order.product_class, order.holder_kind)
    session = get_proving_session(connection, order.session_id, order.operator)
    subject = order.organisation or session.subject
    if session.outcome != VERIFIED or subject is None:
        return _refused(RefusalCode.SESSION_NOT_VERIFIED, policy.session_citation)
    if session.consumed_by not in {None, order.organisation}:
        return _refused(RefusalCode.SESSION_CONSUMED, policy.session_citation)
    if cap is None:
        return PlaceKept(None, None)
    key = CounterKey(subject, cap.scope_of(order.operator), cap.name)
    counter = store.lock_counter(connection, key)
    kept = store.places_kept(connection, key, session_id=order.session_id, now=now)
    counted = decide_line_cap(counter.active, cap.policy, places_kept=kept)
    refusals = decide_velocity(counter, cap.policy, now=now, time_zone=policy.time_zone)
    if isinstance(counted, CapReached) and order.review is None:
        code = OrderRefusal.REVIEW_REQUIRED if counted.reviewable else RefusalCode.CAP_REACHED
        refusals = (Refusal(code, counted.citation), *refusals)
    if refusals:
        return OrderRefused(refusals)
    until = now + timedelta(minutes=cap.policy.reservation_minutes.value)
    store.keep_place(connection, key, session_id=order.session_id, until=until)
    _tell(tools, connection, order, cap, now)
    remaining = 0 if isinstance(counted, CapReached) else counted.remaining - 1
    return PlaceKept(until, remaining)


@asks(MayListOverCap)
def list_over_cap(
    connection: Connection,
    policy: RegistrationPolicy,
    *,
    operator: str | None,
    after: Sequence[str] | None = None,
    limit: int,
) -> tuple[OverCap, ...]:
    """Return holders to be verified again because they have more lines than the cap; none is cut.

    Under a cap that counts the lines of all operators, one operator sees its own holders only.
    """
    caps = {named.name: named for named in policy.caps.values()}
    scopes = None if operator is None else {cap.scope_of(operator) for cap in caps.values()}
    most = [(name, cap.policy.lines_per_holder_max.value) for name, cap in sorted(caps.items())]
    line_at = {} if operator is None else dict.fromkeys(_shared_scopes(policy), operator)
    return store.list_over_cap(connection, most, scopes=scopes, line_at=line_at, after=after, limit=limit)


def _shared_scopes(policy: RegistrationPolicy) -> frozenset[str]:
    """Return the scopes whose counters are of all operators."""
    return frozenset(
        cap.policy.scope.value.value
        for cap in policy.caps.values()
        if cap.policy.scope.value is CapScope.NATIONAL
    )


def _refused(code: RefusalCode, citation: str) -> OrderRefused:
    return OrderRefused((Refusal(code, citation),))


def _tell(
    tools: RegistrationTools, connection: Connection, order: LineOrder, cap: NamedCap, now: datetime
) -> None:
    facts = {"session": order.session_id, "cap": cap.name}
    record(connection, tools.privacy.keys, kind=PLACE_KEPT, facts=facts, now=now, operator=order.operator)
    emit(connection, Event(PLACE_KEPT, order.session_id, order.operator, now, {"cap": cap.name}))
