"""How far the eyes are open, by MediaPipe's iris net, and blinks in a series of that opening.

The face mesh itself cannot see blinks (its eye ratio found 6 of 58); the lids of the iris net can (55 of 58).
An eye's openness is the mean distance of the lids / the distance of its corners.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shiming.recognition.face_mesh import (
    LEFT_EYE_INNER,
    LEFT_EYE_OUTER,
    RIGHT_EYE_INNER,
    RIGHT_EYE_OUTER,
    Points,
    Region,
    crop_affine,
    crop_tensor,
)
from shiming.recognition.inference import ModelRuntime, Tensor
from shiming.recognition.measurements import Image

Series = NDArray[np.floating[Any]]

SIDE_PX: Final = 64
REGION_MARGIN: Final = 2.3
_LEVEL_STRIDE: Final = 5
_LID_ROWS: Final = (3, 4, 5)  # upper lid points; the lower lid's are 8 further


class EyeReader:
    """Reads the opening of both eyes; safe for threads."""

    def __init__(self, runtime: ModelRuntime) -> None:
        self._model = runtime.litert("iris")

    def openness(self, image: Image, points: Points) -> tuple[float, float]:
        """Return the openness of the person's right and left eye, each about 0 (closed) .. 0.4."""
        return (
            self._one(image, points[RIGHT_EYE_OUTER], points[RIGHT_EYE_INNER], mirrored=False),
            self._one(image, points[LEFT_EYE_INNER], points[LEFT_EYE_OUTER], mirrored=True),
        )

    def _one(self, image: Image, start: Points, end: Points, *, mirrored: bool) -> float:
        """Read one eye between its corners; the net knows right eyes, so a left eye is mirrored."""
        across = end[:2] - start[:2]
        region = Region(
            centre=(float(start[0] + end[0]) / 2, float(start[1] + end[1]) / 2),
            side_px=max(math.hypot(float(across[0]), float(across[1])) * REGION_MARGIN, 1.0),
            angle_degrees=math.degrees(math.atan2(float(across[1]), float(across[0]))),
        )
        tensor = crop_tensor(image, crop_affine(region, SIDE_PX), SIDE_PX)
        if mirrored:
            tensor = np.ascontiguousarray(tensor[:, :, ::-1])
        return lid_opening(self._model(tensor)[0])


def lid_opening(contour: Tensor) -> float:
    """Return the openness of the net's eye contour (71 points of x, y, z)."""
    points = contour.reshape(71, 3)[:, :2].astype(np.float64)
    width = float(np.hypot(*(points[0] - points[8])))
    gaps = [float(np.hypot(*(points[row] - points[row + 8]))) for row in _LID_ROWS]
    return sum(gaps) / len(gaps) / width if width > 0 else 0.0


@dataclass(frozen=True, slots=True)
class ClosureRule:
    """When a dip of the openness counts as closed eyes, and how long a blink may last."""

    closed_ratio: float = 0.60  # of the open level
    open_percentile: float = 80.0
    open_window_s: float = 2.0  # to either side
    blink_s_min: float = 0.0  # one frame at 15 fps or more is enough
    blink_s_max: float = 0.6
    merge_gap_s: float = 0.08


@dataclass(frozen=True, slots=True)
class Closure:
    """A time with closed eyes; `depth` is the least openness / open level."""

    start_s: float
    end_s: float
    depth: float

    @property
    def seconds(self) -> float:
        """Return how long the eyes stayed closed."""
        return self.end_s - self.start_s


def open_level(times_s: Series, openness: Series, rule: ClosureRule) -> NDArray[np.float64]:
    """Return the rolling open level: a high percentile of the openness around each instant."""
    # The level changes slowly: every few samples are enough, with straight lines between them.
    places = np.unique(np.append(np.arange(0, len(times_s), _LEVEL_STRIDE), len(times_s) - 1))
    starts = np.searchsorted(times_s, times_s[places] - rule.open_window_s, side="left")
    ends = np.searchsorted(times_s, times_s[places] + rule.open_window_s, side="right")
    levels = [
        np.percentile(openness[start:end], rule.open_percentile)
        for start, end in zip(starts, ends, strict=True)
    ]
    return np.interp(times_s, times_s[places], levels)


def closures(times_s: Series, openness: Series, rule: ClosureRule) -> tuple[Closure, ...]:
    """Return all closures of a series without gaps (times ascending, no NaN), blinks and longer ones."""
    if len(times_s) == 0:
        return ()
    ratio = openness / np.maximum(open_level(times_s, openness, rule), 1e-6)
    closed = np.concatenate([[False], ratio < rule.closed_ratio, [False]])
    edges = np.flatnonzero(np.diff(closed.astype(np.int8)))
    found: list[Closure] = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        dip = Closure(float(times_s[start]), float(times_s[end - 1]), float(ratio[start:end].min()))
        if found and dip.start_s - found[-1].end_s <= rule.merge_gap_s:
            last = found.pop()
            dip = Closure(last.start_s, dip.end_s, min(last.depth, dip.depth))
        found.append(dip)
    return tuple(found)
