"""Decide whether a holder registers lines too fast: a least gap, and a most for each day."""

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from shiming.jurisdictions.model import CapPolicy
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.model.registration import HolderCounter
from shiming.vocabulary.refusals import Refusal

_zone = cache(ZoneInfo)


def day_of(now: datetime, time_zone: str) -> str:
    """Return the day of an instant where the rules count days.

    >>> from datetime import UTC
    >>> day_of(datetime(2026, 3, 1, 20, tzinfo=UTC), "Asia/Shanghai")
    '2026-03-02'
    """
    return now.astimezone(_zone(time_zone)).date().isoformat()


def decide_velocity(
    counter: HolderCounter, policy: CapPolicy, *, now: datetime, time_zone: str
) -> tuple[Refusal, ...]:
    """Return every reason why the holder has to wait for one more line."""
    refusals = []
    gap, last = policy.gap_hours_min, counter.last_registered_at
    if gap is not None and last is not None and now < last + timedelta(hours=gap.value):
        refusals.append(Refusal(OrderRefusal.LINE_TOO_SOON, gap.citation))
    a_day = policy.lines_per_day_max
    if a_day is not None and counter.day_count >= a_day.value and counter.day == day_of(now, time_zone):
        refusals.append(Refusal(OrderRefusal.LINES_OF_DAY_REACHED, a_day.citation))
    return tuple(refusals)
