"""The rows of one zone with everything that was read of them, and the zones that this makes likely."""

import itertools
from collections.abc import Iterator, Sequence
from datetime import date

from shiming.recognition.documents.mrz.columns import placed, row_length
from shiming.recognition.documents.mrz.effort import CountedReader, EffortSpent
from shiming.recognition.documents.mrz.proofs import proven_by_readings
from shiming.recognition.documents.mrz.rows import Row
from shiming.recognition.documents.mrz.strips import PREPARATIONS
from shiming.recognition.documents.mrz.votes import RowVotes, majority
from shiming.recognition.measurements import Image
from shiming.vocabulary.machine_readable_zone import MachineReadableZone

_COMBINATIONS_MAX = 30  # zones parsed after each round of readings
_TD1_ROWS = 3
_ROUNDS_FOR_PROOF = 3
_NAMES_SURE, _NAMES_READINGS = 0.985, 5


class SeenRows:
    """Grows with every round of readings; belongs to one call."""

    def __init__(self, band: Image, rows: Sequence[Row], reader: CountedReader) -> None:
        self._band, self._rows, self._reader = band, rows, reader
        self._votes = [RowVotes() for _ in rows]
        self._rounds = 0
        self._yielded: set[tuple[str, ...]] = set()

    @property
    def confidence(self) -> float:
        """Return the mean confidence of the best reading of each row."""
        best = [max(votes.texts.values(), default=0.0) for votes in self._votes]
        return sum(best) / len(best)

    def read_once_more(self) -> None:
        """Read every row from the next preparation; raises EffortSpent."""
        for index in range(len(self._rows)):
            self._read(index, self._rounds)
        self._rounds += 1

    def _read(self, index: int, preparation: int) -> None:
        strip, left, width = PREPARATIONS[preparation](self._band, self._rows[index].line)
        self._votes[index].add(placed(self._reader.read_zone_row(strip), left, width))

    def new_combinations(self) -> Iterator[tuple[str, ...]]:
        """Yield lines to parse that were not yielded before, the likeliest first.

        They are of all rows, and of three also without the topmost.
        """
        found = itertools.chain.from_iterable(
            _by_likelihood([votes.candidates(start, length) for votes in chosen])
            for chosen, start, length in self._choices()
        )
        for lines in itertools.islice(found, _COMBINATIONS_MAX):
            if lines not in self._yielded:
                self._yielded.add(lines)
                yield lines

    def proven(self, today: date) -> MachineReadableZone | None:
        """Return the zone that exchanges of characters between readings prove, None for none."""
        if self._rounds < _ROUNDS_FOR_PROOF:
            return None
        for chosen, start, length in self._choices():
            readings = [votes.rows_on_columns(start, length) for votes in chosen] if start is not None else []
            if readings and all(readings):
                names = _names_row(len(chosen))
                zone = proven_by_readings([majority(row) for row in readings], readings, names, today)
                if zone is not None:
                    return zone
        return None

    def with_names_voted(self, lines: Sequence[str]) -> tuple[str, ...]:
        """Return the lines with the row of names as most readings give it."""
        names = _names_row(len(lines))
        index = len(self._rows) - len(lines) + names
        votes = self._votes[index]
        if max(votes.texts.values(), default=0.0) >= _NAMES_SURE:
            return tuple(lines)
        try:
            for preparation in range(self._rounds, min(_NAMES_READINGS, len(PREPARATIONS))):
                self._read(index, preparation)
        except EffortSpent:
            pass
        start = self._start(self._votes[-len(lines) :])
        rows = votes.rows_on_columns(start, len(lines[0])) if start is not None else []
        if len(rows) < 2:
            return tuple(lines)
        return (*lines[:names], majority(rows), *lines[names + 1 :])

    def _choices(self) -> Iterator[tuple[Sequence[RowVotes], float | None, int]]:
        """Yield which rows to take, where they begin, and how long they are."""
        votes = self._votes
        for chosen in (votes, votes[1:]) if len(votes) == _TD1_ROWS else (votes,):
            covered = max(row.columns_covered() for row in chosen)
            yield chosen, self._start(chosen), row_length(covered, len(chosen))

    @staticmethod
    def _start(chosen: Sequence[RowVotes]) -> float | None:
        return min((at for at in (votes.start() for votes in chosen) if at is not None), default=None)


def _names_row(rows: int) -> int:
    return rows - 1 if rows == _TD1_ROWS else 0


def _by_likelihood(candidates: Sequence[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """Yield one candidate of each row, the likeliest of all rows first."""
    places = itertools.product(*(range(len(row)) for row in candidates))
    for ranks in sorted(places, key=sum):
        yield tuple(row[rank] for row, rank in zip(candidates, ranks, strict=True))
