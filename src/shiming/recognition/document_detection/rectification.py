"""From a photo to an upright card: which way up, where its corners are, a picture of fixed proportions."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from shiming.recognition.document_detection.card_edges import (
    CARD_ASPECT,
    CardOutline,
    lines_inside,
)
from shiming.recognition.document_detection.text_geometry import (
    clusters,
    in_text_frame,
    text_extent,
    upright_direction,
)
from shiming.recognition.images import reduced
from shiming.recognition.measurements import Image
from shiming.recognition.text_recognition import Floats, Line, TextReader

SEARCH_SIDE_PX = 960
CARD_WIDTH_PX = 1284  # 15 pixels a millimetre
_OUTLINES_MAX, _GROUPS_MAX = 3, 3
_NEAR_LINE_HEIGHTS = (7.0, 4.0)  # the number of a resident card stands far below a short address
_MARGIN_BESIDE, _MARGIN_ABOVE = 0.08, 0.14  # of the text's extent, as on a resident card
_CARD_SCORE_MIN = 1.5


@dataclass(frozen=True, slots=True)
class RectifiedCard:
    """An upright card: its pixels, the corners it had in the photo, how it was found."""

    image: Image = field(repr=False)
    corners: Floats = field(repr=False)  # top left, top right, bottom right, bottom left, of the photo
    by_edges: bool
    rotation_degrees: float

    def to_photo(self) -> Floats:
        """Return the 3x3 matrix from card pixels to photo pixels."""
        height, width = self.image.shape[:2]
        card = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        return np.asarray(cv2.getPerspectiveTransform(card, self.corners.astype(np.float32)), np.float32)


def card_candidates(
    image: Image, lines: Sequence[Line], outlines: Sequence[CardOutline], reader: TextReader
) -> Iterator[RectifiedCard]:
    """Yield what may be the card, the likeliest first: by edges, then by the extent of groups of lines."""
    for outline in [card for card in outlines if card.score > _CARD_SCORE_MIN][:_OUTLINES_MAX]:
        inside = lines_inside(outline.corners, lines)
        if inside:
            degrees = upright_direction(image, inside, reader)
            corners = _from_top_left(outline, degrees)
            yield RectifiedCard(
                _flattened(image, corners, CARD_ASPECT), corners, by_edges=True, rotation_degrees=degrees
            )
    groups = itertools.chain.from_iterable(clusters(lines, near)[:_GROUPS_MAX] for near in _NEAR_LINE_HEIGHTS)
    for group in {frozenset(map(id, group)): group for group in groups}.values():
        degrees = upright_direction(image, group, reader)
        yield by_text(image, group, degrees)


def by_text(image: Image, lines: Sequence[Line], degrees: float) -> RectifiedCard:
    """Return what surrounds lines of text, upright; the whole picture without lines."""
    height, width = image.shape[:2]
    if lines:
        corners = text_extent(lines, degrees, beside=_MARGIN_BESIDE, above=_MARGIN_ABOVE)
    else:
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    across = float(np.linalg.norm(corners[1] - corners[0]))
    aspect = across / max(float(np.linalg.norm(corners[3] - corners[0])), 1.0)
    return RectifiedCard(
        _flattened(image, corners, aspect), corners, by_edges=False, rotation_degrees=degrees
    )


def whole_picture(image: Image) -> tuple[Line, ...]:
    """Return one line that spans the picture, for documents of which no outline is needed."""
    height, width = image.shape[:2]
    return (Line(np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)),)


def _from_top_left(card: CardOutline, degrees: float) -> Floats:
    """Start the corners at the top left of the upright card."""
    framed = in_text_frame(card.corners, degrees)
    first = int(np.argmin(framed.sum(axis=1) - framed.mean(axis=0).sum()))
    return np.asarray(np.roll(card.corners, -first, axis=0), np.float32)


def _flattened(image: Image, corners: Floats, aspect: float) -> Image:
    width, height = CARD_WIDTH_PX, max(64, round(CARD_WIDTH_PX / max(aspect, 0.4)))
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    shrink = width / max(float(sides[0]), float(sides[2]), 1.0)
    if shrink < 0.7:  # average before sampling, else fine print aliases
        smaller = reduced(image, max(64, round(max(image.shape[:2]) * shrink * 1.2)))
        corners = corners * np.float32(smaller.shape[1] / image.shape[1])
        image = smaller
    card = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    move = cv2.getPerspectiveTransform(corners.astype(np.float32), card)
    flat = cv2.warpPerspective(
        image, move, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(flat, np.uint8)


def rows_of(lines: Sequence[Line]) -> list[list[Line]]:
    """Group lines of an upright card into rows from top to bottom, each from left to right."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda one: float(one.centre[1])):
        if rows and _in_row(line, rows[-1]):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda one: float(one.corners[0, 0])) for row in rows]


def _in_row(line: Line, row: list[Line]) -> bool:
    middle = float(np.mean([one.centre[1] for one in row]))
    height = min(line.height, float(np.median([one.height for one in row])))
    return abs(float(line.centre[1]) - middle) < 0.5 * height
