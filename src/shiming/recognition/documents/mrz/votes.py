"""Many readings of one row: each is a text, and each votes for the characters of the columns."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from shiming.recognition.documents.mrz.columns import Placed, on_columns, ruler_of

ColumnedRow = list[tuple[str, float]]
_EMPTY_COLUMN_VOTE = 0.5


@dataclass(slots=True)
class RowVotes:
    """What one row was read as so far. Grows with every reading; belongs to one call."""

    letters: list[tuple[Placed, ...]] = field(default_factory=list, repr=False)
    texts: dict[str, float] = field(default_factory=dict, repr=False)

    def add(self, letters: tuple[Placed, ...]) -> None:
        """Take one reading."""
        if letters:
            self.letters.append(letters)
            confidence = sum(one.probability for one in letters) / len(letters)
            text = "".join(one.character for one in letters)
            self.texts[text] = max(self.texts.get(text, 0.0), confidence)

    def columns_covered(self) -> float:
        """Return how many columns the widest reading spans, 0 when none follows a ruler."""
        spans = []
        for letters in self.letters:
            ruler = ruler_of(letters)
            if ruler is not None:
                spans.append(ruler.column(letters[-1].x) - ruler.column(letters[0].x) + 1)
        return max(spans, default=0.0)

    def start(self) -> float | None:
        """Return where the row begins, in pixels of the band: the median of its first characters."""
        firsts = sorted(letters[0].x for letters in self.letters if ruler_of(letters) is not None)
        return firsts[len(firsts) // 2] if firsts else None

    def rows_on_columns(self, start: float, length: int) -> list[ColumnedRow]:
        """Return every reading on its columns, counted from `start` pixels."""
        rulers = [(letters, ruler_of(letters)) for letters in self.letters]
        return [
            on_columns(letters, ruler, round(ruler.column(start)), length)
            for letters, ruler in rulers
            if ruler is not None
        ]

    def candidates(self, start: float | None, length: int) -> list[str]:
        """Return readings of the row, the likeliest first: voted, newest on columns, newest as read."""
        rows = self.rows_on_columns(start, length) if start is not None else []
        voted = [majority(rows)] if len(rows) > 1 else []
        gridded = ["".join(sign for sign, _ in row) for row in reversed(rows)]
        return list(dict.fromkeys([*voted, *gridded, *reversed(self.texts)]))


def majority(rows: Sequence[ColumnedRow]) -> str:
    """Return the character of each column that readings give most probability; an empty place gives half.

    >>> majority([[("P", 1.0), ("<", 0.9)], [("P", 0.9), ("K", 0.4)], [("B", 0.6), ("<", 0.0)]])
    'P<'
    """
    columns = []
    for signs in zip(*rows, strict=True):
        weights: defaultdict[str, float] = defaultdict(float)
        for sign, probability in signs:
            weights[sign] += probability or _EMPTY_COLUMN_VOTE
        columns.append(max(weights, key=lambda sign: weights[sign]))
    return "".join(columns)
