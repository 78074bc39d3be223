"""Decide until when evidence may be kept.

A rule of the policy names a period (ISO 8601, whole days) and the event that starts its clock. While the
service lasts, evidence whose clock starts at its end has no end date. Years and months are those of the
calendar; the 29th of February ends on the 28th.

>>> from datetime import UTC, datetime
>>> end_of_period("P2Y", datetime(2024, 2, 29, tzinfo=UTC)).isoformat()
'2026-02-28T00:00:00+00:00'
>>> end_of_period("P0D", datetime(2026, 5, 1, tzinfo=UTC)).isoformat()
'2026-05-01T00:00:00+00:00'
"""

import calendar
import re
from datetime import datetime, timedelta

from shiming.jurisdictions.model import ClockStart, RetentionPolicy, RetentionRule
from shiming.privacy.model import RetentionClass, RetentionEvents

_PERIOD = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?")
_MONTHS_A_YEAR = 12


def decide_retention_end(
    retention_class: RetentionClass, policy: RetentionPolicy, events: RetentionEvents
) -> datetime | None:
    """Return the instant from which evidence of this class must be gone; None while its clock stands."""
    rule: RetentionRule = getattr(policy, retention_class.value)
    start = _start_of(rule.clock.value, events)
    return None if start is None else end_of_period(rule.period.value, start)


def end_of_period(period: str, start: datetime) -> datetime:
    """Add an ISO 8601 period of years, months, weeks and days to an instant."""
    found = _PERIOD.fullmatch(period)
    if not found or period == "P":
        raise ValueError(period)
    years, months, weeks, days = (int(part or 0) for part in found.groups())
    month_index = start.year * _MONTHS_A_YEAR + start.month - 1 + years * _MONTHS_A_YEAR + months
    year, month = divmod(month_index, _MONTHS_A_YEAR)
    last_day = calendar.monthrange(year, month + 1)[1]
    moved = start.replace(year=year, month=month + 1, day=min(start.day, last_day))
    return moved + timedelta(weeks=weeks, days=days)


def _start_of(clock: ClockStart, events: RetentionEvents) -> datetime | None:
    return {
        ClockStart.DECISION: events.decided_at,
        ClockStart.SERVICE_END: events.service_ended_at,
        ClockStart.ACCESS: events.accessed_at,
    }[clock]
