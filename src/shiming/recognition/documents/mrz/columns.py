"""Characters put on the columns of a fixed-pitch line.

The text net reads OCR-B well and counts runs of fillers badly. A row of a zone has 30, 36 or 44 characters of
one width: where a character stands says which it is in the row. Perspective changes the pitch along the
row slowly, so a column is a quadratic function of the place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from shiming.recognition.documents.mrz.alphabet import FILLER
from shiming.recognition.text_recognition import Reading

ROW_LENGTHS = (30, 36, 44)
_LETTERS_MIN = 12
_MISFIT_MAX = 0.12  # chance gives 0.2, print 0.05
_ROUNDS = 3
_CURVED_FROM = 16  # fewer letters do not tell a bend from chance


class Placed(NamedTuple):
    """A character and where it stands in the band, in pixels."""

    character: str
    probability: float
    x: float


@dataclass(frozen=True, slots=True)
class Ruler:
    """From a place in the band to a column; column 0 is that of the first character the ruler was made of."""

    curve: tuple[float, ...]
    misfit: float = field(default=0.0)

    def column(self, x: float) -> float:
        """Return the column, fractional."""
        return float(np.polyval(self.curve, x))


def placed(reading: Reading, left: float, width: float) -> tuple[Placed, ...]:
    """Return the characters of a strip that spans `left` .. `left + width` of the band."""
    return tuple(Placed(one.character, one.probability, left + one.at * width) for one in reading.letters)


def ruler_of(letters: Sequence[Placed]) -> Ruler | None:
    """Return the ruler that these characters follow; None when they follow none.

    >>> row = [Placed("A", 1.0, 10 + 30.0 * i) for i in range(20) if i not in (5, 6, 11)]
    >>> ruler = ruler_of(row)
    >>> round(ruler.column(10 + 30 * 6), 2), round(ruler.column(10 + 30 * 19), 2)
    (6.0, 19.0)
    """
    if len(letters) < _LETTERS_MIN:
        return None
    x = np.array([letter.x for letter in letters])
    steps = np.diff(x)
    pitch = _pitch(steps)
    columns = np.concatenate([[0.0], np.cumsum(np.maximum(1, np.round(steps / pitch)))])
    for _ in range(_ROUNDS):
        curve = np.polyfit(x, columns, 2 if len(x) >= _CURVED_FROM else 1)
        fitted = np.polyval(curve, x)
        columns = np.round(fitted)
    misfit = float(np.abs(fitted - columns).mean())
    if misfit > _MISFIT_MAX:
        return None
    return Ruler(tuple(float(c) for c in curve), misfit)


def _pitch(steps: np.ndarray) -> float:
    """Return the distance of neighbours: the median of the small steps, twos and threes left out."""
    small = steps[steps < 1.5 * float(np.median(steps))]
    return max(1.0, float(np.median(small if len(small) else steps)))


def on_columns(letters: Sequence[Placed], ruler: Ruler, first: int, length: int) -> list[tuple[str, float]]:
    """Return the row's characters with their probabilities; a place without any is a filler of 0.

    >>> row = [Placed("A", 1.0, 30.0 * i) for i in range(14) if i not in (5, 6)]
    >>> "".join(sign for sign, _ in on_columns(row, ruler_of(row), 0, 16))
    'AAAAA<<AAAAAAA<<'
    """
    row = [(FILLER, 0.0)] * length
    for letter in letters:
        column = round(ruler.column(letter.x)) - first
        if 0 <= column < length and letter.probability >= row[column][1]:
            row[column] = letter.character, letter.probability
    return row


def row_length(columns: float, rows: int) -> int:
    """Return the standard's length that is nearest to the columns covered; three rows are of 30."""
    if rows == 3:
        return 30
    return min(ROW_LENGTHS, key=lambda length: abs(length - columns))
