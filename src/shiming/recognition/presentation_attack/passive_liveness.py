"""A net's opinion whether a face is live, 1, or a replayed picture, 0. Advisory: it misses clean screens."""

from typing import Final

import cv2
import numpy as np

from shiming.recognition.face_mesh import Points, box_of_points
from shiming.recognition.inference import ModelRuntime
from shiming.recognition.measurements import Box, Image

SIDE_PX: Final = 128
#: The net judges the face with its surroundings: hands, a frame, the edge of a screen.
CROP_SCALE: Final = 2.7


class PassiveLiveness:
    """Scores a frame; safe for threads."""

    def __init__(self, runtime: ModelRuntime) -> None:
        self._model = runtime.onnx("passive_liveness")
        self.use = self._model.use

    def live_score(self, image: Image, points: Points) -> float:
        """Return the probability of "live", 0..1; class 0 of the net, on BGR 0..255."""
        left, top, width, height = surroundings(box_of_points(points), image.shape[1], image.shape[0])
        crop = cv2.resize(image[top : top + height, left : left + width], (SIDE_PX, SIDE_PX))
        logits = self._model(crop.astype(np.float32).transpose(2, 0, 1)[None])[0].ravel().astype(np.float64)
        odds = np.exp(logits - logits.max())
        return float(odds[0] / odds.sum())


def surroundings(face: Box, image_width: int, image_height: int) -> Box:
    """Return the box of the face enlarged by `CROP_SCALE` and moved inside the picture.

    >>> surroundings((100, 100, 50, 50), 640, 480)
    (57, 57, 136, 136)
    >>> surroundings((0, 0, 50, 50), 640, 480)
    (0, 0, 136, 136)
    """
    x, y, width, height = face
    scale = min((image_width - 1) / max(width, 1), (image_height - 1) / max(height, 1), CROP_SCALE)
    wide, high = width * scale, height * scale
    left = min(max(x + width / 2 - wide / 2, 0), image_width - 1 - wide)
    top = min(max(y + height / 2 - high / 2, 0), image_height - 1 - high)
    first, last = (int(left), int(top)), (int(left + wide), int(top + high))
    return first[0], first[1], last[0] - first[0] + 1, last[1] - first[1] + 1
