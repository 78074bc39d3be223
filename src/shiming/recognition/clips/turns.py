"""Turns of the head away from the clip's own neutral pose."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shiming.recognition.measurements import ClipEvent, ClipEventKind

Series = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TurnRule:
    """A turn starts at `start_degrees` from neutral and ends below `release_share` of that."""

    start_degrees: float = 10.0
    release_share: float = 0.6
    seconds_min: float = 0.1
    neutral_spread_degrees: float = 3.0  # width of the kernel that finds the most usual pose
    camera_spread_degrees: float = 15.0  # people look about towards the camera


def neutral_yaw(yaw: Series, rule: TurnRule) -> float:
    """Return the most usual yaw of a clip among poses about towards the camera; NaNs are left out.

    The first frames are not taken for neutral: a clip may begin with the head turned.
    """
    seen = yaw[~np.isnan(yaw)]
    if seen.size == 0:
        return 0.0
    grid = np.arange(-45.0, 45.5, 0.5)
    density = np.exp(-0.5 * ((grid[:, None] - seen[None, :]) / rule.neutral_spread_degrees) ** 2).sum(axis=1)
    prior = np.exp(-0.5 * (grid / rule.camera_spread_degrees) ** 2)
    peak = float(grid[int(np.argmax(density * prior))])
    near = seen[np.abs(seen - peak) <= 2 * rule.neutral_spread_degrees]
    return float(np.median(near)) if near.size else peak


def smoothed(values: Series) -> Series:
    """Return the running median of three, which drops a single wild frame."""
    if values.size < 3:
        return values
    padded = np.concatenate([values[:1], values, values[-1:]])
    return np.asarray(np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0), np.float64)


def turns(times_s: Series, yaw: Series, neutral: float, rule: TurnRule) -> tuple[ClipEvent, ...]:
    """Return all turns, ascending in time; yaw without NaN, positive = the person's own left."""
    away = smoothed(yaw - neutral)
    found = [
        *_one_side(times_s, away, ClipEventKind.TURN_LEFT, rule),
        *_one_side(times_s, -away, ClipEventKind.TURN_RIGHT, rule),
    ]
    return tuple(sorted(found, key=lambda event: event.start_s))


def _one_side(times_s: Series, away: Series, kind: ClipEventKind, rule: TurnRule) -> Iterator[ClipEvent]:
    for start, end in hysteresis_runs(away, rule.start_degrees, rule.start_degrees * rule.release_share):
        if times_s[end] - times_s[start] >= rule.seconds_min:
            degrees = float(away[start : end + 1].max())
            yield ClipEvent(kind, float(times_s[start]), float(times_s[end]), round(degrees, 1))


def hysteresis_runs(values: Series, start_at: float, release_below: float) -> list[tuple[int, int]]:
    """Return (first, last) index of each run that reaches `start_at`, until below `release_below`.

    The run begins where the value last rose through `release_below`: its start is that of the movement.
    """
    above = np.concatenate([[False], values >= release_below, [False]])
    edges = np.flatnonzero(np.diff(above.astype(np.int8)))
    pairs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(start, end - 1) for start, end in pairs if values[start:end].max() >= start_at]
