"""From a photo to an upright card: which way up, where its corners are, a picture of fixed proportions."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from shiming.recognition.document_detection.card_edges import CARD_ASPECT, CardOutline, find_cards
from shiming.recognition.document_detection.text_geometry import (
    along_direction,
    in_text_frame,
    text_extent,
    upright_direction,
)
from shiming.recognition.images import reduced
from shiming.recognition.measurements import Image
from shiming.recognition.text_recognition import Floats, Line, Reading, TextReader

SEARCH_SIDE_PX = 960
CARD_WIDTH_PX = 1284  # 15 pixels a millimetre
_TEXT_SHARE_MIN = 0.6
_MARGIN_BESIDE, _MARGIN_ABOVE = 0.08, 0.14  # of the text's extent, as on a resident card
_CARD_SCORE_MIN = 1.2


@dataclass(frozen=True, slots=True)
class PlacedText:
    """The lines of a photo, all running in the direction in which they read, and what the longest say."""

    lines: tuple[Line, ...]
    degrees: float
    longest: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class RectifiedCard:
    """An upright card: its pixels, the corners it had in the photo, how it was found."""

    image: Image = field(repr=False)
    corners: Floats = field(repr=False)  # top left, top right, bottom right, bottom left, of the photo
    by_edges: bool
    cards_seen: int
    rotation_degrees: float

    def to_photo(self) -> Floats:
        """Return the 3x3 matrix from card pixels to photo pixels."""
        height, width = self.image.shape[:2]
        card = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        return np.asarray(cv2.getPerspectiveTransform(card, self.corners.astype(np.float32)), np.float32)


def place_text(image: Image, reader: TextReader) -> PlacedText:
    """Find the lines of a photo and which way up they are."""
    lines = reader.find_lines(image, SEARCH_SIDE_PX)
    if not lines:
        return PlacedText((), 0.0)
    degrees, longest = upright_direction(image, lines, reader)
    return PlacedText(along_direction(lines, degrees), degrees, tuple(longest))


def rectify(image: Image, text: PlacedText) -> RectifiedCard:
    """Return the card by its edges, or else what surrounds its text."""
    cards = find_cards(image, text.lines)
    seen = max(1, sum(card.score > _CARD_SCORE_MIN and card.text_share > 0.25 for card in cards))
    best = cards[0] if cards else None
    if best is not None and best.text_share >= _TEXT_SHARE_MIN and best.score > _CARD_SCORE_MIN:
        corners = _from_top_left(best, text.degrees)
        return RectifiedCard(_flattened(image, corners, CARD_ASPECT), corners, True, seen, text.degrees)
    return _by_text(image, text, seen)


def _by_text(image: Image, text: PlacedText, cards_seen: int) -> RectifiedCard:
    height, width = image.shape[:2]
    if text.lines:
        corners = text_extent(text.lines, text.degrees, beside=_MARGIN_BESIDE, above=_MARGIN_ABOVE)
    else:
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    across, down = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[3] - corners[0])
    aspect = float(across / max(down, 1.0))
    return RectifiedCard(_flattened(image, corners, aspect), corners, False, cards_seen, text.degrees)


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
    return np.asarray(
        cv2.warpPerspective(image, move, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )


def rows_of(lines: Sequence[Line]) -> list[list[Line]]:
    """Group lines of an upright card into rows from top to bottom, each from left to right."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda one: float(one.centre[1])):
        same = rows and abs(float(line.centre[1] - np.mean([one.centre[1] for one in rows[-1]])))
        if rows and same < 0.5 * min(line.height, float(np.median([one.height for one in rows[-1]]))):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda one: float(one.corners[0, 0])) for row in rows]
