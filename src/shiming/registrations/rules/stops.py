"""Decide whether a stop may be set or lifted. Every reason is collected."""

from dataclasses import dataclass
from datetime import datetime

from shiming.jurisdictions.model import Policy, StopActor, StopLevel, StopReason
from shiming.registrations.errors.stops import StopRefusal
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.stops import CLOCK_TOLERANCE, LineStop, StopRefused
from shiming.vocabulary.refusals import Refusal


@dataclass(frozen=True, slots=True)
class StopFacts:
    """What is decided on: the line as it stands, and its stops."""

    status: LineStatus
    registered_at: datetime
    stops: tuple[LineStop, ...] = ()


@dataclass(frozen=True, slots=True)
class MaySet:
    """The stop may be set, at this level; `standing`: it is set already, under this reference."""

    level: StopLevel
    standing: LineStop | None = None


@dataclass(frozen=True, slots=True)
class MayLift:
    """These stops may be lifted."""

    stops: tuple[LineStop, ...]


def decide_stop(
    facts: StopFacts,
    *,
    reason: StopReason,
    actor: StopActor,
    reference: str,
    at: datetime,
    now: datetime,
    policy: Policy,
) -> MaySet | StopRefused:
    """Say whether this actor may stop the line for this reason; `at` is since when it is said to hold."""
    rule = policy.stops.get(reason)
    if rule is None:
        return StopRefused((Refusal(StopRefusal.STOP_UNKNOWN, no_rule(policy)),))
    cites = rule.level.citation
    refusals = []
    #  (1) there is a line that can be stopped
    if facts.status is LineStatus.TERMINATED:
        refusals.append(Refusal(StopRefusal.LINE_TERMINATED, cites))
    #  (2) the pack lets this actor set it
    if actor not in rule.set_by.value:
        refusals.append(Refusal(StopRefusal.STOP_ROLE, rule.set_by.citation))
    #  (3) its time lies in the life of the line
    if at > now + CLOCK_TOLERANCE:
        refusals.append(Refusal(StopRefusal.STOP_IN_FUTURE, cites))
    if min(at, now) < facts.registered_at:
        refusals.append(Refusal(StopRefusal.STOP_BEFORE_REGISTRATION, cites))
    if refusals:
        return StopRefused(tuple(refusals))
    return MaySet(rule.level.value, next(iter(_standing(facts, reason, reference)), None))


def decide_lift(
    facts: StopFacts,
    *,
    reason: StopReason,
    actor: StopActor,
    reference: str | None,
    now: datetime,
    policy: Policy,
) -> MayLift | StopRefused:
    """Say whether this actor may lift the stops of this reason; `reference` None: whatever they rest on."""
    rule = policy.stops.get(reason)
    standing = _standing(facts, reason, reference)
    if rule is None:
        return StopRefused((Refusal(StopRefusal.STOP_UNKNOWN, no_rule(policy)),))
    cites = rule.lifted_by.citation
    refusals = []
    #  (1) there is a line that can be restored
    if facts.status is LineStatus.TERMINATED:
        refusals.append(Refusal(StopRefusal.LINE_TERMINATED, cites))
    #  (2) it is stopped for this reason
    elif not standing:
        refusals.append(Refusal(StopRefusal.STOP_NOT_SET, cites))
    #  (3) the pack lets this actor lift it
    if actor not in rule.lifted_by.value:
        refusals.append(Refusal(StopRefusal.LIFT_ROLE, cites))
    #  (4) not before it was set
    if any(now + CLOCK_TOLERANCE < stop.set_at for stop in standing):
        refusals.append(Refusal(StopRefusal.STOP_LIFTED_BEFORE_SET, cites))
    if refusals:
        return StopRefused(tuple(refusals))
    return MayLift(standing)


def no_rule(policy: Policy) -> str:
    """Return what is cited where no provision speaks: the way of registration that the pack stands for."""
    return policy.verification_model.citation


def _standing(facts: StopFacts, reason: StopReason, reference: str | None) -> tuple[LineStop, ...]:
    return tuple(
        stop
        for stop in facts.stops
        if stop.is_open and stop.reason is reason and reference in {None, stop.reference}
    )
