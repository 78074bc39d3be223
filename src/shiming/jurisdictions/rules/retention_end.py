"""Decide when a piece of evidence must be erased."""

import re
from calendar import monthrange
from datetime import date, timedelta

from shiming.jurisdictions.model import RetentionRule

MONTHS_IN_YEAR = 12
_PARTS = re.compile(r"(\d+)([YMWD])")


def retention_end(rule: RetentionRule, clock_started: date) -> date:
    """Return the first day on which the evidence may no longer be there."""
    return add_duration(clock_started, rule.period.value)


def add_duration(start: date, duration: str) -> date:
    """Add an ISO 8601 duration of whole days: years and months first, then weeks and days.

    A day that the month does not have becomes its last day. Dates past the year 9999 become its last day.

    >>> add_duration(date(2024, 2, 29), "P2Y"), add_duration(date(2026, 1, 31), "P1M1D")
    (datetime.date(2026, 2, 28), datetime.date(2026, 3, 1))
    """
    parts = {unit: int(number) for number, unit in _PARTS.findall(duration)}
    months = start.month - 1 + parts.get("M", 0) + MONTHS_IN_YEAR * parts.get("Y", 0)
    year, month = start.year + months // MONTHS_IN_YEAR, months % MONTHS_IN_YEAR + 1
    days = timedelta(weeks=parts.get("W", 0), days=parts.get("D", 0))
    if year > date.max.year:
        return date.max
    moved = date(year, month, min(start.day, monthrange(year, month)[1]))
    return moved + days if days <= date.max - moved else date.max
