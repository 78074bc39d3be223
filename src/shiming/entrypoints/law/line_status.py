"""Scenarios about the status of a line: steps that are taken in order, and what the line is after them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

from shiming.entrypoints.law.outcomes import accepted, refused
from shiming.jurisdictions.model import Policy, StopActor, StopReason
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.stops import LineStop, StopRefused
from shiming.registrations.rules.line_status import confirmed_status, emergency_calls_allowed, status_of
from shiming.registrations.rules.projections import subscription_status
from shiming.registrations.rules.stops import StopFacts, decide_lift, decide_stop

_NOON = time(12, tzinfo=UTC)


def _in_words(name: str) -> str:
    return name.replace("_", " ")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_in_words)


class Step(_Part):
    """One act: stop or lift for a reason, end the line, or the network confirms it."""

    stop: StopReason | None = None
    lift: StopReason | None = None
    by: StopActor | None = None
    reference: str = "CASE-1"
    confirm: bool = False
    terminate: bool = False
    minutes_ahead: int = 0  # of our clock, as whoever reports it says
    days_before_registration: int = 0

    @model_validator(mode="after")
    def _is_one_act(self) -> Self:
        """Refuse a step that does nothing or two things, or a stop by nobody."""
        acts = [self.stop is not None, self.lift is not None, self.confirm, self.terminate]
        if sum(acts) != 1 or (any(acts[:2]) and self.by is None):
            message = "a step is one of: stop, lift (each with `by`), confirm, terminate"
            raise ValueError(message)
        return self


class Given(_Part):
    """The steps of a scenario; `confirmed`: the network carries the line before the first."""

    date: date
    confirmed: bool = True
    steps: tuple[Step, ...] = ()

    @model_validator(mode="after")
    def _states_something(self) -> Self:
        """Take no scenario that says nothing but the day."""
        if not self.steps and "confirmed" not in self.model_fields_set:
            msg = "confirmed or steps has to be stated"
            raise ValueError(msg)
        return self


def conclude(given: Given, policy: Policy) -> dict[str, Any]:
    """Return what the line is after all steps, or why one of them is refused."""
    now = datetime.combine(given.date, _NOON)
    status = LineStatus.ACTIVE if given.confirmed else LineStatus.PENDING
    facts = StopFacts(status, now - timedelta(days=1))
    for number, step in enumerate(given.steps, start=1):
        after = _take(step, facts, policy, now)
        if isinstance(after, StopRefused):
            return refused(after.refusals, step=number, status=facts.status.value)
        facts = after
    told = subscription_status(facts.status)
    reasons = sorted({stop.reason for stop in facts.stops if stop.is_open})
    return accepted(
        status=facts.status.value,
        incoming=told.voice_sms_in,
        outgoing=told.voice_sms_out,
        reasons=[reason.value for reason in reasons],
        **{"emergency calls": emergency_calls_allowed(facts.status)},
    )


def _take(step: Step, facts: StopFacts, policy: Policy, now: datetime) -> StopFacts | StopRefused:
    if step.terminate:
        ended = tuple(_lifted(facts.stops, facts.stops, now))
        return replace(facts, status=LineStatus.TERMINATED, stops=ended)
    if step.stop is not None and step.by is not None:
        return _stop(step, facts, policy, now)
    if step.lift is not None and step.by is not None:
        decision = decide_lift(facts, reason=step.lift, actor=step.by, reference=None, now=now, policy=policy)
        if isinstance(decision, StopRefused):
            return decision
        left = tuple(_lifted(facts.stops, decision.stops, now))
        return replace(facts, status=status_of(left, facts.status), stops=left)
    return replace(facts, status=confirmed_status(facts.stops))


def _stop(step: Step, facts: StopFacts, policy: Policy, now: datetime) -> StopFacts | StopRefused:
    if step.stop is None or step.by is None:
        return facts
    at = now + timedelta(minutes=step.minutes_ahead)
    if step.days_before_registration:
        at = facts.registered_at - timedelta(days=step.days_before_registration)
    decision = decide_stop(
        facts,
        reason=step.stop,
        actor=step.by,
        reference=step.reference,
        at=at,
        now=now,
        policy=policy,
    )
    if isinstance(decision, StopRefused):
        return decision
    if decision.standing is not None:
        return facts
    stop = LineStop(
        f"STP-{len(facts.stops)}",
        "REG-1",
        "operator",
        step.stop,
        decision.level,
        step.reference,
        now,
        step.by,
    )
    stops = (*facts.stops, stop)
    return replace(facts, status=status_of(stops, facts.status), stops=stops)


def _lifted(stops: Iterable[LineStop], which: tuple[LineStop, ...], now: datetime) -> Iterable[LineStop]:
    for stop in stops:
        yield replace(stop, lifted_at=now, lifted_by=StopActor.SYSTEM) if stop in which else stop
