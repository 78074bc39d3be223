"""Instants and ranges of dates: instants are aware and in UTC, text is RFC 3339.

Nothing here reads the clock; the present comes in by the door.

>>> instant = parse_instant("2026-11-22T09:30:00.5+08:00")
>>> instant, format_instant(instant)
(datetime.datetime(2026, 11, 22, 1, 30, 0, 500000, tzinfo=datetime.timezone.utc), '2026-11-22T01:30:00.500Z')
>>> parse_instant("2026-11-22 09:30")
Traceback (most recent call last):
    ...
shiming.vocabulary.errors.BadInput: INSTANT_FORMAT: ...
>>> validity = DateRange(date(2020, 1, 1), date(2029, 12, 31))
>>> date(2029, 12, 31) in validity, date(2030, 1, 1) in validity
(True, False)
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from shiming.vocabulary.errors import BadInput, Text

_RFC_3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_ADVICE = Text(
    zh="请使用如 2026-11-22T09:30:00+08:00 的格式。", en="Write it like 2026-11-22T09:30:00+08:00."
)


@dataclass(frozen=True, slots=True)
class DateRange:
    """The days from `start` to `end`, both included; without `end` it is open (long-term)."""

    start: date
    end: date | None = None

    def __post_init__(self) -> None:
        if self.end is not None and self.end < self.start:
            raise BadInput(
                "DATE_RANGE_ORDER",
                Text(zh="结束日期早于开始日期。", en="The end lies before the start."),
                Text(zh="请核对有效期。", en="Compare the two dates."),
            )

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.start <= day and (self.end is None or day <= self.end)

    def overlaps(self, other: "DateRange") -> bool:
        """Whether a day is in both ranges."""
        latest_start = max(self.start, other.start)
        return latest_start in self and latest_start in other


def parse_instant(text: str) -> datetime:
    """Return the instant in UTC; digits beyond the microsecond are cut; raise BadInput for anything else."""
    found = _RFC_3339.fullmatch(text)
    if not found:
        raise _refusal()
    day, time, fraction, offset = found.groups()
    zone = "+00:00" if offset in "Zz" else offset
    try:
        return datetime.fromisoformat(f"{day}T{time}.{(fraction or '0')[:6]:0<6}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refusal() from None


def format_instant(instant: datetime) -> str:
    """Return RFC 3339 in UTC with milliseconds; the instant has to have a time zone."""
    if instant.tzinfo is None:
        message = "an instant has a time zone"
        raise ValueError(message)
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_date(text: str) -> date:
    """Return a calendar date written as 2026-11-22, 2026.11.22, 20261122 or 2026年11月22日.

    >>> parse_date("2026.11.22") == parse_date("20261122") == parse_date("2026年11月22日")
    True
    """
    found = re.fullmatch(r"\s*([0-9]{4})[-./年]?([0-9]{1,2})[-./月]?([0-9]{1,2})日?\s*", text)
    if found:
        try:
            return date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            pass
    raise BadInput(
        "DATE_FORMAT",
        Text(zh="日期不存在或格式不正确。", en="The date does not exist or is written in another way."),
        Text(zh="请使用如 2026-11-22 的格式。", en="Write it like 2026-11-22."),
    )


def _refusal() -> BadInput:
    return BadInput("INSTANT_FORMAT", Text(zh="时间格式不正确。", en="This is no RFC 3339 instant."), _ADVICE)
