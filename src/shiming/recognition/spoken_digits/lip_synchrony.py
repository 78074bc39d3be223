"""Does the mouth move as the sound says? Advisory: correlates mouth opening with loudness. Pure.

A mouth opens with the vowel, a little before or after the sound that a file holds with it; so the best
correlation within a small lag counts. Loudness is the log power of 20 ms frames. Dubbed or replayed sound,
or a picture without a moving mouth, shows a low correlation and a low share of voiced time with movement;
so does a person who hardly opens the mouth: weak evidence in both directions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiming.recognition.spoken_digits.features import SAMPLE_RATE, Samples
from shiming.recognition.spoken_digits.voice_activity import Span

GRID_S = 0.02
LAG_S_MAX = 0.4
LEVEL_RANGE_DB = 40.0
MOVEMENT_WINDOW_S = 0.4
MOVEMENT_MIN = 0.15  # of the 5-95 % range of the clip's opening
OVERLAP_S_MIN = 1.0
Curve = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LipSynchrony:
    """Correlation -1..1 at the best lag (positive: the sound comes later than the mouth).

    None: there was too little sound and face together to tell.
    """

    correlation: float | None
    lag_s: float | None
    voiced_with_movement_share: float | None

    def to_json(self) -> dict[str, Any]:
        """Return the three figures."""
        return {
            "correlation": self.correlation,
            "lag_s": self.lag_s,
            "voiced_with_movement_share": self.voiced_with_movement_share,
        }


UNKNOWN = LipSynchrony(None, None, None)


def lip_synchrony(
    times_s: Sequence[float], opening: Sequence[float], samples: Samples, speech: tuple[Span, ...]
) -> LipSynchrony:
    """Correlate a mouth-opening series with the loudness of the clip's sound; NaN openings are left out."""
    times, opened = np.asarray(times_s, np.float64), np.asarray(opening, np.float64)
    seen = np.isfinite(opened) & np.isfinite(times)
    if seen.sum() < 5 or not speech:
        return UNKNOWN
    times, opened = times[seen], opened[seen]
    end = min(float(times[-1]), len(samples) / SAMPLE_RATE)
    grid = np.arange(float(times[0]), end, GRID_S)
    if len(grid) * GRID_S < OVERLAP_S_MIN:
        return UNKNOWN
    mouth = smoothed(np.interp(grid, times, opened))
    loudness = smoothed(loudness_at(grid, samples))
    correlation, lag_s = best_correlation(mouth, loudness)
    voiced = np.zeros(len(grid), dtype=bool)
    for start, stop in speech:
        voiced |= (grid >= start) & (grid < stop)
    if not voiced.any() or correlation is None:
        return UNKNOWN
    share = float(moving(mouth)[voiced].mean())
    return LipSynchrony(round(correlation, 4), round(lag_s, 3), round(share, 4))


def loudness_at(grid: Curve, samples: Samples) -> Curve:
    """Return decibels in a 20 ms frame at each time, floored LEVEL_RANGE_DB below the loudest."""
    frame = int(GRID_S * SAMPLE_RATE)
    starts = np.clip((grid * SAMPLE_RATE).astype(int), 0, max(0, len(samples) - frame))
    power = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    mean = (power[np.minimum(starts + frame, len(samples))] - power[starts]) / frame
    decibels = 10 * np.log10(np.maximum(mean, 1e-12))
    return np.asarray(np.maximum(decibels, decibels.max() - LEVEL_RANGE_DB))


def smoothed(curve: Curve, width: int = 5) -> Curve:
    """Return a moving mean of 0.1 s."""
    padded = np.pad(curve, width // 2, mode="edge")
    return np.asarray(np.convolve(padded, np.full(width, 1.0 / width), "valid"))


def best_correlation(mouth: Curve, loudness: Curve) -> tuple[float | None, float]:
    """Return the greatest correlation over lags up to LAG_S_MAX, and its lag."""
    best, best_lag = None, 0
    for lag in range(-round(LAG_S_MAX / GRID_S), round(LAG_S_MAX / GRID_S) + 1):
        first = mouth[max(0, -lag) : len(mouth) - max(0, lag)]
        second = loudness[max(0, lag) : len(loudness) - max(0, -lag)]
        if len(first) * GRID_S < OVERLAP_S_MIN / 2 or first.std() < 1e-9 or second.std() < 1e-9:
            continue
        correlation = float(np.corrcoef(first, second)[0, 1])
        if best is None or correlation > best:
            best, best_lag = correlation, lag
    return best, best_lag * GRID_S


def moving(mouth: Curve) -> NDArray[np.bool_]:
    """Return where the opening changes within MOVEMENT_WINDOW_S by a good part of its whole range."""
    low, high = np.percentile(mouth, [5, 95])
    if high - low < 1e-6:
        return np.zeros(len(mouth), dtype=bool)
    half = round(MOVEMENT_WINDOW_S / GRID_S / 2)
    padded = np.pad(mouth, half, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    return np.asarray(windows.max(axis=1) - windows.min(axis=1) > MOVEMENT_MIN * (high - low))
