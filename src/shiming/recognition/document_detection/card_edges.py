"""Find the outline of cards in a photo: four straight sides of about the right proportions.

Outlines come from several pictures of the same scene (grey, saturation, two colour axes; edges and
thresholds), because no single one separates every card from every table. The text decides between them:
a card holds its text, and its sides run along or across it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from shiming.recognition.document_detection.text_geometry import direction_degrees
from shiming.recognition.images import reduced
from shiming.recognition.measurements import Image
from shiming.recognition.text_recognition import Floats, Line

CARD_ASPECT = 85.6 / 54  # ISO/IEC 7810 ID-1
WORKING_SIDE_PX = 640
_AREA_SHARE_MIN = 0.06
_ASPECT_RANGE = (1.0, 2.3)  # of the picture of a card, before perspective is undone
_FILLED_MIN = 0.9  # outline area / quadrilateral area
_OWN_TEXT_MIN = 0.7
_EDGES_MIN = 0.25
_SIDE_TO_TEXT_DEGREES_MAX = 22.0
_OVERLAP_SAME_CARD = 0.3
_SURE_SCORE, _SURE_TEXT, _LINES_OF_A_CARD, _SAME_SIZE = 2.0, 0.9, 4, 0.45
_SCAN_RATIO_MAX, _SCAN_EDGES = 1.1, 0.3  # a card whose own edges are seen is preferred
_SAME_CORNERS_PX = 3.0  # of the working picture
_DENSE_STEP_PX = 3.0


@dataclass(frozen=True, slots=True)
class CardOutline:
    """A quadrilateral: corners (4, 2) in pixels, in turn; score of how much it looks like a card."""

    corners: Floats = field(repr=False)
    score: float
    text_share: float


def find_cards(image: Image, lines: Sequence[Line]) -> tuple[CardOutline, ...]:
    """Return the outlines of separate cards, the best first; corners clockwise from any corner."""
    small = reduced(image, WORKING_SIDE_PX)
    scale = image.shape[1] / small.shape[1]
    shrunk = [Line((line.corners / scale).astype(np.float32), line.score) for line in lines]
    gradient = _gradient(small)
    found = [
        outline
        for corners in _quadrilaterals(small)
        if (outline := _judged(corners, shrunk, gradient)) is not None
    ]
    found += _whole_picture(small, shrunk)
    separate: list[CardOutline] = []
    for outline in sorted(found, key=lambda one: -one.score):
        if all(_overlap(outline.corners, other.corners) < _OVERLAP_SAME_CARD for other in separate):
            separate.append(outline)
    return tuple(CardOutline(one.corners * scale, one.score, one.text_share) for one in separate)


def cards_seen(outlines: Sequence[CardOutline], lines: Sequence[Line], found: Floats) -> int:
    """Count outlines with text of their own that are as large as the card that was read."""
    card = found.astype(np.float32)
    area = cv2.contourArea(card)
    others = [
        outline
        for outline in outlines
        if outline.score > _SURE_SCORE
        and outline.text_share > _SURE_TEXT
        and len(lines_inside(outline.corners, lines)) >= _LINES_OF_A_CARD
        and _SAME_SIZE * area < cv2.contourArea(outline.corners.astype(np.float32)) < area / _SAME_SIZE
        and _overlap(outline.corners, card) < _OVERLAP_SAME_CARD
    ]
    return 1 + len(others)


def _quadrilaterals(image: Image) -> Iterator[Floats]:
    area_min = _AREA_SHARE_MIN * image.shape[0] * image.shape[1]
    seen: list[Floats] = []
    for mask in _masks(image):
        outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        for outline in outlines:
            if len(outline) < 60:
                continue
            hull = cv2.convexHull(outline)
            if cv2.contourArea(hull) < area_min:
                continue
            rough = _four_corners(hull)
            if rough is None or any(np.abs(rough - other).max() < _SAME_CORNERS_PX for other in seen):
                continue
            seen.append(rough)
            corners = _sides_fitted(rough, hull)
            if _FILLED_MIN < cv2.contourArea(hull) / max(cv2.contourArea(corners), 1.0) < 1.1:
                yield corners


def _channels(image: Image) -> list[Image]:
    lab = cv2.cvtColor(image, cv2.COLOR_BGR2LAB)
    saturation = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)[..., 1]
    planes = [lab[..., 0], saturation, lab[..., 1], lab[..., 2]]
    return [np.asarray(cv2.medianBlur(np.ascontiguousarray(plane), 5), np.uint8) for plane in planes]


def _masks(image: Image) -> Iterator[Image]:
    kernel = np.ones((3, 3), np.uint8)
    for index, plane in enumerate(_channels(image)):
        stretched = (
            cv2.normalize(plane, np.empty_like(plane), 0, 255, cv2.NORM_MINMAX) if index > 1 else plane
        )
        for high in (160, 80, 40):
            edges = cv2.Canny(stretched, high / 2.5, high)
            yield np.asarray(cv2.dilate(edges, kernel), np.uint8)
        _, dark = cv2.threshold(stretched, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        closed = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
        yield np.asarray(closed, np.uint8)
        opened = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
        yield np.asarray(255 - opened, np.uint8)


def _four_corners(hull: NDArray[Any]) -> Floats | None:
    """Return the four corners of a hull that is about a quadrilateral, the top left one first."""
    length = cv2.arcLength(hull, closed=True)
    for tolerance in (0.02, 0.035, 0.05):
        rough = cv2.approxPolyDP(hull, tolerance * length, closed=True)[:, 0].astype(np.float32)
        if len(rough) == 4:
            return np.roll(rough, -int(np.argmin(rough.sum(axis=1))), axis=0)
    return None


def _sides_fitted(rough: Floats, hull: NDArray[Any]) -> Floats:
    """Fit a line to the middle of each side and return where neighbours meet, clockwise.

    A card's corners are round: only the middle of a side tells where it runs.
    """
    points = _dense(hull[:, 0].astype(np.float32))
    sides = []
    for start, end in zip(rough, np.roll(rough, -1, axis=0), strict=True):
        along = end - start
        place = ((points - start) @ along) / max(float(along @ along), 1e-6)
        offset = np.abs((points - start) @ np.array((-along[1], along[0]), np.float32))
        near = (place > 0.15) & (place < 0.85) & (offset / max(float(np.linalg.norm(along)), 1e-6) < 6)
        chosen = points[near] if near.sum() >= 8 else np.array([start, end])
        sides.append(cv2.fitLine(chosen, cv2.DIST_HUBER, 0, 0.01, 0.01).ravel())
    corners = np.array([_meeting(sides[i - 1], sides[i]) for i in range(4)], np.float32)
    if not np.isfinite(corners).all() or np.abs(corners - rough).max() > 60:
        corners = rough
    return corners if cv2.contourArea(corners, oriented=True) > 0 else corners[::-1].copy()


def _dense(points: Floats) -> Floats:
    """Put a point on about every third pixel of a closed polygon."""
    closed = np.concatenate([points, points[:1]])
    lengths = np.hypot(*np.diff(closed, axis=0).T)
    at = np.concatenate([[0.0], np.cumsum(lengths)])
    places = np.arange(0.0, float(at[-1]), _DENSE_STEP_PX)
    return np.stack([np.interp(places, at, closed[:, axis]) for axis in (0, 1)], axis=1).astype(np.float32)


def _meeting(first: NDArray[Any], second: NDArray[Any]) -> tuple[float, float]:
    (a, b, x1, y1), (c, d, x2, y2) = first, second
    determinant = float(a * d - b * c)
    if abs(determinant) < 1e-6:
        return float("nan"), float("nan")
    t = float(((x2 - x1) * d - (y2 - y1) * c) / determinant)
    return float(x1 + t * a), float(y1 + t * b)


def _gradient(image: Image) -> Floats:
    smooth = cv2.GaussianBlur(image, (0, 0), 1.5).astype(np.float32)
    strength = np.zeros(image.shape[:2], np.float32)
    for channel in range(3):
        across = cv2.Scharr(smooth[..., channel], cv2.CV_32F, 1, 0)
        down = cv2.Scharr(smooth[..., channel], cv2.CV_32F, 0, 1)
        strength = np.maximum(strength, cv2.magnitude(across, down))
    top = float(np.percentile(strength, 97))
    return np.asarray(np.clip(strength / max(top, 1e-6), 0, 1), np.float32)


def _whole_picture(image: Image, lines: Sequence[Line]) -> list[CardOutline]:
    """Return the rim of a picture that has a card's proportions: a scan, or a card that fills the picture."""
    height, width = image.shape[:2]
    ratio = max(height, width) / min(height, width) / CARD_ASPECT
    if not lines or not 1 / _SCAN_RATIO_MAX < ratio < _SCAN_RATIO_MAX:
        return []
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    text = _text_share(corners, lines)
    return [CardOutline(corners, 1.2 * text + _SCAN_EDGES + 0.6, text)] if text > _SURE_TEXT else []


def _judged(corners: Floats, lines: Sequence[Line], gradient: Floats) -> CardOutline | None:
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    pair = sorted(((sides[0] + sides[2]) / 2, (sides[1] + sides[3]) / 2))
    aspect = pair[1] / max(pair[0], 1e-6)
    if not _ASPECT_RANGE[0] <= aspect <= _ASPECT_RANGE[1] or sides.min() < 0.45 * sides.max() / CARD_ASPECT:
        return None
    text = _text_share(corners, lines)
    if lines and text < _OWN_TEXT_MIN:
        return None
    edges = _edge_support(corners, gradient)
    if edges < _EDGES_MIN:  # the rim of the picture itself, or a bundle of unrelated edges
        return None
    proportion = max(0.0, 1 - abs(np.log(aspect / CARD_ASPECT)) / 0.6)
    return CardOutline(corners, 1.2 * text + edges + 0.6 * float(proportion), text)


def _text_share(corners: Floats, lines: Sequence[Line]) -> float:
    """Return how much of the text in and across the outline is its own: inside, and along its sides.

    A line that the outline cuts weighs twice against it. What lies wholly outside is somebody else's.
    """
    sides = np.roll(corners, -1, axis=0) - corners
    angles = np.degrees(np.arctan2(sides[:, 1], sides[:, 0]))
    own = foreign = 0.0
    for line in lines:
        ends = [_is_inside(corners, end, 0.5 * line.height) for end in _ends(line)]
        if not any(ends):
            continue
        gaps = np.abs((angles - direction_degrees(line) + 90) % 180 - 90)
        fits = bool(np.sort(gaps)[0] < _SIDE_TO_TEXT_DEGREES_MAX or line.width < 2 * line.height)
        if all(ends) and fits:
            own += line.width
        else:
            foreign += line.width * (1 if all(ends) else 2)
    return own / (own + foreign) if own else 0.0


def _ends(line: Line) -> tuple[Floats, Floats]:
    corners = line.corners
    return (corners[0] + corners[3]) / 2, (corners[1] + corners[2]) / 2


def _is_inside(corners: Floats, point: Floats, slack: float) -> bool:
    return bool(cv2.pointPolygonTest(corners, (float(point[0]), float(point[1])), measureDist=True) > -slack)


def lines_inside(corners: Floats, lines: Sequence[Line]) -> tuple[Line, ...]:
    """Return the lines of which both ends lie inside."""
    return tuple(
        line for line in lines if all(_is_inside(corners, end, 0.5 * line.height) for end in _ends(line))
    )


def _edge_support(corners: Floats, gradient: Floats) -> float:
    """Return the mean, over the sides, of the edge strength along each, the weakest side counting double."""
    height, width = gradient.shape
    strengths = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        places = start + (end - start) * np.linspace(0.08, 0.92, 60)[:, None]
        x, y = places[:, 0].round().astype(int), places[:, 1].round().astype(int)
        within = (x >= 1) & (x < width - 1) & (y >= 1) & (y < height - 1)
        if within.sum() < 10:
            strengths.append(0.0)
            continue
        values = [gradient[y[within] + dy, x[within] + dx] for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        strengths.append(float(np.mean(np.max(values, axis=0)) * within.mean()))
    return (sum(strengths) + min(strengths)) / 5


def _overlap(first: Floats, second: Floats) -> float:
    """Return the common area as a share of the smaller quadrilateral."""
    area, _ = cv2.intersectConvexConvex(first.astype(np.float32), second.astype(np.float32))
    smaller = min(cv2.contourArea(first), cv2.contourArea(second))
    return float(area / max(smaller, 1.0))
