"""Dates of a machine readable zone: two-digit years and unknown parts (ICAO Doc 9303 part 3, 4.8).

A date is YYMMDD; an unknown part is `<<` (some issuers write `00`). The century is not in the zone: a
birth lies in the hundred years that end on the reference day; an expiry before the end of the
forty-ninth year after it.

>>> today = date(2026, 11, 22)
>>> birth_date("740812", today).as_date(), birth_date("261123", today).as_date()
(datetime.date(1974, 8, 12), datetime.date(1926, 11, 23))
>>> str(birth_date("74<<<<", today)), birth_date("740230", today)
('1974-??-??', None)
>>> str(expiry_date("120415", today)), str(expiry_date("991231", today))
('2012-04-15', '1999-12-31')
"""

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

_FORM = re.compile(r"([0-9]{2}|<<)([0-9]{2}|<<)([0-9]{2}|<<)")
_UNKNOWN = {"<<", "00"}
_LEAP_YEAR = 2000  # any day of any month exists in it
_YEARS_VALID_MAX = 49


@dataclass(frozen=True, slots=True)
class DateParts:
    """A date of which a part may be unknown."""

    year: int | None
    month: int | None
    day: int | None

    def as_date(self) -> date | None:
        """Return the date when all of it is known."""
        if self.year is None or self.month is None or self.day is None:
            return None
        return date(self.year, self.month, self.day)

    def __str__(self) -> str:
        year = "????" if self.year is None else f"{self.year:04}"
        return f"{year}-{_two(self.month)}-{_two(self.day)}"


def birth_date(field: str, today: date) -> DateParts | None:
    """Read a birth date; None when it is no date."""
    return _read(field, (today.year, today.month, today.day))


def expiry_date(field: str, today: date) -> DateParts | None:
    """Read an expiry date; None when it is no date."""
    return _read(field, (today.year + _YEARS_VALID_MAX, 12, 31))


@lru_cache(maxsize=4096)
def is_date(field: str) -> bool:
    """Whether a field has the form of a date and its day exists in some year of that number."""
    return _read(field, (_LEAP_YEAR + 99, 12, 31)) is not None


def compose_date(value: date | DateParts | None) -> str:
    """Return the six characters of a date.

    >>> compose_date(DateParts(1974, 8, None)), compose_date(None)
    ('7408<<', '<<<<<<')
    """
    if value is None:
        return "<" * 6
    year = None if value.year is None else value.year % 100
    return "".join("<<" if part is None else f"{part:02}" for part in (year, value.month, value.day))


def _read(field: str, latest: tuple[int, int, int]) -> DateParts | None:
    """Read a date in the hundred years that end on `latest` (year, month, day)."""
    found = _FORM.fullmatch(field)
    if not found:
        return None
    year = None if found[1] == "<<" else latest[0] - latest[0] % 100 + int(found[1])
    month = None if found[2] in _UNKNOWN else int(found[2])
    day = None if found[3] in _UNKNOWN else int(found[3])
    if year is not None and (year, month or 1, day or 1) > latest:
        year -= 100
    return DateParts(year, month, day) if _exists(year, month, day) else None


def _exists(year: int | None, month: int | None, day: int | None) -> bool:
    try:
        date(year or _LEAP_YEAR, month or 1, day or 1)
    except ValueError:
        return False
    return True


def _two(part: int | None) -> str:
    return "??" if part is None else f"{part:02}"
