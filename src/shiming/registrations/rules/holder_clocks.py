"""Decide which clocks a line has, what is due of them, and whether a new proof puts the line right."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from shiming.jurisdictions.model import Policy
from shiming.registrations.errors.holder_clocks import HandoverRefusal as Code
from shiming.registrations.model.holder_clocks import (
    ClockKind,
    ClockState,
    ClockStep,
    Deadlines,
    HandoverFacts,
    HandoverRefused,
    HolderClock,
    MayHandOver,
)
from shiming.registrations.model.registration import DRAWN, VERIFIED, ProvenSession
from shiming.registrations.rules.document_expiry import decide_document_expiry
from shiming.registrations.rules.handover import decide_handover
from shiming.registrations.rules.representation import needs_guardian
from shiming.vocabulary.refusals import Refusal


def clocks_of(deadlines: Deadlines, policy: Policy) -> Mapping[ClockKind, date]:
    """Return the days that the clocks of a line run to, by what its holder was proven with."""
    found = {}
    if deadlines.majority_on is not None and needs_guardian(deadlines.category, policy):
        found[ClockKind.MAJORITY] = deadlines.majority_on
    expiring = policy.document_expiry.categories.value
    if deadlines.document_expires_on is not None and deadlines.category in expiring:
        found[ClockKind.DOCUMENT_EXPIRY] = deadlines.document_expires_on
    return found


def decide_clock(clock: HolderClock, policy: Policy, *, today: date) -> ClockStep:
    """Say what is due of a clock today."""
    if clock.kind is ClockKind.MAJORITY:
        return decide_handover(clock.due_on, clock.state, policy.handover, today=today)
    return decide_document_expiry(clock.due_on, clock.state, policy.document_expiry, today=today)


def decide_handover_completion(
    facts: HandoverFacts, policy: Policy, *, now: datetime, today: date, sandbox: bool = False
) -> MayHandOver | HandoverRefused:
    """Say whether a new proof of the holder ends the open clocks of a line, or why it does not.

    (1) something is open, on a line that lives; (2) the proof is good, fresh, for this operator and unused;
    (3) it is of the holder, and recorded; (4) it takes at least one cause away.
    """
    now_due = clocks_of(facts.deadlines, policy)
    waiting = tuple(clock for clock in facts.clocks if clock.is_open)
    resolved = [clock for clock in waiting if _is_resolved(clock, facts, policy, today)]
    refusals = [*_line(facts, waiting, policy), *_proof(facts, policy, sandbox=sandbox, now=now)]
    if facts.session is not None and not resolved:
        refusals += [_unresolved(clock, policy) for clock in waiting]
    if refusals:
        return HandoverRefused(tuple(refusals))
    again = tuple(
        replace(clock, due_on=now_due[clock.kind], state=ClockState.RUNNING)
        for clock in resolved
        if clock.kind in now_due
    )
    kinds = {clock.kind for clock in again}
    return MayHandOver(tuple(clock for clock in resolved if clock.kind not in kinds), again)


def _is_resolved(clock: HolderClock, facts: HandoverFacts, policy: Policy, today: date) -> bool:
    if clock.kind is ClockKind.MAJORITY:
        return facts.deadlines.category is not None and not needs_guardian(facts.deadlines.category, policy)
    ends = facts.deadlines.document_expires_on
    return ends is None or (ends > clock.due_on and ends >= today)


def _unresolved(clock: HolderClock, policy: Policy) -> Refusal:
    if clock.kind is ClockKind.MAJORITY:
        return Refusal(Code.HOLDER_STILL_MINOR, policy.handover.age_years.citation)
    return Refusal(Code.DOCUMENT_NOT_RENEWED, policy.document_expiry.categories.citation)


def _line(facts: HandoverFacts, waiting: tuple[HolderClock, ...], policy: Policy) -> Iterator[Refusal]:
    citation = policy.handover.age_years.citation
    if facts.line_ended:
        yield Refusal(Code.HANDOVER_LINE_TERMINATED, citation)
    elif not waiting:
        yield Refusal(Code.HANDOVER_NOT_DUE, citation)


def _proof(facts: HandoverFacts, policy: Policy, *, sandbox: bool, now: datetime) -> Iterator[Refusal]:
    session, citation = facts.session, policy.time_limits.session_minutes.citation
    if session is None:
        yield Refusal(Code.HANDOVER_NOT_PROVEN, citation)
        return
    if session.outcome != VERIFIED or session.subject is None or session.decided_at is None:
        yield Refusal(Code.HANDOVER_NOT_PROVEN, citation)
    if not is_fresh(session, policy, now):
        yield Refusal(Code.HANDOVER_PROOF_TOO_OLD, citation)
    if session.operator not in {None, facts.operator}:
        yield Refusal(Code.HANDOVER_OF_OTHER_OPERATOR, citation)
    if session.challenge_origin not in {None, DRAWN} and not sandbox:
        yield Refusal(Code.HANDOVER_REHEARSED, citation)
    if session.consumed_by not in {None, facts.line_id}:
        yield Refusal(Code.HANDOVER_SESSION_USED, citation)
    if session.subject is not None and session.subject != facts.holder:
        yield Refusal(Code.HANDOVER_NOT_THE_HOLDER, policy.proxies.both_proven.citation)
    if not facts.identity_recorded:
        yield Refusal(Code.HANDOVER_NOT_RECORDED, policy.retention.identity.period.citation)


def is_fresh(session: ProvenSession, policy: Policy, now: datetime) -> bool:
    """Say whether a session was decided within the minutes of the policy, and not in the future."""
    age_max = timedelta(minutes=policy.time_limits.session_minutes.value)
    return session.decided_at is None or session.decided_at <= now <= session.decided_at + age_max
