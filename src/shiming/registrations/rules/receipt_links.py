"""Decide whether a receipt can be sent to its line, and whether a link to one works."""

from datetime import datetime, timedelta

from shiming.jurisdictions.model import Policy
from shiming.registrations.errors.receipt_links import ReceiptLinkRefusal
from shiming.registrations.model.lines import Line, LineKind, LineStatus
from shiming.registrations.model.notices import NoticeState
from shiming.registrations.model.numbers import ORGANISATION_PREFIX
from shiming.registrations.model.receipt_links import ReceiptLink, ReceiptMessage
from shiming.vocabulary.refusals import Refusal

#: A second press is mostly an impatient one; after a minute the first message was lost.
AGAIN_AFTER = timedelta(minutes=1)
#: A pending line gets its message once the network has confirmed it.
_REACHABLE = frozenset({LineStatus.PENDING, LineStatus.ACTIVE, LineStatus.ONE_WAY_STOPPED})


def link_life(policy: Policy) -> timedelta:
    """Return how long a link to a receipt is good: as the pack says, else as long as a session."""
    days = policy.contracts.receipt_link_days
    minutes = policy.time_limits.session_minutes.value
    return timedelta(minutes=minutes) if days is None else timedelta(days=days.value)


def decide_message(line: Line, policy: Policy) -> tuple[Refusal, ...]:
    """Say why no message with a receipt is sent to a line: only its holder may read it there."""
    if line.status is LineStatus.TERMINATED:
        return (Refusal(ReceiptLinkRefusal.RECEIPT_LINE_ENDED, _citation(policy)),)
    takes = line.kind is LineKind.MOBILE and line.status in _REACHABLE
    if not takes or line.subject.startswith(ORGANISATION_PREFIX):
        return (Refusal(ReceiptLinkRefusal.RECEIPT_NO_CHANNEL, _citation(policy)),)
    return ()


def is_still_under_way(message: ReceiptMessage, *, now: datetime) -> bool:
    """Say whether a message is so fresh, or still waiting, that another one would say nothing new."""
    if now >= message.expires_at or message.state is NoticeState.FAILED:
        return False
    return message.state is NoticeState.QUEUED or now < message.made_at + AGAIN_AFTER


def decide_receipt_link(
    link: ReceiptLink | None, line: Line | None, policy: Policy, *, now: datetime
) -> tuple[Refusal, ...]:
    """Say why a link to a receipt does not work (any more); it ends with its line, and with its holder's."""
    citation = _citation(policy)
    if link is None:
        return (Refusal(ReceiptLinkRefusal.RECEIPT_LINK_UNKNOWN, citation),)
    if link.closed_at is not None:
        return (Refusal(ReceiptLinkRefusal.RECEIPT_LINK_REPLACED, citation),)
    if now >= link.expires_at:
        return (Refusal(ReceiptLinkRefusal.RECEIPT_LINK_EXPIRED, citation),)
    if line is None or line.status is LineStatus.TERMINATED or line.subject != link.subject:
        return (Refusal(ReceiptLinkRefusal.RECEIPT_LINK_REVOKED, citation),)
    return ()


def _citation(policy: Policy) -> str:
    return (policy.contracts.receipt_link_days or policy.time_limits.session_minutes).citation
