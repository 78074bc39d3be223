"""The text of a rectified card, line by line, and second looks at a part of it."""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import cv2
import numpy as np

from shiming.recognition.document_detection.rectification import CARD_WIDTH_PX, RectifiedCard, rows_of
from shiming.recognition.documents.strips import evened, sharpened, stretched
from shiming.recognition.measurements import Image
from shiming.recognition.text_recognition import Alphabet, Floats, Line, Reading, TextReader, cut_out

CARD_TEXT_SIDE_PX = 960
_LINE_HEIGHT_SHARE_MIN = 0.018  # of the card's width: smaller print is decoration
_LETTER_PROBABILITY_MIN = 0.3
_SLOPE_MAX = 0.2  # what runs otherwise lies beside or under the card


@dataclass(frozen=True, slots=True)
class CardLine:
    """A line of the card with what it says. Letters stand without spaces, half-width."""

    line: Line = field(repr=False)
    reading: Reading = field(repr=False)

    @property
    def text(self) -> str:
        """Return the characters."""
        return self.reading.text

    @property
    def confidence(self) -> float:
        """Return the mean probability of the characters."""
        return self.reading.confidence

    @property
    def left(self) -> float:
        """Return the left end in pixels of the card."""
        return float(self.line.corners[[0, 3], 0].mean())

    @property
    def right(self) -> float:
        """Return the right end in pixels of the card."""
        return float(self.line.corners[[1, 2], 0].mean())

    def part(self, start: int, end: int | None = None) -> "CardLine":
        """Return the letters from `start` to before `end`, with the place where they stand."""
        letters = self.reading.letters
        stop = len(letters) if end is None else end
        if start == 0 and stop == len(letters):
            return self
        low = (
            (letters[start - 1].at + letters[start].at) / 2 if 0 < start < len(letters) else float(start > 0)
        )
        high = (letters[stop - 1].at + letters[stop].at) / 2 if 0 < stop < len(letters) else 1.0
        return CardLine(stretch(self.line, low, high), Reading(letters[start:stop]))

    def right_of(self, x: float) -> "CardLine | None":
        """Return the letters whose middle lies right of `x`, None without any."""
        letters, length = self.reading.letters, self.right - self.left
        first = next((i for i, letter in enumerate(letters) if self.left + letter.at * length > x), None)
        return None if first is None else self.part(first)


@dataclass(frozen=True, slots=True)
class CardText:
    """All rows of a card from top to bottom, each from left to right."""

    rows: tuple[tuple[CardLine, ...], ...] = field(repr=False)

    @property
    def lines(self) -> tuple[CardLine, ...]:
        """Return the lines in reading order."""
        return tuple(line for row in self.rows for line in row)

    @property
    def text(self) -> str:
        """Return everything, a row a line."""
        return "\n".join("".join(line.text for line in row) for row in self.rows)


def read_card_text(card: RectifiedCard, reader: TextReader) -> CardText:
    """Find and read every line of a card."""
    lines = [
        line
        for line in reader.find_lines(card.image, CARD_TEXT_SIDE_PX)
        if line.height >= _LINE_HEIGHT_SHARE_MIN * CARD_WIDTH_PX and _is_level(line)
    ]
    rows = (
        tuple(CardLine(line, tidied(reader.read(cut_out(card.image, line)))) for line in row)
        for row in rows_of(lines)
    )
    return CardText(tuple(kept for row in rows if (kept := tuple(line for line in row if line.text))))


def _is_level(line: Line) -> bool:
    along = line.corners[1] - line.corners[0]
    return bool(abs(along[1]) <= _SLOPE_MAX * abs(along[0]) or line.width < 2 * line.height)


def tidied(reading: Reading) -> Reading:
    """Drop spaces and characters hardly seen; make the rest half-width."""
    letters = (
        letter._replace(character=unicodedata.normalize("NFKC", letter.character))
        for letter in reading.letters
        if letter.character.strip() and letter.probability >= _LETTER_PROBABILITY_MIN
    )
    return Reading(tuple(letters))


def stretch(line: Line, start: float, end: float) -> Line:
    """Return the part of a line from `start` to `end`, as shares of its length (may reach beyond it)."""
    top_left, top_right, bottom_right, bottom_left = line.corners
    top, bottom = top_right - top_left, bottom_right - bottom_left
    corners = np.array(
        [
            top_left + top * start,
            top_left + top * end,
            bottom_left + bottom * end,
            bottom_left + bottom * start,
        ],
        np.float32,
    )
    return Line(corners, line.score)


def from_to(line: Line, left: float, right: float) -> Line:
    """Return a line's strip from one x to another, continued in its own direction."""
    start = float(line.corners[[0, 3], 0].mean())
    length = max(1.0, float(line.corners[[1, 2], 0].mean()) - start)
    return stretch(line, (left - start) / length, (right - start) / length)


@dataclass(frozen=True, slots=True)
class SecondLook:
    """Reads a strip of the card again and again, each time from differently prepared pixels."""

    photo: Image = field(repr=False)
    card: RectifiedCard = field(repr=False)
    reader: TextReader = field(repr=False)

    def readings(self, line: Line, alphabet: Alphabet | None = None) -> Iterator[Reading]:
        """Yield readings of one strip; every one costs an inference, so stop when it is enough."""
        for strip in self._strips(line):
            yield tidied(self.reader.read(strip(), alphabet))

    def readings_in_turn(self, lines: Sequence[Line]) -> Iterator[Reading]:
        """Yield a reading of each strip, then another of each, and so on."""
        looks = [self.readings(line) for line in lines]
        while looks:
            for look in tuple(looks):
                reading = next(look, None)
                if reading is None:
                    looks.remove(look)
                else:
                    yield reading

    def _strips(self, line: Line) -> Sequence[Callable[[], Image]]:
        card = self.card.image
        return (
            partial(self._of_photo, line, 0.12, 0.06),
            partial(cut_out, card, line, beside=0.25, above=0.15),
            lambda: evened(cut_out(card, line, beside=0.1, above=0.1)),
            lambda: sharpened(self._of_photo(line, 0.2, 0.2)),
            lambda: stretched(cut_out(card, line, beside=0.15, above=0.0), 1.25),
            lambda: evened(stretched(self._of_photo(line, 0.3, 0.12), 1.25)),
        )

    def in_photo(self, points: Floats) -> Floats:
        """Return where points (n, 2) of the card lie in the photo."""
        moved = cv2.perspectiveTransform(points[None].astype(np.float32), self.card.to_photo())[0]
        return np.asarray(moved, np.float32)

    def _of_photo(self, line: Line, beside: float, above: float) -> Image:
        return cut_out(self.photo, Line(self.in_photo(line.corners)), beside=beside, above=above)
