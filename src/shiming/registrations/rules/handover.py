"""Decide what a minor's coming of age means for a line (cn: Civil Code art. 17)."""

from datetime import date, timedelta

from shiming.jurisdictions.model import HandoverPolicy
from shiming.registrations.model.holder_clocks import ClockState, ClockStep


def decide_handover(due_on: date, state: ClockState, policy: HandoverPolicy, *, today: date) -> ClockStep:
    """Say what is due of a clock; `due_on` is the first day of majority.

    Reminded so many days before; stopped when the days of grace from that day on are over.
    """
    if state in {ClockState.STOPPED, ClockState.ENDED}:
        return ClockStep.WAIT
    if today >= due_on + timedelta(days=policy.grace_days.value):
        return ClockStep.STOP
    reminded = state is ClockState.REMINDED
    if not reminded and today >= due_on - timedelta(days=policy.reminder_days.value):
        return ClockStep.REMIND
    return ClockStep.WAIT
