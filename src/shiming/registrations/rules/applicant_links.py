"""Decide whether a link to an order works, how long it does, and what may be done by it."""

from datetime import datetime, timedelta

from shiming.jurisdictions.model import Channel, Policy
from shiming.registrations.errors.applicant_links import ApplicantLinkRefusal
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.applicant_links import ApplicantLink, LinkEnd
from shiming.registrations.model.lines import SimForm
from shiming.registrations.model.ordering import ProvingSession
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.model.registration import VERIFIED
from shiming.vocabulary.refusals import Refusal

#: Four digits, five answers: one in two thousand guesses right; whoever errs so often needs help, not tries.
CARD_ANSWERS_MAX = 5
#: As printed on the card: enough to tell two cards of one parcel apart, short enough for old eyes.
CARD_DIGITS = 4
#: As of links of actual users: whoever runs out of time three times is helped better in a shop.
SESSIONS_PER_LINK_MAX = 3
_OVER, _ENDED_OTHERWISE = "expired", frozenset({"decided", "abandoned"})
_ENDS = {
    LinkEnd.REVOKED: ApplicantLinkRefusal.APPLICANT_LINK_REVOKED,
    LinkEnd.REPLACED: ApplicantLinkRefusal.APPLICANT_LINK_REPLACED,
    LinkEnd.STOPPED: ApplicantLinkRefusal.APPLICANT_LINK_STOPPED,
}


def link_life(order: LineOrder, policy: Policy) -> timedelta:
    """Return how long a new link is good: at home as the pack says, at the counter as long as a session."""
    hours = policy.contracts.link_hours
    if order.channel is Channel.ONLINE and hours is not None:
        return timedelta(hours=hours.value)
    return timedelta(minutes=policy.time_limits.session_minutes.value)


def decide_link(link: ApplicantLink | None, policy: Policy, *, now: datetime) -> tuple[Refusal, ...]:
    """Say why a link does not work (any more)."""
    citation = _citation(policy)
    if link is None:
        return (Refusal(ApplicantLinkRefusal.APPLICANT_LINK_UNKNOWN, citation),)
    if link.closed_at is not None:
        return (Refusal(_ENDS[link.closed_why or LinkEnd.REVOKED], citation),)
    if now >= link.expires_at:
        return (Refusal(ApplicantLinkRefusal.APPLICANT_LINK_EXPIRED, citation),)
    return ()


def decide_open_order(session: ProvingSession | None, policy: Policy) -> tuple[Refusal, ...]:
    """Say why nothing can be done any more with an order: it is registered, or was given up (None)."""
    if session is None:
        return (Refusal(ApplicantLinkRefusal.APPLICANT_ORDER_GONE, _citation(policy)),)
    if session.consumed_by is not None:
        return (Refusal(ApplicantLinkRefusal.APPLICANT_ORDER_REGISTERED, _citation(policy)),)
    return ()


def has_run_out(state: str, expires_at: datetime, *, now: datetime) -> bool:
    """Say whether the time of a session ended before anything was decided."""
    return state == _OVER or (state not in _ENDED_OTHERWISE and now >= expires_at)


def decide_beginning_again(link: ApplicantLink, order: LineOrder, policy: Policy) -> tuple[Refusal, ...]:
    """Say why an order whose proof ran out of time cannot begin again by its link.

    At the counter its clerk does that; whoever acts for somebody is proven there.
    """
    citation = _citation(policy)
    by_others = (
        order.representative is not None or order.awaited is not None or order.organisation is not None
    )
    if order.channel is not Channel.ONLINE or by_others:
        return (Refusal(ApplicantLinkRefusal.APPLICANT_NOT_BEGUN_AGAIN, citation),)
    if link.sessions >= SESSIONS_PER_LINK_MAX:
        return (Refusal(ApplicantLinkRefusal.APPLICANT_SESSIONS_USED_UP, citation),)
    return ()


def decide_awaiting(order: LineOrder, session: ProvingSession, policy: Policy) -> tuple[Refusal, ...]:
    """Say why an order cannot wait for its card: the person is proven and the terms are accepted."""
    refusals = []
    if session.outcome != VERIFIED:
        citation = policy.time_limits.session_minutes.citation
        refusals.append(Refusal(RefusalCode.SESSION_NOT_VERIFIED, citation))
    if order.terms is None:
        citation = policy.entries[order.entry].requirements.citation
        refusals.append(Refusal(OrderRefusal.TERMS_NOT_ACCEPTED, citation))
    return tuple(refusals)


def awaited_until(decided_at: datetime, policy: Policy) -> datetime:
    """Return until when an order may wait for its card: as the pack says, or as long as a proof is fresh."""
    days = policy.contracts.delivery_days
    minutes = policy.time_limits.session_minutes.value
    return decided_at + (timedelta(minutes=minutes) if days is None else timedelta(days=days.value))


def decide_card(link: ApplicantLink, order: LineOrder, policy: Policy, *, last: str) -> tuple[Refusal, ...]:
    """Say why it is not shown that the card has come: who has it reads its last digits."""
    citation = _citation(policy)
    if order.delivery_until is None:
        return (Refusal(ApplicantLinkRefusal.APPLICANT_CARD_NOT_AWAITED, citation),)
    if link.card_wrong >= CARD_ANSWERS_MAX:
        return (Refusal(ApplicantLinkRefusal.APPLICANT_CARD_TRIES_USED_UP, citation),)
    if asks_for_card(order) and (order.iccid or "")[-CARD_DIGITS:] != last:
        return (Refusal(ApplicantLinkRefusal.APPLICANT_CARD_WRONG, citation),)
    return ()


def asks_for_card(order: LineOrder) -> bool:
    """Say whether a card lies before the person whose digits they can read; of an eSIM nothing is printed."""
    return order.iccid is not None and order.sim_form is SimForm.PHYSICAL


def _citation(policy: Policy) -> str:
    return (policy.contracts.link_hours or policy.time_limits.session_minutes).citation
