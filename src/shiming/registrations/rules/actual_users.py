"""Decide who may become the actual user of a line of an organisation, and whether a link still works."""

from collections.abc import Iterator
from datetime import datetime

from shiming.jurisdictions.model import EntryKind, EntryRequirement, Policy
from shiming.registrations.errors.enterprise_lines import ActualUserRefusal
from shiming.registrations.model.enterprise_lines import (
    ActualUserLink,
    EnterpriseLine,
    EnterpriseLineState,
)
from shiming.vocabulary.refusals import Refusal

#: A session has attempts of its own; whoever fails three whole sessions is helped better in a shop.
SESSIONS_PER_LINK_MAX = 3


def decide_actual_user(
    state: EnterpriseLineState | None, *, lines_of_user: int, policy: Policy
) -> tuple[Refusal, ...]:
    """Say why a proven person does not become the user of a line; `state` None: there is no such line."""
    return tuple(_user_problems(state, lines_of_user, policy))


def decide_exit(state: EnterpriseLineState | None, policy: Policy) -> tuple[Refusal, ...]:
    """Say why it cannot be recorded that the user of a line has left."""
    citation = policy.enterprise.exit_days.citation
    match state:
        case EnterpriseLineState.REGISTERED:
            return ()
        case None:
            return (Refusal(ActualUserRefusal.LINE_UNKNOWN, citation),)
        case _:
            return (Refusal(ActualUserRefusal.LINE_WITHOUT_USER, citation),)


def has_what_it_needs(line: EnterpriseLine, policy: Policy) -> bool:
    """Whether a proof could register the line: nobody is proven in vain for a line without its card."""
    required = policy.entries[EntryKind.OPEN].requirements.value
    needs_card = EntryRequirement.SIM in required and line.kind.has_sim
    return line.line_id is not None or line.iccid is not None or not needs_card


def decide_link(link: ActualUserLink | None, policy: Policy, *, now: datetime) -> tuple[Refusal, ...]:
    """Say why a link does not work (any more)."""
    citation = policy.enterprise.link_days.citation
    if link is None:
        return (Refusal(ActualUserRefusal.LINK_UNKNOWN, citation),)
    if link.closed_at is not None:
        return (Refusal(ActualUserRefusal.LINK_USED, citation),)
    if not link.made_at <= now < link.expires_at:
        return (Refusal(ActualUserRefusal.LINK_EXPIRED, citation),)
    return ()


def decide_link_session(link: ActualUserLink, policy: Policy, *, confirmed: bool) -> tuple[Refusal, ...]:
    """Say why a link that works opens no (further) session."""
    citation = policy.enterprise.link_days.citation
    refusals = []
    if not confirmed:
        refusals.append(Refusal(ActualUserRefusal.NUMBER_NOT_CONFIRMED, citation))
    if link.sessions >= SESSIONS_PER_LINK_MAX:
        refusals.append(Refusal(ActualUserRefusal.LINK_SESSIONS_USED_UP, citation))
    return tuple(refusals)


def _user_problems(
    state: EnterpriseLineState | None, lines_of_user: int, policy: Policy
) -> Iterator[Refusal]:
    most = policy.enterprise.lines_per_actual_user_max
    if state is None:
        yield Refusal(ActualUserRefusal.LINE_UNKNOWN, policy.enterprise.link_days.citation)
    if state is EnterpriseLineState.REGISTERED:
        yield Refusal(ActualUserRefusal.LINE_HAS_USER, policy.enterprise.exit_days.citation)
    if lines_of_user >= most.value:
        yield Refusal(ActualUserRefusal.LINES_PER_USER_REACHED, most.citation)
