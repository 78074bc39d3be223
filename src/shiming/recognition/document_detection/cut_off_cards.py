"""Where a card leaves the picture.

Two signs: the outline ends at the border of the picture and is not of a card's proportions any more; or a
line of the card's text runs into the border (no document prints that close to its own edge).
"""

from collections.abc import Sequence

import numpy as np

from shiming.recognition.document_detection.card_edges import CARD_ASPECT
from shiming.recognition.measurements import Image
from shiming.recognition.text_recognition import Floats, Line

EDGES = ("left", "right", "top", "bottom")
_AT_BORDER_SHARE = 0.015  # of the picture's longer side
_ASPECT_RATIO_MAX = 1.15  # tilt alone changes the proportions of a readable card by less
_TEXT_GAP_LINE_HEIGHTS = 0.25


def cut_edges(image: Image, outline: Floats | None, text: Sequence[Line]) -> tuple[str, ...]:
    """Return the edges of the picture that cut the card; `text` are the card's lines in the picture."""
    found = set(_edges_of_text(image, text))
    if outline is not None:
        found.update(_edges_of_outline(image, outline))
    return tuple(edge for edge in EDGES if edge in found)


def _edges_of_text(image: Image, text: Sequence[Line]) -> list[str]:
    found: list[str] = []
    for line in text:
        gaps = _gaps(image, line.corners)
        found += [
            edge for edge, gap in zip(EDGES, gaps, strict=True) if gap < _TEXT_GAP_LINE_HEIGHTS * line.height
        ]
    return found


def _edges_of_outline(image: Image, outline: Floats) -> list[str]:
    """Return the borders at which a side lies, if the outline is too long or too short for a card."""
    sides = np.linalg.norm(np.roll(outline, -1, axis=0) - outline, axis=1)
    aspect = float((sides[0] + sides[2]) / max(float(sides[1] + sides[3]), 1e-6))
    if 1 / _ASPECT_RATIO_MAX < aspect / CARD_ASPECT < _ASPECT_RATIO_MAX:
        return []
    near = _AT_BORDER_SHARE * max(image.shape[:2])
    middles = (outline + np.roll(outline, -1, axis=0)) / 2
    return [
        edge
        for middle in middles
        for edge, gap in zip(EDGES, _gaps(image, middle[None]), strict=True)
        if gap < near
    ]


def _gaps(image: Image, points: Floats) -> tuple[float, float, float, float]:
    height, width = image.shape[:2]
    low, high = points.min(axis=0), points.max(axis=0)
    return float(low[0]), float(width - high[0]), float(low[1]), float(height - high[1])
