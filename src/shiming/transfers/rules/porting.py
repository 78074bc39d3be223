"""Decide who may take a number away, whether an authorisation still holds, and what may come in."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from shiming.jurisdictions.model import EntryKind, Policy, TransferPolicy
from shiming.registrations.model.holding import HeldLine
from shiming.registrations.model.lines import LineKind, LineStatus
from shiming.transfers.errors.lines import TransferLineRefusal
from shiming.transfers.errors.porting import PortRefusal as Code
from shiming.transfers.model.outcomes import TransferAllowed, TransferRefused
from shiming.transfers.model.porting import (
    DonorAnswer,
    DonorVerdict,
    PortIn,
    PortInFacts,
    PortOut,
    PortOutFacts,
    PortState,
    PortStep,
)
from shiming.transfers.rules.lines import arrears_reasons, holder_reasons, line_reasons, lock_in_reasons
from shiming.vocabulary.refusals import Refusal

#: Guesses at one code; a code of eight digits is then found by chance once in twenty million.
ATTEMPTS_MAX = 5
_STEPS = {PortStep.COMPLETE: PortState.COMPLETED, PortStep.CANCEL: PortState.CANCELLED}


def decide_port_out(
    facts: PortOutFacts, policy: Policy, *, now: datetime
) -> TransferAllowed | TransferRefused:
    """Say whether the holder may take the number to another operator."""
    tenure, transfers = policy.transfers.port_tenure_days, policy.transfers
    entry = policy.entries[EntryKind.PORT_IN]  # the other side of the same door
    reasons = (
        #  (1) the number can be ported at all, and the line is in normal service
        *_offered(facts.held, transfers),
        *line_reasons(facts.held, entry, transfers),
        *_normal(facts.held, tenure.citation),
        #  (2) it is the own real name: the holder is proven now
        *holder_reasons(facts.holder, facts.held, tenure.citation),
        #  (3) and has been for so many days
        *_tenure(facts.held, transfers, now),
        #  (4) everything is paid, and no contract binds
        *arrears_reasons(facts.standing, transfers),
        *lock_in_reasons(facts.standing, transfers),
        #  (5) nothing of the kind is open, and nobody is barred
        *_open(facts, transfers),
    )
    return TransferRefused(tuple(dict.fromkeys(reasons))) if reasons else TransferAllowed()


def decide_port_completion(
    port: PortOut, held: HeldLine, policy: Policy, *, code_right: bool, now: datetime
) -> TransferAllowed | TransferRefused:
    """Say whether a code lets the number go now; held against the line as it is at this moment."""
    transfers = policy.transfers
    citation = transfers.port_tenure_days.citation
    reasons = [
        #  (1) the authorisation is open, in its time, with attempts left
        *_standing(port, citation, now),
        #  (2) the code is the one that was given out
        *([] if code_right else [Refusal(Code.PORT_CODE_WRONG, citation)]),
        #  (3) the line is still that person's and in normal service, and no stop came meanwhile
        *line_reasons(held, policy.entries[EntryKind.PORT_IN], transfers),
    ]
    if held.line.subject != port.subject or held.line.status is not LineStatus.ACTIVE:
        reasons.append(Refusal(Code.PORT_HOLDER_CHANGED, citation))
    return TransferRefused(tuple(dict.fromkeys(reasons))) if reasons else TransferAllowed()


def decide_port_in(facts: PortInFacts, policy: Policy, *, now: datetime) -> TransferAllowed | TransferRefused:
    """Say whether a number of another operator may be registered here."""
    entry = policy.entries[EntryKind.PORT_IN]
    citation = entry.allowed.citation
    reasons = []
    if not entry.allowed.value:
        reasons.append(Refusal(TransferLineRefusal.TRANSFER_ENTRY_NOT_ALLOWED, citation))
    #  (1) the number is of this numbering plan, not our own, and free
    if facts.regions and facts.number.region not in facts.regions:
        reasons.append(Refusal(Code.PORT_NOT_OFFERED, citation))
    if facts.in_own_pool:
        reasons.append(Refusal(Code.PORT_NUMBER_OWN, citation))
    if facts.in_use:
        reasons.append(Refusal(Code.PORT_NUMBER_IN_USE, citation))
    #  (2) the donor has confirmed the authorisation, and it holds now
    reasons += _donor(facts.answer, citation, now)
    return TransferRefused(tuple(reasons)) if reasons else TransferAllowed()


def decide_port_step(state: PortState, step: PortStep) -> PortState | None:
    """Return where a step leads; None: there is no such step from here."""
    if state is not PortState.AUTHORISED:
        return None
    return _STEPS.get(step, PortState.EXPIRED)


def is_open(port: PortOut | PortIn, now: datetime) -> bool:
    """Whether an authorisation still holds."""
    return port.state is PortState.AUTHORISED and port.authorised_at <= now < port.expires_at


def _offered(held: HeldLine, transfers: TransferPolicy) -> Iterable[Refusal]:
    citation = transfers.port_tenure_days.citation
    if transfers.port_authorisation_minutes is None or held.line.kind is not LineKind.MOBILE:
        yield Refusal(Code.PORT_NOT_OFFERED, citation)


def _normal(held: HeldLine, citation: str) -> Iterable[Refusal]:
    stopped = {LineStatus.ONE_WAY_STOPPED, LineStatus.TWO_WAY_STOPPED}
    if held.line.status in stopped:  # for whatever reason: "in service" is a condition of its own
        yield Refusal(TransferLineRefusal.TRANSFER_LINE_STOPPED, citation)


def _tenure(held: HeldLine, transfers: TransferPolicy, now: datetime) -> Iterable[Refusal]:
    days = transfers.port_tenure_days
    if now - held.held_since < timedelta(days=days.value):
        yield Refusal(Code.PORT_TENURE, days.citation)


def _open(facts: PortOutFacts, transfers: TransferPolicy) -> Iterable[Refusal]:
    if facts.open_port:
        yield Refusal(Code.PORT_ALREADY_OPEN, transfers.port_tenure_days.citation)
    if facts.barred:
        yield Refusal(TransferLineRefusal.TRANSFERS_BARRED, transfers.private_transfer_allowed.citation)


def _standing(port: PortOut, citation: str, now: datetime) -> Iterable[Refusal]:
    if port.state is not PortState.AUTHORISED:
        yield Refusal(Code.PORT_STATE, citation)
    elif port.authorised_at > now:
        yield Refusal(Code.PORT_CLOCK, citation)
    elif now >= port.expires_at or port.attempts >= ATTEMPTS_MAX:
        yield Refusal(Code.PORT_CODE_EXPIRED, citation)


def _donor(answer: DonorAnswer, citation: str, now: datetime) -> Iterable[Refusal]:
    if answer.verdict is DonorVerdict.REFUSED:
        yield Refusal(Code.PORT_DONOR_REFUSED, citation)
    elif answer.verdict is DonorVerdict.UNKNOWN:
        yield Refusal(Code.PORT_DONOR_UNKNOWN, citation)
    elif answer.authorised_at is not None and answer.authorised_at > now:
        yield Refusal(Code.PORT_CLOCK, citation)
    elif answer.expires_at is not None and answer.expires_at <= now:
        yield Refusal(Code.PORT_CODE_EXPIRED, citation)
