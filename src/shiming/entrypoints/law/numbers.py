"""Scenarios about the number pool: who may keep or get a number, and which range may go in."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from shiming.entrypoints.law.outcomes import accepted, refused
from shiming.jurisdictions.model import Policy
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.numbers import (
    NewBlock,
    NumberBlock,
    NumberFacts,
    NumberHold,
    NumberRange,
    NumberState,
)
from shiming.registrations.rules.number_pool import (
    decide_block,
    decide_reservation,
    quarantined_until,
    reserved_until,
    state_of,
)

_NOON = time(12, tzinfo=UTC)
_HERE, _THERE = "this-operator", "other-operator"
_CUSTOMER = {"person": "SES-1", "organisation": "ORG-1"}
_RANGE = NumberRange("+861380000", "+861380999")  # a specimen; only its ends matter


def _in_words(name: str) -> str:
    return name.replace("_", " ")


class Customer(StrEnum):
    """Who wants the number."""

    PERSON = "person"
    ORGANISATION = "organisation"


class Neighbour(StrEnum):
    """What lies where a range is to go."""

    NOTHING = "nothing"
    SAME = "same range"
    OWN = "own range"
    OTHER = "range of another operator"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_in_words)


class NewRange(_Part):
    """A range that is to go into the pool."""

    meets: Neighbour = Neighbour.NOTHING
    never_to_be_given_out: bool = False
    inside_a_block: bool = True


class Given(_Part):
    """What is known of the number that somebody wants, or of a new range."""

    date: date
    customer: Customer = Customer.PERSON
    pool_of_another_operator: bool = False
    excluded: bool = False
    in_service: bool = False
    minutes_kept_for_another: int = 0  # left of it
    minutes_kept_for_this_one: int = 0
    days_since_last_use: int | None = None
    numbers_kept_already: int = 0
    new_range: NewRange | None = None


def conclude(given: Given, policy: Policy) -> dict[str, Any]:
    """Return what the rules make of the facts."""
    if given.new_range is not None:
        return _range(given.new_range, policy)
    now = datetime.combine(given.date, _NOON)
    held_for = _CUSTOMER[given.customer]
    facts = NumberFacts(
        operator=_THERE if given.pool_of_another_operator else _HERE,
        kind=LineKind.MOBILE,
        excluded=given.excluded,
        line_id="REG-1" if given.in_service else None,
        hold=_hold(given, held_for, policy, now),
    )
    refusals = decide_reservation(
        facts,
        operator=_HERE,
        held_for=held_for,
        held=given.numbers_kept_already,
        now=now,
        policy=policy,
    )
    if refusals:
        return refused(refusals, state=state_of(facts, now).value)
    kept = reserved_until(held_for, now, policy) - now
    return accepted(**{"kept minutes": int(kept / timedelta(minutes=1))})


def _hold(given: Given, held_for: str, policy: Policy, now: datetime) -> NumberHold | None:
    if given.days_since_last_use is not None:
        ended = now - timedelta(days=given.days_since_last_use)
        return NumberHold(NumberState.QUARANTINE, _HERE, None, quarantined_until(ended, policy))
    minutes = given.minutes_kept_for_this_one or given.minutes_kept_for_another
    if not minutes:
        return None
    whom = held_for if given.minutes_kept_for_this_one else "SES-another"
    return NumberHold(NumberState.RESERVED, _HERE, whom, now + timedelta(minutes=minutes))


def _range(new: NewRange, policy: Policy) -> dict[str, Any]:
    inner = NumberRange("+861380100", "+861380199")
    wanted = NewBlock(_HERE, inner, LineKind.MOBILE, new.never_to_be_given_out)
    met = {
        Neighbour.NOTHING: None,
        Neighbour.SAME: _block(_HERE, inner, excluded=new.never_to_be_given_out),
        Neighbour.OWN: _block(_HERE, _RANGE, excluded=new.never_to_be_given_out),
        Neighbour.OTHER: _block(_THERE, _RANGE, excluded=new.never_to_be_given_out),
    }[new.meets]
    below = _block(_HERE, _RANGE) if new.inside_a_block else None
    decision = decide_block(wanted, met, below, policy.numbering.quarantine_days.citation)
    if isinstance(decision, NumberBlock):
        return accepted(repeated=True)
    return refused(decision) if decision else accepted(repeated=False)


def _block(operator: str, numbers: NumberRange, *, excluded: bool = False) -> NumberBlock:
    added_at = datetime(2025, 6, 1, tzinfo=UTC)
    return NumberBlock("RNG-1", operator, numbers, LineKind.MOBILE, excluded, added_at)
