"""Decide what the end of a document means for the line that rests on it (cn: Order 25 art. 7)."""

from datetime import date, timedelta

from shiming.jurisdictions.model import DocumentExpiryPolicy
from shiming.registrations.model.holder_clocks import ClockState, ClockStep


def decide_document_expiry(
    due_on: date, state: ClockState, policy: DocumentExpiryPolicy, *, today: date
) -> ClockStep:
    """Say what is due of a clock; `due_on` is the last day on which the document holds."""
    if state in {ClockState.STOPPED, ClockState.ENDED}:
        return ClockStep.WAIT
    if today > due_on + timedelta(days=policy.grace_days.value):
        return ClockStep.STOP
    reminded = state is ClockState.REMINDED
    if not reminded and today >= due_on - timedelta(days=policy.reminder_days.value):
        return ClockStep.REMIND
    return ClockStep.WAIT
