"""The few frames of a clip that are kept for comparison: the best of each stretch of time.

Memory is bounded: one frame a stretch, at most `STRETCHES_MAX` of them, whatever the length of the clip.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np

from shiming.recognition.face_mesh import Points
from shiming.recognition.face_quality import aligned, sharpness_of
from shiming.recognition.head_pose import HeadPose
from shiming.recognition.measurements import Image

STRETCHES_MAX: Final = 20
STRETCH_S_MIN: Final = 0.5
OFFERS_APART_S: Final = 0.09  # neighbouring frames are much the same
#: Beyond this pose a frame is kept only if its stretch has none better.
_POSE_SPREAD_DEGREES: Final = 10.0
_NEAR_NEUTRAL_DEGREES: Final = 8.0


@dataclass(frozen=True, slots=True)
class KeptFrame:
    """A frame of the analysis size with its mesh."""

    time_s: float
    image: Image = field(repr=False)
    points: Points = field(repr=False)
    pose: HeadPose
    sharpness: float
    worth: float


class FrameKeeper:
    """Offers are made for every frame; the best frame of each stretch of time is kept.

    Where a header states no duration (a recording that is still being made), stretches begin short, and two
    become one whenever there would be too many: what is kept does not depend on what a header could know.
    """

    def __init__(self, duration_s: float) -> None:
        self._stretch_s = max(STRETCH_S_MIN, duration_s / STRETCHES_MAX)
        self._may_widen = duration_s <= 0
        self._kept: dict[int, KeptFrame] = {}
        self._next_s = 0.0
        self._present = 0

    def offer(self, time_s: float, image: Image, points: Points, pose: HeadPose) -> KeptFrame | None:
        """Keep the frame if it is the best of its stretch: sharp and looking about into the camera.

        Returns the best frame of the stretch before, once this one begins another.
        """
        if time_s < self._next_s:
            return None
        self._next_s = time_s + OFFERS_APART_S
        while self._may_widen and time_s >= self._stretch_s * STRETCHES_MAX:
            self._widen()
        stretch = min(int(time_s / self._stretch_s), STRETCHES_MAX)
        closed = self._kept.get(self._present) if stretch != self._present else None
        self._present = stretch
        pose_worth = math.exp(-0.5 * (math.hypot(pose.yaw, pose.roll / 2) / _POSE_SPREAD_DEGREES) ** 2)
        held = self._kept.get(stretch)
        if held is not None and pose_worth * _SHARP_ENOUGH <= held.worth:
            return closed
        sharpness = sharpness_of(grey_of(aligned(image, points)))
        worth = pose_worth * min(sharpness, _SHARP_ENOUGH)
        if held is None or worth > held.worth:
            self._kept[stretch] = KeptFrame(time_s, image, points, pose, sharpness, worth)
        return closed

    def forget_since(self, time_s: float) -> None:
        """Drop what was kept since then: the track had slipped off the face."""
        self._kept = {stretch: frame for stretch, frame in self._kept.items() if frame.time_s < time_s}

    def frames(self) -> tuple[KeptFrame, ...]:
        """Return the kept frames in order of time."""
        return tuple(self._kept[stretch] for stretch in sorted(self._kept))

    def _widen(self) -> None:
        """Let each two stretches become one that keeps the better frame."""
        self._stretch_s, self._present = 2 * self._stretch_s, self._present // 2
        wider: dict[int, KeptFrame] = {}
        for stretch, frame in self._kept.items():
            other = wider.get(stretch // 2)
            if other is None or frame.worth > other.worth:
                wider[stretch // 2] = frame
        self._kept = wider


#: More sharpness than this does not make a frame better.
_SHARP_ENOUGH: Final = 400.0


def neutral_frames(frames: Sequence[KeptFrame], neutral_yaw: float, count: int) -> tuple[KeptFrame, ...]:
    """Return up to `count` sharp frames near the neutral pose, best first, at least one if any."""
    near = [frame for frame in frames if abs(frame.pose.yaw - neutral_yaw) <= _NEAR_NEUTRAL_DEGREES]
    if not near:
        near = sorted(frames, key=lambda frame: abs(frame.pose.yaw - neutral_yaw))[:1]
    return tuple(sorted(near, key=lambda frame: -frame.worth)[:count])


def grey_of(image: Image) -> Image:
    """Return the grey picture."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
