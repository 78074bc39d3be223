"""Many readings of one row: each is a text, and each votes for the characters of the columns."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from shiming.recognition.documents.mrz.alphabet import FILLER
from shiming.recognition.documents.mrz.columns import Placed, on_columns, ruler_of

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

    def rows_on_columns(self, start: float, length: int) -> Iterator[str]:
        """Yield every reading on its columns, counted from `start` pixels."""
        for letters in self.letters:
            ruler = ruler_of(letters)
            if ruler is not None:
                yield on_columns(letters, ruler, round(ruler.column(start)), length)

    def candidates(self, start: float | None, length: int) -> list[str]:
        """Return readings of the row, the likeliest first: voted, newest on columns, newest as read."""
        gridded = list(self.rows_on_columns(start, length)) if start is not None else []
        voted = [majority(gridded)] if len(gridded) > 1 else []
        return list(dict.fromkeys([*voted, *reversed(gridded), *reversed(self.texts)]))


def majority(rows: Sequence[str]) -> str:
    """Return the most frequent character of each column; an empty place counts for less than a sign.

    >>> majority(["P<UTO", "P<UT0", "PKUTO"])
    'P<UTO'
    """
    columns = []
    for signs in zip(*rows, strict=True):
        count: Counter[str] = Counter()
        for sign in signs:
            count[sign] += 1
        if len(count) > 1:
            count[FILLER] *= _EMPTY_COLUMN_VOTE  # type: ignore[assignment]
        columns.append(count.most_common(1)[0][0])
    return "".join(columns)
