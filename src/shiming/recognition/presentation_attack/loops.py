"""Does a stretch of the clip come again? A loop repeats the place of every landmark; people do not."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]

#: A shorter stretch of a calm person repeats by chance (0.4 s: 0.008; 0.8 s: 0.016 at least in the study).
WINDOW_S: Final = 0.8
LAG_S_MIN: Final = 1.0


@dataclass(frozen=True, slots=True)
class Repetition:
    """The two most alike stretches more than a second apart; distance in units of the eye distance."""

    distance: float
    first_s: float
    again_s: float
    seconds: float
    movement: float  # mean distance of the stretch from its own mean place, same unit


def closest_repetition(times_s: Series, places: NDArray[np.float32]) -> Repetition | None:
    """Return the closest repetition of a stretch; `places` (n, k, 2) without NaN. None if the clip is short.

    Distances are absolute places: a calm person drifts, a repeated recording does not.
    """
    count = len(times_s)
    if count < 4:
        return None
    step_s = float(np.median(np.diff(times_s)))
    window = max(4, round(WINDOW_S / max(step_s, 1e-3)))
    lag_min = max(window, round(LAG_S_MIN / max(step_s, 1e-3)))
    if count < lag_min + window:
        return None
    flat = places.reshape(count, -1)
    least, place = np.inf, (0, 0)
    for lag in range(lag_min, count - window + 1):
        apart = np.abs(flat[lag:] - flat[:-lag]).mean(axis=1)
        sums = np.cumsum(np.concatenate([[0.0], apart]))
        means = (sums[window:] - sums[:-window]) / window
        at = int(np.argmin(means))
        if means[at] < least:
            least, place = float(means[at]), (at, at + lag)
    first, again = place
    stretch = flat[first : first + window]
    movement = float(np.abs(stretch - stretch.mean(axis=0)).mean())
    return Repetition(least, float(times_s[first]), float(times_s[again]), window * step_s, movement)
