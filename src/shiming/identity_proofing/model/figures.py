"""How people fared on each route: counts, shares with intervals, times. Nobody can be recognised in them."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class RouteOutcome:
    """How one session ended. `verified` and `seconds` (from opening on) are None without a decision."""

    route: str
    channel: str
    verified: bool | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with the interval that holds the true one in 95 of 100 such samples."""

    value: float
    low: float
    high: float


class Parity(StrEnum):
    """How a route compares with all others together."""

    LOWER = "lower"
    HIGHER = "higher"
    NO_DIFFERENCE_SEEN = "no_difference_seen"
    TOO_FEW = "too_few"


@dataclass(frozen=True, slots=True)
class RouteFigures:
    """One route. `pass_rate`, `seconds_median` and the counts behind them are None where too few ended."""

    route: str
    enough: bool
    ended: int | None = None
    verified: int | None = None
    refused: int | None = None
    undecided: int | None = None
    pass_rate: Interval | None = None
    seconds_median: Interval | None = None
    parity: Parity = Parity.TOO_FEW
