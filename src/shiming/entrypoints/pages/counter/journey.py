"""Where a counter's journey stands, decided by what the registry knows alone."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from shiming.identity_proofing.model.session import SessionState
from shiming.identity_proofing.rules.requirements import live_evidence_wanted
from shiming.identity_proofing.use_cases.stepwise import SessionStatus
from shiming.jurisdictions.model import DigitsMode, Policy
from shiming.registrations.model.lines import Line, LineStatus
from shiming.registrations.model.orders import LineOrder, RepresentativeRole
from shiming.registrations.rules.representation import needs_guardian

VERIFIED = "Verified"


class Step(StrEnum):
    """A step, named as its page is."""

    DOCUMENT = "document"
    PERSON = "person"
    DECISION = "decision"
    RESULT = "result"
    CONTRACT = "contract"
    ACTIVATION = "activation"
    RECEIPT = "receipt"
    OVER = "over"  # expired, given up, or without an order


#: What the bar shows; deciding is a moment of the result.
SHOWN = (Step.DOCUMENT, Step.PERSON, Step.RESULT, Step.CONTRACT, Step.ACTIVATION, Step.RECEIPT)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the registry knows of one journey."""

    status: SessionStatus
    order: LineOrder | None
    line: Line | None
    policy: Policy
    now: datetime

    @property
    def session_id(self) -> str:
        """The reference that the journey is known by."""
        return self.status.session.id

    @property
    def url(self) -> str:
        """The address that all its pages begin with."""
        return f"/counter/{self.session_id}"

    @property
    def operator(self) -> str:
        """Whose customer this becomes."""
        return self.order.operator if self.order else self.status.operator

    @property
    def decision(self) -> dict[str, Any] | None:
        """The decision on what was given last; None before it, and again once something new was given."""
        receipt, state = self.status.decided.receipt, self.status.session.state
        if receipt is None or state not in {SessionState.AUTHORITY, SessionState.DECIDED}:
            return None
        found: dict[str, Any] = dict(receipt["decision"])
        return found

    @property
    def verified(self) -> bool:
        """Whether the person is proven."""
        return self.decision is not None and self.decision["outcome"] == VERIFIED

    @property
    def needs_representative(self) -> bool:
        """Whether somebody must act for the holder who is not named yet."""
        category = self.status.session.subject
        named = self.order is not None and self.order.representative is not None
        return not named and needs_guardian(category, self.policy)

    @property
    def awaits_proxy(self) -> bool:
        """Whether a proxy is to act for the holder who is not named yet."""
        awaited = self.order.awaited if self.order else None
        return awaited is not None and awaited.role is RepresentativeRole.PROXY


def step_of(standing: Standing) -> Step:
    """Return the step that comes next.

    (1) a line: wait for the network, then the receipt  (2) no order, or time is over: nothing more
    (3) a decision: its result, and after a good one the contract  (4) else what is still to be given
    """
    if standing.line is not None:
        return Step.ACTIVATION if standing.line.status is LineStatus.PENDING else Step.RECEIPT
    session = standing.status.session
    left = session.state in {SessionState.EXPIRED, SessionState.ABANDONED}
    late = not session.state.is_final and standing.now >= session.expires_at
    if standing.order is None or left or late:
        return Step.OVER
    if standing.decision is not None:
        return _after_decision(standing, standing.order)
    return _to_be_given(standing)


def bar_of(current: Step, furthest: Step) -> tuple[tuple[str, str], ...]:
    """Return the steps of the bar with their states: done, current, coming."""
    shown = Step.RESULT if current is Step.DECISION else current
    reached = Step.RESULT if furthest in {Step.DECISION, Step.OVER} else furthest
    place, end = SHOWN.index(shown) if shown in SHOWN else -1, SHOWN.index(reached)
    return tuple(
        (step.value, "current" if index == place else "done" if index < max(place, end) else "coming")
        for index, step in enumerate(SHOWN)
    )


def _after_decision(standing: Standing, order: LineOrder) -> Step:
    if not standing.verified or standing.needs_representative:
        return Step.RESULT
    confirmed = order.confirmation is not None or order.organisation is not None
    return Step.ACTIVATION if order.terms is not None and confirmed else Step.CONTRACT


def _to_be_given(standing: Standing) -> Step:
    session, evidence = standing.status.session, standing.status.evidence
    if session.state is SessionState.CREATED:
        return Step.DOCUMENT
    if not live_evidence_wanted(standing.policy, session.channel, session.route):
        return Step.DECISION
    digits = standing.policy.routes[session.route].digits.value is not DigitsMode.NONE
    given = evidence is not None and evidence.clip is not None
    answered = evidence is not None and (evidence.digits is not None or not digits)
    return (
        Step.DECISION if session.state is SessionState.LIVE_EVIDENCE and given and answered else Step.PERSON
    )
