"""Links by which an applicant goes on with one order on their own phone: at home, or at the counter.

A link carries 256 random bits, of which only the hash is kept. It opens one proofing session and its order,
nothing else; a newer link of the same session takes its place. At home the number and the card are kept as
long as the link is good; after the contract is accepted, as long as the card travels.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import Channel, Policy
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.registrations.events.applicant_links import (
    APPLICANT_LINK_CLOSED,
    APPLICANT_LINK_MADE,
    CARD_AWAITED,
)
from shiming.registrations.model.applicant_links import (
    ApplicantLink,
    ApplicantLinkMade,
    ApplicantLinkRefused,
    AtHome,
    CardAwaited,
    LinkEnd,
)
from shiming.registrations.model.ordering import OrderRefused
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.permissions.orders import MayManageOrders
from shiming.registrations.rules.applicant_links import (
    CARD_ANSWERS_MAX,
    awaited_until,
    decide_awaiting,
    decide_card,
    decide_link,
    decide_open_order,
    link_life,
)
from shiming.registrations.store import applicant_links as store
from shiming.registrations.store.lines import find_by_session
from shiming.registrations.store.orders import find_order, find_proving_session
from shiming.registrations.use_cases.link_tokens import draw_token, hash_token
from shiming.registrations.use_cases.orders import abandon_order
from shiming.registrations.use_cases.places import keep_place
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.permissions import asks, inside

_TOKEN = "the link's token is the permission: 256 bits that only its bearer has"  # noqa: S105 - a reason


@asks(MayManageOrders)
def make_link(
    tools: RegistrationTools, connection: Connection, order: LineOrder, *, policy: Policy, now: datetime
) -> ApplicantLinkMade | ApplicantLinkRefused:
    """Make a link to an order, in the place of the one before; its number and card are kept as long.

    `order`: as `orders.hold_order` returned it, in the caller's transaction.
    """
    refusals = decide_open_order(find_proving_session(connection, order.session_id), policy)
    if refusals:
        return ApplicantLinkRefused(refusals)
    store.close_links(connection, order.session_id, now, LinkEnd.REPLACED)
    token = draw_token(tools.privacy)
    until = max(now + link_life(order, policy), order.delivery_until or now)
    link = ApplicantLink(hash_token(token), order.session_id, order.operator, now, until)
    store.add_link(connection, link)
    if order.channel is Channel.ONLINE:
        store.keep_longer(connection, order.session_id, until)
    _tell(tools, connection, link, APPLICANT_LINK_MADE, now, channel=order.channel.value)
    return ApplicantLinkMade(order.session_id, token, until)


@asks(MayManageOrders)
def revoke_links(tools: RegistrationTools, connection: Connection, order: LineOrder, now: datetime) -> bool:
    """Let no link to an order open anything any more; False: there was none."""
    if not store.close_links(connection, order.session_id, now, LinkEnd.REVOKED):
        return False
    link = ApplicantLink("", order.session_id, order.operator, now, now)
    _tell(tools, connection, link, APPLICANT_LINK_CLOSED, now, why=LinkEnd.REVOKED.value)
    return True


@inside(_TOKEN)
def find_at_home(
    connection: Connection, token: str, *, policy: Policy, now: datetime, hold: bool = False
) -> AtHome | ApplicantLinkRefused:
    """Return what a link that works is about; `hold`: order, then link, until the transaction ends."""
    key = hash_token(token)
    link = store.find_link(connection, key)
    order = find_order(connection, link.session_id, for_update=hold) if link else None
    if hold and link is not None and order is None:  # it may have been begun again a moment ago
        link = store.find_link(connection, key)
        order = find_order(connection, link.session_id, for_update=True) if link else None
    if hold:
        link = store.find_link(connection, key, for_update=True)
    refusals = decide_link(link, policy, now=now)
    if link is None or refusals:
        return ApplicantLinkRefused(refusals)
    session = find_proving_session(connection, link.session_id)
    if order is None or session is None:
        return ApplicantLinkRefused(decide_open_order(None, policy))
    line = find_by_session(connection, link.session_id, link.operator) if session.consumed_by else None
    return AtHome(link, order, session, line)


@inside(_TOKEN)
def note_begun(connection: Connection, at_home: AtHome, *, now: datetime) -> None:
    """Note when the applicant began; the first time counts."""
    if at_home.link.begun_at is None:
        store.change_link(connection, at_home.link.token_hash, begun_at=now)


@inside(_TOKEN)
def stop(
    tools: RegistrationTools, connection: Connection, token: str, *, policy: Policy, now: datetime
) -> AtHome | ApplicantLinkRefused:
    """Give the order up for its applicant and close the link; refused once the line is registered."""
    found = find_at_home(connection, token, policy=policy, now=now, hold=True)
    if isinstance(found, ApplicantLinkRefused):
        return found
    refusals = decide_open_order(found.session, policy)
    if refusals:
        return ApplicantLinkRefused(refusals)
    refused = abandon_order(tools, connection, found.order, policy=policy, now=now)
    if refused is not None:
        return ApplicantLinkRefused(refused.refusals)
    store.close_links(connection, found.link.session_id, now, LinkEnd.STOPPED)
    _tell(tools, connection, found.link, APPLICANT_LINK_CLOSED, now, why=LinkEnd.STOPPED.value)
    return found


@inside(_TOKEN)
def await_card(
    tools: RegistrationTools,
    connection: Connection,
    token: str,
    *,
    policy: Policy,
    registration: RegistrationPolicy,
    now: datetime,
) -> CardAwaited | ApplicantLinkRefused:
    """Keep proof, number, card and a place under the cap until the card has come. Again changes nothing."""
    found = find_at_home(connection, token, policy=policy, now=now, hold=True)
    if isinstance(found, ApplicantLinkRefused):
        return found
    order, session = found.order, found.session
    if order.delivery_until is not None:
        return CardAwaited(order.delivery_until)
    refusals = (*decide_open_order(session, policy), *decide_awaiting(order, session, policy))
    if refusals or session.decided_at is None:
        return ApplicantLinkRefused(refusals)
    kept = keep_place(tools, connection, order, policy=registration, now=now)
    if isinstance(kept, OrderRefused):
        return ApplicantLinkRefused(kept.refusals)
    until = awaited_until(session.decided_at, policy)
    store.await_card(connection, order.session_id, until)
    store.change_link(connection, found.link.token_hash, expires_at=max(until, found.link.expires_at))
    _tell(tools, connection, found.link, CARD_AWAITED, now, until=until.isoformat())
    return CardAwaited(until)


@inside(_TOKEN)
def show_card(
    connection: Connection, token: str, last: str, *, policy: Policy, now: datetime
) -> AtHome | ApplicantLinkRefused:
    """Take the last digits of the card that has come; a wrong answer counts."""
    found = find_at_home(connection, token, policy=policy, now=now, hold=True)
    if isinstance(found, ApplicantLinkRefused):
        return found
    refusals = decide_open_order(found.session, policy)
    refusals = refusals or decide_card(found.link, found.order, policy, last=last)
    if not refusals:
        return found
    wrong = found.link.card_wrong
    if wrong < CARD_ANSWERS_MAX and found.order.delivery_until is not None:
        wrong += 1
        store.change_link(connection, found.link.token_hash, card_wrong=wrong)
    return ApplicantLinkRefused(refusals, CARD_ANSWERS_MAX - wrong)


@asks(MayManageOrders)
def find_latest_link(connection: Connection, order: LineOrder) -> ApplicantLink | None:
    """Return the link that was made last for an order, without its token, which is kept nowhere."""
    found = store.find_latest(connection, order.session_id)
    return None if found is None else replace(found, token_hash="")


def _tell(
    tools: RegistrationTools,
    connection: Connection,
    link: ApplicantLink,
    kind: str,
    now: datetime,
    **more: Fact,
) -> None:
    facts: dict[str, Fact] = {"session": link.session_id, **more}
    record(connection, tools.privacy.keys, kind=kind, facts=facts, now=now, operator=link.operator)
    emit(connection, Event(kind, link.session_id, link.operator, now, more))
