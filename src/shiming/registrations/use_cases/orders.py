"""Orders: open one for a session, change what is not settled, abandon it."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import Policy
from shiming.privacy.model import EvidenceKind, Purpose, RetentionClass
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.privacy.use_cases.vault import put_evidence
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.events.orders import ORDER_ABANDONED, ORDER_CHANGED, ORDER_OPENED
from shiming.registrations.model.ordering import (
    ADDRESS_CHARACTERS_MAX,
    NewOrder,
    OrderDetails,
    OrderRefused,
    OrderTaken,
    ProvingSession,
)
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.permissions.orders import MayManageOrders, MayReadOrder
from shiming.registrations.rules.orders import decide_order
from shiming.registrations.store import orders as store
from shiming.registrations.store.representation import release_principal
from shiming.registrations.store.sims import release_holds
from shiming.registrations.use_cases.former_sessions import find_moved, order_moved
from shiming.registrations.use_cases.numbers import release_numbers_of
from shiming.registrations.use_cases.ordered_cards import keep_card
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import asks, inside
from shiming.vocabulary.refusals import Refusal


@asks(MayManageOrders)
def open_order(
    tools: RegistrationTools, connection: Connection, wanted: NewOrder, *, policy: Policy, now: datetime
) -> OrderTaken | OrderRefused:
    """Open the order of a session, which may be decided later. The same again is the same order.

    Raises BadInput for a session that is not there or is another operator's, and where the session has
    another order, or had one that goes on with another session: that one is changed or abandoned.
    """
    session = get_proving_session(connection, wanted.session_id, wanted.operator)
    order = LineOrder(
        session_id=wanted.session_id,
        operator=wanted.operator,
        entry=wanted.entry,
        kind=wanted.kind,
        product_class=wanted.product_class,
        channel=wanted.channel,
        created_at=now,
        identifier=wanted.details.identifier,
        holder_kind=wanted.holder_kind,
        organisation=wanted.organisation,
        category=session.category,
        contract=wanted.contract,
    )
    former = store.find_order(connection, wanted.session_id, for_update=True)
    if former is not None:
        return _again(former, order)
    present = find_moved(connection, wanted.session_id)
    if present is not None:
        raise order_moved(present) if present.operator == wanted.operator else _exists()
    refusals = (
        *_unused(session, order.organisation, policy),
        *decide_order(order, policy, proven_channel=session.channel),
    )
    refusals += keep_card(connection, order, wanted.details.iccid, policy=policy, now=now, free=not refusals)
    if refusals:
        return OrderRefused(refusals)
    if not store.add_order(connection, order):  # somebody was faster
        raise _exists()
    order = _write_details(tools, connection, order, wanted.details, session, policy=policy, now=now)
    _tell(tools, connection, order, ORDER_OPENED, now)
    return OrderTaken(order)


@asks(MayManageOrders)
def change_order(
    tools: RegistrationTools,
    connection: Connection,
    order: LineOrder,
    details: OrderDetails,
    *,
    policy: Policy,
    now: datetime,
) -> OrderTaken | OrderRefused:
    """Change the number, the SIM or the install address; another number takes the confirmation back.

    `order`: as `get_order` returned it with `for_update`, in the caller's transaction.
    """
    session = get_proving_session(connection, order.session_id, order.operator)
    used = _unused(session, order.organisation, policy)
    used += keep_card(connection, order, details.iccid, policy=policy, now=now, free=not used)
    if used:
        return OrderRefused(used)
    changed = _write_details(tools, connection, order, details, session, policy=policy, now=now)
    _tell(tools, connection, changed, ORDER_CHANGED, now)
    return OrderTaken(changed)


@asks(MayManageOrders)
def abandon_order(
    tools: RegistrationTools, connection: Connection, order: LineOrder, *, policy: Policy, now: datetime
) -> OrderRefused | None:
    """Give an order up, and with it at once all that it keeps; refused once it is registered.

    That is its place under the cap, its number, its card, and its claim on a proxy.
    """
    session = get_proving_session(connection, order.session_id, order.operator)
    used = _unused(session, order.organisation, policy)
    if used:
        return OrderRefused(used)
    store.remove_order(connection, order.session_id)  # the place under the cap is its row's
    release_principal(connection, order.session_id)
    release_numbers_of(tools, connection, operator=order.operator, held_for=order.session_id, now=now)
    release_holds(connection, order.session_id)
    _tell(tools, connection, order, ORDER_ABANDONED, now)
    return None


@asks(MayReadOrder)
def find_order(connection: Connection, session_id: str, *, operator: str | None) -> LineOrder | None:
    """Return the order of a session; None where there is none, or it is another operator's.

    One that goes on with another session is found by its former one too: it names the present one.
    """
    order = store.find_order(connection, session_id) or find_moved(connection, session_id)
    return None if order is None or operator not in {None, order.operator} else order


@asks(MayManageOrders)
def hold_order(connection: Connection, session_id: str, *, operator: str | None) -> LineOrder:
    """Return an order and hold it until the transaction ends.

    Raises BadInput ORDER_UNKNOWN where there is none, and ORDER_MOVED by a former session: terms and
    confirmation did not come along, so that whoever changes the order first sees it as it is now.
    """
    order = store.find_order(connection, session_id, for_update=True)
    if order is None:
        raise missing_order(connection, session_id, operator=operator)
    if operator not in {None, order.operator}:
        raise order_unknown()
    return order


@inside("shared by the verbs about orders")
def get_proving_session(connection: Connection, session_id: str, operator: str) -> ProvingSession:
    """Return the session of an order; raise BadInput where there is none, or it is another operator's."""
    session = store.find_proving_session(connection, session_id)
    if session is None or session.operator not in {None, operator}:
        raise BadInput(
            "SESSION_UNKNOWN",
            Text(zh="没有这个核验会话。", en="There is no such proofing session."),
            Text(zh="请核对会话编号，或重新核验。", en="Compare the session reference, or prove again."),
        )
    return session


@inside("shared by the verbs about orders")
def order_unknown() -> BadInput:
    """Return the error for a session without an order."""
    return BadInput(
        "ORDER_UNKNOWN",
        Text(zh="该会话没有受理订单。", en="There is no order for this session."),
        Text(zh="请先受理订单。", en="Open the order first."),
    )


@inside("shared by the verbs about orders")
def missing_order(connection: Connection, session_id: str, *, operator: str | None) -> BadInput:
    """Return the error for a session without an order; `details.session`: where it went on."""
    present = find_order(connection, session_id, operator=operator)
    return order_unknown() if present is None else order_moved(present)


def _again(former: LineOrder, order: LineOrder) -> OrderTaken:
    same = replace(former, created_at=order.created_at)
    as_opened = replace(order, identifier=order.identifier or former.identifier)
    asked = (
        "operator",
        "entry",
        "kind",
        "product_class",
        "channel",
        "identifier",
        "organisation",
        "contract",
    )
    if all(getattr(same, name) == getattr(as_opened, name) for name in asked):
        return OrderTaken(former, repeated=True)
    raise _exists()


def _exists() -> BadInput:
    return BadInput(
        "ORDER_EXISTS",
        Text(zh="该会话已有另一订单。", en="This session has another order."),
        Text(zh="请更改或放弃该订单。", en="Change that order, or abandon it first."),
    )


def _unused(session: ProvingSession, organisation: str | None, policy: Policy) -> tuple[Refusal, ...]:
    if session.consumed_by in {None, organisation}:  # a proof that named somebody for it serves it on
        return ()
    return (Refusal(RefusalCode.SESSION_CONSUMED, policy.time_limits.session_minutes.citation),)


def _write_details(
    tools: RegistrationTools,
    connection: Connection,
    order: LineOrder,
    details: OrderDetails,
    session: ProvingSession,
    *,
    policy: Policy,
    now: datetime,
) -> LineOrder:
    changed = replace(
        order,
        identifier=details.identifier or order.identifier,
        iccid=details.iccid.reveal("store") if details.iccid else order.iccid,
        imsi=details.imsi.reveal("store") if details.imsi else order.imsi,
        sim_form=details.sim_form or order.sim_form,
    )
    if changed.identifier != order.identifier:
        changed = replace(changed, confirmation=None)
    if details.install_address is not None:
        address = _keep_address(
            tools, connection, changed, session, details.install_address, policy=policy, now=now
        )
        changed = replace(changed, install_address=address)
    if changed != order:
        store.write_details(connection, changed)
    return changed


def _keep_address(
    tools: RegistrationTools,
    connection: Connection,
    order: LineOrder,
    session: ProvingSession,
    address: str,
    *,
    policy: Policy,
    now: datetime,
) -> str:
    """Put the address into the vault with the case; the order keeps the reference."""
    address = " ".join(address.split())
    if not address or len(address) > ADDRESS_CHARACTERS_MAX:
        raise BadInput(
            "INSTALL_ADDRESS_FORMAT",
            Text(zh="装机地址为空或过长。", en="The install address is empty or too long."),
        )
    ref = put_evidence(
        tools.privacy,
        connection,
        subject=order.organisation or session.subject or order.session_id,
        case_reference=order.session_id,
        kind=EvidenceKind.INSTALL_ADDRESS,
        purpose=Purpose.REGISTRATION,
        retention_class=RetentionClass.IDENTITY,
        content=address.encode(),
        retention=policy.retention,
        now=now,
        decided_at=session.decided_at,
        operator=order.operator,
    )
    return ref.evidence_id


def _tell(
    tools: RegistrationTools, connection: Connection, order: LineOrder, kind: str, now: datetime
) -> None:
    facts: dict[str, Fact] = {
        "session": order.session_id,
        "entry": order.entry.value,
        "kind": order.kind.value,
        "product_class": order.product_class.value,
        "channel": order.channel.value,
        "organisation": order.organisation,
    }
    record(connection, tools.privacy.keys, kind=kind, facts=facts, now=now, operator=order.operator)
    event_facts: dict[str, Fact] = {
        name: facts[name] for name in ("entry", "kind", "product_class", "channel")
    }
    emit(connection, Event(kind, order.session_id, order.operator, now, event_facts))
