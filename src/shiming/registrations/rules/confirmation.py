"""Whether a code may be issued, an answer confirms, and what is registered is what was confirmed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shiming.jurisdictions.model import ContractPolicy
from shiming.registrations.errors.contracts import ConfirmationRefusal, TermsRefusal
from shiming.registrations.model.confirmation import (
    CODE_GAP_SECONDS,
    CODES_MAX,
    IssuedCode,
)
from shiming.vocabulary.refusals import ReasonCode, Refusal


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, compared with what is kept: no secret in it."""

    covers_this: bool  # the code was made for what is asked for now
    right: bool


def decide_issuing(
    former: IssuedCode | None,
    policy: ContractPolicy,
    *,
    identifier_chosen: bool,
    completed: bool,
    now: datetime,
) -> tuple[Refusal, ...]:
    """Return every reason against a new code."""
    codes: list[ReasonCode] = []
    if completed:
        codes.append(TermsRefusal.ORDER_COMPLETED)
    if not identifier_chosen:
        codes.append(ConfirmationRefusal.CONFIRMATION_IDENTIFIER_MISSING)
    if former is not None:
        if former.issued >= CODES_MAX:
            codes.append(ConfirmationRefusal.CONFIRMATION_CODES_TOO_MANY)
        elif now < former.issued_at + timedelta(seconds=CODE_GAP_SECONDS):
            codes.append(ConfirmationRefusal.CONFIRMATION_CODE_TOO_SOON)
    return tuple(Refusal(code, policy.confirmation_digits.citation) for code in codes)


def decide_usable(
    issued: IssuedCode | None, policy: ContractPolicy, *, covers_this: bool, completed: bool, now: datetime
) -> tuple[Refusal, ...]:
    """Return every reason why a code or its link can confirm nothing any more."""
    minutes, attempts = policy.confirmation_minutes, policy.confirmation_attempts_max
    refusals = []
    if completed:
        refusals.append(Refusal(TermsRefusal.ORDER_COMPLETED, minutes.citation))
    if issued is None:
        return (*refusals, Refusal(ConfirmationRefusal.CONFIRMATION_CODE_MISSING, minutes.citation))
    if issued.used_at is not None:
        refusals.append(Refusal(ConfirmationRefusal.CONFIRMATION_CODE_USED, minutes.citation))
    elif now >= issued.expires_at:
        refusals.append(Refusal(ConfirmationRefusal.CONFIRMATION_CODE_EXPIRED, minutes.citation))
    if issued.wrong >= attempts.value:
        refusals.append(Refusal(ConfirmationRefusal.CONFIRMATION_ATTEMPTS_USED_UP, attempts.citation))
    if not covers_this:
        refusals.append(Refusal(ConfirmationRefusal.CONFIRMATION_OF_OTHER_LINE, minutes.citation))
    return tuple(refusals)


def decide_answer(
    issued: IssuedCode | None, answer: Answer, policy: ContractPolicy, *, completed: bool, now: datetime
) -> tuple[Refusal, ...]:
    """Return every reason why an answer confirms nothing; a wrong one is compared only with a usable code."""
    unusable = decide_usable(issued, policy, covers_this=answer.covers_this, completed=completed, now=now)
    if unusable or answer.right:
        return unusable
    return (Refusal(ConfirmationRefusal.CONFIRMATION_CODE_WRONG, policy.confirmation_attempts_max.citation),)


def decide_lines(lines: int, entered: int, policy: ContractPolicy) -> tuple[Refusal, ...]:
    """Return why a handler cannot confirm so many lines for a contract: there are more already."""
    if lines < entered:
        code = ConfirmationRefusal.LINES_FEWER_THAN_ENTERED
        return (Refusal(code, policy.confirmation_digits.citation),)
    return ()
