"""Small plots from numbers: where a figure lies between its limits, where an interval lies on an axis; pure.

A plot is a list of positions on a strip of `WIDTH` units; the template draws it as SVG, and the same facts
stand beside it in words, so that nobody has to see it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from shiming.identity_proofing.model.decision import CheckResult, Figure
from shiming.identity_proofing.model.figures import Interval

WIDTH = 300.0
_MARGIN = 8.0  # so that a mark at the end is not cut off
LimitKind = Literal["min", "max", "review_min", "review_max", "accept_min", "retry_min"]
#: Limits that bear another name than what they limit.
_NAMED_OTHERWISE: Mapping[str, tuple[str, LimitKind]] = {
    "passive_live_review_max": ("passive_live_score", "review_max"),
    "cards_max": ("cards_seen", "max"),
    "life_seconds": ("age_s", "max"),
}
#: Says nothing to people.
_LEFT_OUT = frozenset({"id"})
_KINDS: tuple[LimitKind, ...] = ("review_min", "review_max", "accept_min", "retry_min", "min", "max")


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of a figure and where it lies on the strip."""

    kind: LimitKind
    value: float
    x: float


@dataclass(frozen=True, slots=True)
class FigurePlot:
    """One measurement: its value, where it lies, its limits, and from where to where it would be fine."""

    name: str
    value: float | None
    x: float | None
    limits: tuple[Limit, ...]
    fine_from: float
    fine_to: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class IntervalPlot:
    """An interval on the axis that all routes share."""

    x: float
    x_low: float
    x_high: float


def plots_of(check: CheckResult) -> tuple[FigurePlot, ...]:
    """Return a plot for every measurement of a check that has a limit; the others are told in words."""
    measured, limits = check.measurements or {}, check.thresholds or {}
    found = []
    for name, value in measured.items():
        own = _limits_of(name, limits)
        if own and value is None:
            found.append(_plot(name, None, own))
        elif own and isinstance(value, int | float):
            found.append(_plot(name, float(value), own))
    return tuple(found)


def plain_figures(check: CheckResult) -> tuple[tuple[str, Figure], ...]:
    """Return the measurements that have no limit."""
    limits = check.thresholds or {}
    return tuple(
        (name, value)
        for name, value in (check.measurements or {}).items()
        if value not in {None, ""}
        and name not in _LEFT_OUT
        and not (_limits_of(name, limits) and _is_number(value))
    )


def on_axis(interval: Interval, low: float, high: float) -> IntervalPlot:
    """Return where an interval lies on an axis from `low` to `high`."""
    return IntervalPlot(*(_x(value, low, high) for value in (interval.value, interval.low, interval.high)))


def _limits_of(name: str, limits: Mapping[str, Figure]) -> list[tuple[LimitKind, float]]:
    """Return the limits that belong to a measurement: `NAME_KIND`, or the same name where it ends in one."""
    found: list[tuple[LimitKind, float]] = []
    for limit, value in limits.items():
        if not isinstance(value, int | float):
            continue
        other, other_kind = _NAMED_OTHERWISE.get(limit, ("", "max"))
        if other == name:
            found.append((other_kind, float(value)))
            continue
        for kind in _KINDS:
            if limit == f"{name}_{kind}" or (limit == name and limit.endswith(f"_{kind}")):
                found.append((kind, float(value)))
                break
    return found


def _plot(name: str, value: float | None, limits: Sequence[tuple[LimitKind, float]]) -> FigurePlot:
    numbers = [at for _, at in limits] + ([] if value is None else [value])
    low, high = _axis(numbers)
    fine_from, fine_to = low, high
    for kind, at in limits:
        if kind in {"min", "accept_min", "review_max"}:
            fine_from = max(fine_from, at)
        if kind == "max" or (kind == "review_min" and not any(other == "min" for other, _ in limits)):
            fine_to = min(fine_to, at)
    return FigurePlot(
        name=name,
        value=value,
        x=None if value is None else _x(value, low, high),
        limits=tuple(Limit(kind, at, _x(at, low, high)) for kind, at in limits),
        fine_from=_x(fine_from, low, high),
        fine_to=_x(max(fine_from, fine_to), low, high),
        low=low,
        high=high,
    )


def _axis(numbers: Sequence[float]) -> tuple[float, float]:
    """Return the ends of the strip: 0 to 1 for shares and similarities, else around the numbers."""
    low, high = min(numbers), max(numbers)
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    room = max(high - low, abs(high), 1.0) * 0.15
    return (0.0 if low >= 0 else low - room), (0.0 if high < 0 else high + room)


def _x(value: float, low: float, high: float) -> float:
    share = (value - low) / (high - low)
    return round(_MARGIN + min(1.0, max(0.0, share)) * (WIDTH - 2 * _MARGIN), 1)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
