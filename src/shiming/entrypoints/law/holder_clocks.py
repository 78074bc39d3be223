"""Scenarios about coming of age and about documents that end: what is due, and what a new proof changes."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shiming.entrypoints.law.outcomes import accepted, refused
from shiming.jurisdictions.model import Policy
from shiming.registrations.model.holder_clocks import (
    ClockKind,
    ClockState,
    ClockStep,
    Deadlines,
    HandoverFacts,
    HandoverRefused,
    HolderClock,
)
from shiming.registrations.model.registration import DRAWN, VERIFIED, ProvenSession
from shiming.registrations.rules.holder_clocks import clocks_of, decide_clock, decide_handover_completion

_NOON = time(12, tzinfo=UTC)
_HERE, _HOLDER, _LINE = "here", "holder", "REG"
_WORDS = {
    ClockStep.WAIT: "nothing is due",
    ClockStep.REMIND: "the holder is reminded",
    ClockStep.STOP: "the line is stopped",
}


def _in_words(name: str) -> str:
    return name.replace("_", " ")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_in_words)


class NewProof(_Part):
    """A later proof for the line."""

    category: str = "adult"
    document_expires: date | None = None  # none: it holds for ever
    is_the_holder: bool = True
    minutes_ago: int = 5
    session_used: bool = False


class Given(_Part):
    """The facts: what the holder was proven with, and the day on which somebody looks."""

    on: date = Field(alias="date")
    category: str = "adult"
    comes_of_age: date | None = None
    document_expires: date | None = None
    reminded: bool = False
    new_proof: NewProof | None = None

    @model_validator(mode="after")
    def _states_something(self) -> Self:
        """Take no scenario without a day that a clock could run to."""
        if self.comes_of_age is None and self.document_expires is None:
            msg = "comes of age or document expires has to be stated"
            raise ValueError(msg)
        return self


def conclude(given: Given, policy: Policy) -> dict[str, Any]:
    """Return what is due of each clock; with a new proof, whether it puts the line right."""
    deadlines = Deadlines(given.category, given.comes_of_age, given.document_expires)
    state = ClockState.REMINDED if given.reminded else ClockState.RUNNING
    clocks = tuple(
        HolderClock(_LINE, _HERE, kind, _HOLDER, day, state)
        for kind, day in clocks_of(deadlines, policy).items()
    )
    cites = [_citation(clock.kind, policy) for clock in clocks]
    if given.new_proof is None:
        steps = {_name(clock.kind): decide_clock(clock, policy, today=given.on) for clock in clocks}
        due = {name: _WORDS[step] for name, step in steps.items()}
        stopped = ClockStep.STOP in steps.values()
        return {"outcome": "stopped" if stopped else "accepted", "cites": cites, **due}
    decision = _decide(given, given.new_proof, clocks, policy)
    if isinstance(decision, HandoverRefused):
        return refused(decision.refusals)
    return accepted(
        ended=[_name(clock.kind) for clock in decision.ended],
        renewed={_name(clock.kind): clock.due_on.isoformat() for clock in decision.renewed},
        cites=cites,
    )


def _decide(given: Given, proof: NewProof, clocks: tuple[HolderClock, ...], policy: Policy) -> Any:
    now = datetime.combine(given.on, _NOON)
    facts = HandoverFacts(
        operator=_HERE,
        line_id=_LINE,
        holder=_HOLDER,
        line_ended=False,
        clocks=clocks,
        session=ProvenSession(
            session_id="SES",
            outcome=VERIFIED,
            level=None,
            subject=_HOLDER if proof.is_the_holder else "somebody",
            decided_at=now - timedelta(minutes=proof.minutes_ago),
            challenge_origin=DRAWN,
            receipt_hash=None,
            operator=_HERE,
            consumed_by="SES-OTHER" if proof.session_used else None,
        ),
        deadlines=Deadlines(proof.category, None, proof.document_expires),
        identity_recorded=True,
    )
    return decide_handover_completion(facts, policy, now=now, today=given.on)


def _name(kind: ClockKind) -> str:
    return "majority" if kind is ClockKind.MAJORITY else "document"


def _citation(kind: ClockKind, policy: Policy) -> str:
    if kind is ClockKind.MAJORITY:
        return policy.handover.age_years.citation
    return policy.document_expiry.categories.citation
