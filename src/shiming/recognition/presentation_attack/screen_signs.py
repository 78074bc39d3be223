"""Signs that the camera looks at a screen: a regular fine pattern on the skin, a straight frame around it.

Both are advisory. A clean screen shows neither; a striped wall may show the second.
"""

from typing import Final

import cv2
import numpy as np

from shiming.recognition.face_mesh import Points, box_of_points
from shiming.recognition.measurements import Image

_PATCH_PX: Final = 128
#: Rings of the spectrum, in cycles a patch: below is the face itself, above is camera noise and codec.
_RING: Final = (10, 60)
_PEAK_PLAIN: Final = 4.0  # peak over the ring's own median where skin still is skin
_PEAK_STRONG: Final = 14.0
_FRAME_SIDE_PX: Final = 320
_LINE_SHARE_MIN: Final = 0.5  # of the picture's side


def moire(image: Image, points: Points) -> float:
    """Return 0 (none) .. 1 (strong): how far single frequencies stand out of the face's spectrum."""
    left, top, width, height = box_of_points(points)
    side = min(width, height)
    x, y = max(left + (width - side) // 2, 0), max(top + (height - side) // 2, 0)
    part = image[y : y + side, x : x + side]
    if min(part.shape[:2]) < _PATCH_PX // 2:
        return 0.0
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).astype(np.float32)
    start_y, start_x = ((length - min(length, _PATCH_PX)) // 2 for length in grey.shape)
    patch = grey[start_y : start_y + _PATCH_PX, start_x : start_x + _PATCH_PX]
    return peak_strength(patch)


def peak_strength(patch: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> float:
    """Return how far the strongest frequency stands out of its ring, 0..1."""
    rows, columns = patch.shape
    window = np.outer(np.hanning(rows), np.hanning(columns))
    smooth = cv2.GaussianBlur(patch, (0, 0), 6)
    spectrum = np.abs(np.fft.fftshift(np.fft.fft2((patch - smooth) * window)))
    y, x = np.indices(spectrum.shape)
    radius = np.hypot((y - rows // 2) * _PATCH_PX / rows, (x - columns // 2) * _PATCH_PX / columns)
    rings = radius.astype(int)
    worst = 0.0
    for ring in range(_RING[0], _RING[1], 4):
        values = spectrum[(rings >= ring) & (rings < ring + 4)]
        worst = max(worst, float(values.max() / max(float(np.median(values)), 1e-6)))
    return float(np.clip((worst - _PEAK_PLAIN) / (_PEAK_STRONG - _PEAK_PLAIN), 0.0, 1.0))


def frame_edges(image: Image, points: Points) -> float:
    """Return the share of the four sides around the face on which a long straight edge runs, 0..1."""
    scale = _FRAME_SIDE_PX / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    edges = cv2.Canny(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), 60, 160)
    least = round(min(small.shape[:2]) * _LINE_SHARE_MIN)
    lines = cv2.HoughLinesP(edges, 1, np.pi / 360, threshold=least // 2, minLineLength=least, maxLineGap=6)
    if lines is None:
        return 0.0
    left, top, width, height = (value * scale for value in box_of_points(points))
    sides: set[str] = set()
    for x1, y1, x2, y2 in lines.reshape(-1, 4).astype(float):
        if abs(x2 - x1) < abs(y2 - y1) * 0.27:  # within 15 degrees of upright
            middle = (x1 + x2) / 2
            sides |= {"left"} if middle < left else {"right"} if middle > left + width else set()
        elif abs(y2 - y1) < abs(x2 - x1) * 0.27:
            middle = (y1 + y2) / 2
            sides |= {"top"} if middle < top else {"bottom"} if middle > top + height else set()
    return len(sides) / 4
