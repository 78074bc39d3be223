"""Does a stretch of the clip come again? A loop repeats the place of every landmark; people do not."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]

WINDOW_S: Final = 0.4
LAG_S_MIN: Final = 1.0


@dataclass(frozen=True, slots=True)
class Repetition:
    """The two most alike stretches more than a second apart; distance in units of the eye distance."""

    distance: float
    first_s: float
    again_s: float
    seconds: float


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
    best = Repetition(np.inf, 0.0, 0.0, window * step_s)
    for lag in range(lag_min, count - window + 1):
        apart = np.abs(flat[lag:] - flat[:-lag]).mean(axis=1)
        sums = np.cumsum(np.concatenate([[0.0], apart]))
        means = (sums[window:] - sums[:-window]) / window
        at = int(np.argmin(means))
        if means[at] < best.distance:
            best = Repetition(float(means[at]), float(times_s[at]), float(times_s[at + lag]), window * step_s)
    return best
