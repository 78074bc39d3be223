"""Decide about numbers of a pool: the state of one, whether it is kept or used, whether a range goes in."""

from collections.abc import Container, Iterable, Iterator
from datetime import datetime, timedelta

from shiming.jurisdictions.model import Policy
from shiming.registrations.errors.numbers import NumberRefusal
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.numbers import (
    ORGANISATION_PREFIX,
    ORGANISATION_RESERVATIONS_MAX,
    SESSION_RESERVATIONS_MAX,
    NewBlock,
    NumberBlock,
    NumberFacts,
    NumberRange,
    NumberState,
)
from shiming.vocabulary.refusals import Refusal

_REFUSED_IN = {
    NumberState.OUTSIDE: OrderRefusal.NUMBER_NOT_IN_POOL,
    NumberState.EXCLUDED: OrderRefusal.NUMBER_EXCLUDED,
    NumberState.IN_SERVICE: RefusalCode.NUMBER_TAKEN,
    NumberState.RESERVED: OrderRefusal.NUMBER_RESERVED,
    NumberState.QUARANTINE: OrderRefusal.NUMBER_RESTING,
}


def state_of(facts: NumberFacts, now: datetime) -> NumberState:
    """Return where a number stands; what is in service is so whatever else is written about it."""
    if facts.line_id is not None:
        return NumberState.IN_SERVICE
    if facts.operator is None:
        return NumberState.OUTSIDE
    if facts.excluded:
        return NumberState.EXCLUDED
    if facts.hold is not None and facts.hold.until > now:
        return facts.hold.state
    return NumberState.FREE


def decide_number_given(
    facts: NumberFacts,
    *,
    operator: str,
    kind: LineKind | None,
    holders: Container[str],
    now: datetime,
    citation: str,
) -> Refusal | None:
    """Say why an operator may not give this number to these (session or organisation); None: it may.

    `kind` None: for any kind of line.
    """
    state = state_of(facts, now)
    foreign = facts.operator != operator or kind not in {None, facts.kind}
    if state is NumberState.OUTSIDE or (foreign and state is not NumberState.IN_SERVICE):
        return Refusal(OrderRefusal.NUMBER_NOT_IN_POOL, citation)
    if state is NumberState.FREE:
        return None
    if state is NumberState.RESERVED and facts.hold and facts.hold.held_for in holders:
        return None
    return Refusal(_REFUSED_IN[state], citation)


def decide_reservation(
    facts: NumberFacts, *, operator: str, held_for: str, held: int, now: datetime, policy: Policy
) -> tuple[Refusal, ...]:
    """Return every reason not to keep a number; `held` counts what is kept for the same one already."""
    citation = _reserved_for(held_for, policy)[1]
    refused = decide_number_given(
        facts, operator=operator, kind=None, holders=(held_for,), now=now, citation=citation
    )
    refusals = [] if refused is None else [refused]
    most = ORGANISATION_RESERVATIONS_MAX if _is_organisation(held_for) else SESSION_RESERVATIONS_MAX
    if held >= most and not is_kept_for(facts, held_for, now):
        refusals.append(Refusal(NumberRefusal.RESERVATIONS_TOO_MANY, citation))
    return tuple(refusals)


def is_kept_for(facts: NumberFacts, held_for: str, now: datetime) -> bool:
    """Say whether a number is kept for this one now."""
    kept = state_of(facts, now) is NumberState.RESERVED
    return kept and facts.hold is not None and facts.hold.held_for == held_for


def reserved_until(held_for: str, now: datetime, policy: Policy) -> datetime:
    """Return how long a number is kept: for a session minutes, for an organisation days."""
    return now + _reserved_for(held_for, policy)[0]


def quarantined_until(now: datetime, policy: Policy) -> datetime:
    """Return how long a number rests whose line ends now."""
    return now + timedelta(days=policy.numbering.quarantine_days.value)


def decide_block(
    new: NewBlock, same: NumberBlock | None, below: NumberBlock | None, citation: str
) -> tuple[Refusal, ...] | NumberBlock:
    """Return the block that is there already, or every reason against a new one; none: it goes in.

    `same`: the nearest range of the same sort (block, or exclusion) that begins at or before the new one's
    end; `below`: for an exclusion, the block that begins at or before its first number.
    """
    refusals = []
    if same is not None and same.range.overlaps(new.range):
        if (same.range, same.operator, same.kind) == (new.range, new.operator, new.kind):
            return same
        foreign = same.operator != new.operator
        code = NumberRefusal.BLOCK_OF_OTHER_OPERATOR if foreign else NumberRefusal.BLOCK_OVERLAPS
        refusals.append(Refusal(code, citation))
    if new.excluded and not (
        below is not None and below.operator == new.operator and below.range.contains(new.range)
    ):
        refusals.append(Refusal(NumberRefusal.EXCLUSION_OUTSIDE_BLOCK, citation))
    return tuple(refusals)


def without(whole: NumberRange, exclusions: Iterable[NumberRange]) -> Iterator[NumberRange]:
    """Yield what is left of a range, in order; the exclusions come in order and overlap nowhere.

    >>> [part.last for part in without(NumberRange("+8610", "+8619"), [NumberRange("+8612", "+8613")])]
    ['+8611', '+8619']
    """
    begin, end = int(whole.first), int(whole.last)
    for excluded in exclusions:
        first, last = int(excluded.first), int(excluded.last)
        if first > begin:
            yield NumberRange(f"+{begin}", f"+{min(first - 1, end)}")
        begin = max(begin, last + 1)
    if begin <= end:
        yield NumberRange(f"+{begin}", f"+{end}")


def numbers_in(part: NumberRange, ending: str = "") -> Iterator[str]:
    """Yield the numbers of a range that end in these digits, in order, without looking at the others.

    >>> list(numbers_in(NumberRange("+861380", "+861420"), "88"))
    ['+861388']
    """
    step = 10 ** len(ending)
    begin = int(part.first)
    begin += (int(ending or 0) - begin) % step
    for number in range(begin, int(part.last) + 1, step):
        yield f"+{number}"


def _is_organisation(held_for: str) -> bool:
    return held_for.startswith(ORGANISATION_PREFIX)


def _reserved_for(held_for: str, policy: Policy) -> tuple[timedelta, str]:
    if _is_organisation(held_for):
        days = policy.numbering.organisation_reservation_days
        return timedelta(days=days.value), days.citation
    minutes = policy.numbering.reservation_minutes
    return timedelta(minutes=minutes.value), minutes.citation
