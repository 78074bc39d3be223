"""Decide until when evidence may be kept.

A rule of the policy names a period and the event that starts its clock. While the service lasts, evidence
whose clock starts at its end has no end date.
"""

from datetime import datetime

from shiming.jurisdictions.model import ClockStart, RetentionPolicy, RetentionRule
from shiming.jurisdictions.rules.retention_end import retention_end
from shiming.privacy.model import RetentionClass, RetentionEvents


def decide_retention_end(
    retention_class: RetentionClass, policy: RetentionPolicy, events: RetentionEvents
) -> datetime | None:
    """Return the instant from which evidence of this class must be gone; None while its clock stands."""
    rule: RetentionRule = getattr(policy, retention_class.value)
    start = _start_of(rule.clock.value, events)
    if start is None:
        return None
    return datetime.combine(retention_end(rule, start.date()), start.timetz())


def _start_of(clock: ClockStart, events: RetentionEvents) -> datetime | None:
    return {
        ClockStart.DECISION: events.decided_at,
        ClockStart.SERVICE_END: events.service_ended_at,
        ClockStart.ACCESS: events.accessed_at,
    }[clock]
