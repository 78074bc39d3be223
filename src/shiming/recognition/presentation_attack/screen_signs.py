"""Signs that the camera looks at a screen: a regular fine pattern on the skin, a straight frame around it.

Both are advisory. A clean screen shows neither; a striped wall may show the second.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from shiming.recognition.face_mesh import Points, box_of_points
from shiming.recognition.measurements import Image

_PATCH_PX: Final = 128
#: Rings of the spectrum, in cycles a patch: bands of a beating raster. Slower is the face itself; faster is
#: camera noise, and what the video codec drops from a screen's raster and adds of its own.
_RINGS: Final = (4, 24)
_RING_WIDTH: Final = 4
_PEAK_PLAIN: Final = 6.0  # peak over the ring's median: skin, also strongly compressed, stays below
_PEAK_STRONG: Final = 12.0
_BLOCK_PX: Final = 8  # codecs leave a grid of this pitch, whose harmonics are no sign
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


def peak_strength(patch: NDArray[np.float32]) -> float:
    """Return how far the strongest frequency stands out of its ring, 0..1."""
    rows, columns = patch.shape
    window = np.outer(np.hanning(rows), np.hanning(columns))
    smooth = cv2.GaussianBlur(patch, (0, 0), 6)
    spectrum = np.abs(np.fft.fftshift(np.fft.fft2((patch - smooth) * window)))
    y, x = np.indices(spectrum.shape)
    down, across = np.abs(y - rows // 2), np.abs(x - columns // 2)
    radius = np.hypot(down * _PATCH_PX / rows, across * _PATCH_PX / columns).astype(int)
    plain = ~(((across < 2) & _harmonic(down, rows)) | ((down < 2) & _harmonic(across, columns)))
    worst = 0.0
    for ring in range(*_RINGS, _RING_WIDTH):
        inside = (radius >= ring) & (radius < ring + _RING_WIDTH)
        median = max(float(np.median(spectrum[inside])), 1e-6)
        worst = max(worst, float(spectrum[inside & plain].max(initial=0.0)) / median)
    return float(np.clip((worst - _PEAK_PLAIN) / (_PEAK_STRONG - _PEAK_PLAIN), 0.0, 1.0))


def _harmonic(frequency: NDArray[np.int_], length: int) -> NDArray[np.bool_]:
    """Say which frequencies of an axis belong to the codec's block grid."""
    pitch = length / _BLOCK_PX
    away = np.abs(frequency - np.round(frequency / pitch) * pitch)
    return np.asarray((away < 1.5) & (frequency > pitch / 2), np.bool_)


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
