"""The only place that asks the machine for the time; everything else is told.

>>> FixedClock(datetime(2026, 5, 1, 12, 0, tzinfo=UTC)).now().isoformat()
'2026-05-01T12:00:00+00:00'
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time, always with its zone."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant in UTC, to the second: receipts and records need no more."""
        return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that stands still, for tests and for replays."""

    at: datetime

    def now(self) -> datetime:
        """Return the instant at which it was stopped."""
        return self.at
