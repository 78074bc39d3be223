"""The signals of a clip, one entry a frame analysed: what the events are found in."""

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from shiming.recognition.eye_state import EyeReader
from shiming.recognition.face_mesh import Points, box_of_points, eye_distance_px
from shiming.recognition.face_tracking import TrackedFace
from shiming.recognition.head_pose import RIGID, HeadPose, pose_of
from shiming.recognition.measurements import Box, Image
from shiming.recognition.mouth_state import mouth_opening

Series = NDArray[np.float64]

#: Points kept of every frame: the rigid ones first, then some that move (lids, lips, brows, jaw).
KEPT_POINTS: Final = np.array(
    [
        *RIGID,
        0,
        13,
        14,
        17,
        46,
        52,
        58,
        61,
        65,
        78,
        136,
        145,
        159,
        276,
        282,
        288,
        291,
        295,
        308,
        365,
        374,
        386,
    ]
)
_CHANGE_STRIDE_PX: Final = 4  # every fourth pixel either way is enough to see that nothing moves
_CUT_CHANGE: Final = 40.0  # mean step between frames that only a cut makes


@dataclass(frozen=True, slots=True)
class Signals:
    """One entry a frame analysed; NaN where no face was seen. Times ascend, seconds."""

    times_s: Series
    yaw: Series  # degrees, positive = the person's own left
    pitch: Series
    roll: Series
    eyes: Series = field(repr=False)  # (n, 2) right, left
    mouth: Series = field(repr=False)
    width_px: Series = field(repr=False)
    change: Series = field(repr=False)  # mean step of the face's place since the frame before
    places: NDArray[np.float32] = field(repr=False)  # (n, k, 2) in units of the eye distance
    faces_seen: tuple[tuple[float, int], ...] = ()  # (time, faces) where the detector looked

    @property
    def rigid_places(self) -> NDArray[np.float32]:
        """Return the places of the points that do not move with expression."""
        return self.places[:, : len(RIGID)]

    @property
    def present(self) -> NDArray[np.bool_]:
        """Return where a face was tracked."""
        return ~np.isnan(self.yaw)


class SignalRecorder:
    """Collects the signals of one clip in one pass; keeps numbers only, and the last frame."""

    def __init__(self, eyes: EyeReader) -> None:
        self._eyes = eyes
        self._rows: list[tuple[float, ...]] = []
        self._places: list[NDArray[np.float32]] = []
        self._faces: list[tuple[float, int]] = []
        self._last: Image | None = None
        self._box: Box | None = None
        self.face_seen = False

    def change_of(self, image: Image) -> float:
        """Return how much the face's place has changed since the frame before, 0..255; NaN for the first."""
        last, self._last = self._last, image
        if last is None or last.shape != image.shape:
            return float("nan")
        return float(cv2.absdiff(_sampled(last, self._box), _sampled(image, self._box)).mean())

    def record(self, time_s: float, image: Image, tracked: TrackedFace, change: float) -> HeadPose | None:
        """Record one frame and return its pose, if it shows a face."""
        if tracked.faces_seen is not None:
            self._faces.append((time_s, tracked.faces_seen))
        if tracked.points is None:
            self._rows.append((time_s, *[float("nan")] * 7, change))
            self._places.append(np.full((len(KEPT_POINTS), 2), np.nan, np.float32))
            self._box = None
            return None
        self.face_seen = True
        points, pose = tracked.points, pose_of(tracked.points)
        self._box = box_of_points(points)
        right, left = self._eyes.openness(image, points)
        self._rows.append(
            (
                time_s,
                pose.yaw,
                pose.pitch,
                pose.roll,
                right,
                left,
                mouth_opening(points),
                float(self._box[2]),
                change,
            )
        )
        self._places.append(_in_eye_distances(points))
        return pose

    def forget_since(self, time_s: float) -> None:
        """Mark the rows since then as without a face: the track had slipped off it."""
        for at in range(len(self._rows) - 1, -1, -1):
            row_time_s, change = self._rows[at][0], self._rows[at][-1]
            if row_time_s < time_s:
                return
            self._rows[at] = (row_time_s, *[float("nan")] * 7, change)
            self._places[at] = np.full((len(KEPT_POINTS), 2), np.nan, np.float32)

    def yaw_so_far(self) -> Series:
        """Return the yaw of the frames recorded until now; NaN where no face was seen."""
        return np.asarray([row[1] for row in self._rows], np.float64)

    def signals(self) -> Signals:
        """Return what was recorded."""
        table = np.asarray(self._rows, np.float64).reshape(-1, 9).T
        return Signals(
            times_s=table[0],
            yaw=table[1],
            pitch=table[2],
            roll=table[3],
            eyes=table[4:6].T,
            mouth=table[6],
            width_px=table[7],
            change=table[8],
            places=np.asarray(self._places, np.float32).reshape(-1, len(KEPT_POINTS), 2),
            faces_seen=tuple(self._faces),
        )


def is_cut(change: float) -> bool:
    """Say whether a change between two frames is so large that the picture was cut."""
    return change > _CUT_CHANGE


def _sampled(image: Image, box: Box | None) -> Image:
    """Return the green pixels of a face's place at a stride; of the whole frame without a face."""
    left, top, width, height = box or (0, 0, image.shape[1], image.shape[0])
    rows = slice(max(top, 0), max(top, 0) + max(height, 8), _CHANGE_STRIDE_PX)
    columns = slice(max(left, 0), max(left, 0) + max(width, 8), _CHANGE_STRIDE_PX)
    part = image[rows, columns, 1]
    if part.size == 0:
        part = image[::_CHANGE_STRIDE_PX, ::_CHANGE_STRIDE_PX, 1]
    return np.ascontiguousarray(part)


def _in_eye_distances(points: Points) -> NDArray[np.float32]:
    return np.asarray(points[KEPT_POINTS, :2] / max(eye_distance_px(points), 1.0), np.float32)
