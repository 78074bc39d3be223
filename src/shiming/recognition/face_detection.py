"""Find faces in a picture: MediaPipe BlazeFace, the near-range net first, slower nets only if it sees none.

A net answers for fixed anchors with a box, six key points (the person's right eye, left eye, nose tip,
mouth, right ear, left ear) and a score. Overlapping answers are blended by their scores, as the authors
of BlazeFace propose, instead of keeping only the best one: the box then jitters less from frame to frame.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from shiming.recognition.inference import LiteRtModel, ModelRuntime, Tensor
from shiming.recognition.measurements import Box, Image

Points = NDArray[np.float32]

#: One side more than this is shrunk once before the nets see it; a full-size photo would only cost time.
DETECTION_SIDE_PX_MAX = 640
OVERLAP_SAME_FACE = 0.3  # intersection over union above which two answers mean one face
RIGHT_EYE, LEFT_EYE = 0, 1


@dataclass(frozen=True, slots=True)
class FaceBox:
    """A face found in a picture: box in pixels, six key points (6, 2) in pixels, score 0..1."""

    box: Box
    keypoints: Points = field(repr=False)
    score: float

    @property
    def centre(self) -> tuple[float, float]:
        """Return the middle of the box."""
        x, y, width, height = self.box
        return x + width / 2, y + height / 2

    @property
    def side_px(self) -> int:
        """Return the longer side of the box."""
        return max(self.box[2], self.box[3])


@dataclass(frozen=True, slots=True)
class _Net:
    """One BlazeFace: its model, input side and anchor layout as (stride, anchors a cell)."""

    model: str
    side: int
    layout: tuple[tuple[int, int], ...]
    score_min: float


_CASCADE = (
    _Net("face_detection_short", 128, ((8, 2), (16, 6)), 0.5),
    _Net("face_detection_full", 192, ((4, 1),), 0.5),
    _Net("face_detection_back", 256, ((16, 2), (32, 6)), 0.5),
)


class FaceDetector:
    """Detects faces; the nets load on first use, are kept, and may be used by several threads."""

    def __init__(self, runtime: ModelRuntime) -> None:
        self._runtime = runtime

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        """Return the faces, the largest first; the first net that sees any face answers."""
        small, scale = _shrunk(image)
        for net in _CASCADE:
            faces = _run(self._runtime.litert(net.model), net, small, scale)
            if faces:
                return faces
        return ()

    def detect_near(self, image: Image) -> tuple[FaceBox, ...]:
        """Return what the fast near-range net alone sees, the largest first."""
        small, scale = _shrunk(image)
        return _run(self._runtime.litert(_CASCADE[0].model), _CASCADE[0], small, scale)


def overlap(first: Box, second: Box) -> float:
    """Return intersection over union of two boxes.

    >>> overlap((0, 0, 10, 10), (5, 0, 10, 10))
    0.3333333333333333
    >>> overlap((0, 0, 10, 10), (20, 0, 10, 10))
    0.0
    """
    width = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    height = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    common = max(width, 0) * max(height, 0)
    whole = first[2] * first[3] + second[2] * second[3] - common
    return common / whole if whole > 0 else 0.0


def _shrunk(image: Image) -> tuple[Image, float]:
    height, width = image.shape[:2]
    scale = min(1.0, DETECTION_SIDE_PX_MAX / max(height, width, 1))
    if scale == 1.0:
        return image, 1.0
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _run(model: LiteRtModel, net: _Net, image: Image, scale: float) -> tuple[FaceBox, ...]:
    tensor, ratio, offset = _letterboxed(image, net.side)
    boxes, logits = model(tensor)
    scores = 1 / (1 + np.exp(-np.clip(logits[0, :, 0].astype(np.float64), -80, 80)))
    seen = scores > net.score_min
    if not seen.any():
        return ()
    raw, anchors, scores = boxes[0][seen].astype(np.float64), _anchors(net)[seen], scores[seen]
    to_pixels = 1 / (ratio * scale)
    centres = (raw[:, :2] + anchors * net.side - offset) * to_pixels
    halves = raw[:, 2:4] * to_pixels / 2
    points = (raw[:, 4:].reshape(-1, 6, 2) + anchors[:, None] * net.side - offset) * to_pixels
    corners = np.concatenate([centres - halves, centres + halves], axis=1)
    faces = sorted(_blended(corners, points, scores), key=lambda face: -face.side_px)
    return tuple(faces)


def _letterboxed(image: Image, side: int) -> tuple[Tensor, float, NDArray[np.float64]]:
    height, width = image.shape[:2]
    ratio = side / max(height, width)
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    shrunk = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    padded = np.zeros((side, side, 3), np.float32)
    padded[top : top + size[1], left : left + size[0]] = shrunk[..., ::-1]
    return (padded / np.float32(127.5) - 1)[None], ratio, np.array([left, top], np.float64)


@cache
def _anchors(net: _Net) -> NDArray[np.float64]:
    """Return the anchor centres (n, 2), 0..1, in the order of the net's answers."""
    rows: list[NDArray[np.float64]] = []
    for stride, anchors_a_cell in net.layout:
        cells = net.side // stride
        line = (np.arange(cells) + 0.5) / cells
        grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
        rows.append(np.repeat(grid, anchors_a_cell, axis=0))
    return np.concatenate(rows)


def _blended(
    corners: NDArray[np.float64], points: NDArray[np.float64], scores: NDArray[np.float64]
) -> Iterator[FaceBox]:
    """Blend answers that overlap the best one, weighted by score; then go on with the rest."""
    order = np.argsort(-scores)
    while order.size:
        best = order[0]
        same = _overlaps(corners[best], corners[order]) > OVERLAP_SAME_FACE
        same[0] = True
        group, order = order[same], order[~same]
        weights = scores[group] / scores[group].sum()
        left, top, right, bottom = weights @ corners[group]
        keypoints = np.tensordot(weights, points[group], axes=1).astype(np.float32)
        box = round(left), round(top), round(right - left), round(bottom - top)
        yield FaceBox(box=box, keypoints=keypoints, score=float(scores[best]))


def _overlaps(one: NDArray[np.float64], many: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = np.maximum(one[:2], many[:, :2]), np.minimum(one[2:], many[:, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=1)
    area = float(np.prod(one[2:] - one[:2])) + np.prod(many[:, 2:] - many[:, :2], axis=1) - common
    ratio: NDArray[np.float64] = common / np.maximum(area, 1e-9)
    return ratio
