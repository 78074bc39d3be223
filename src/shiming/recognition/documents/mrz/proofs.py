"""A zone whose check digits fail, put right by what other readings saw in the same columns.

The vocabulary's repair knows one text. Here readings are many: only a character that a fair share of them saw
may take the place of the one that most saw, at most two at a time, and the cheapest set of exchanges that
makes every check digit right is taken if it is clearly the cheapest. Exchanges by mere likeness are left to
the repair: enough of them make any sum right.
"""

import itertools
from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from shiming.recognition.documents.mrz.votes import ColumnedRow
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.machine_readable_zone import MachineReadableZone, parse

_OPTIONS_MAX = 12  # 12 single exchanges and 66 pairs: few enough that chance seldom makes a sum right
_SHARE_MIN = 0.2
_MARGIN = 0.4
_SEEN_COST = 1.2  # less the share of readings that saw it


class Exchange(NamedTuple):
    """Another character for one column of one row."""

    row: int
    column: int
    character: str
    cost: float


def proven_by_readings(
    lines: Sequence[str], readings: Sequence[Sequence[ColumnedRow]], names_row: int, today: date
) -> MachineReadableZone | None:
    """Return the zone that the cheapest exchanges prove; `readings` are those of each row, on its columns."""
    options = sorted(_exchanges(lines, readings, names_row), key=lambda one: one.cost)[:_OPTIONS_MAX]
    tried = [(one,) for one in options] + list(itertools.combinations(options, 2))
    proven: list[tuple[float, MachineReadableZone]] = []
    for exchanges in sorted(tried, key=_cost):
        cost = _cost(exchanges)
        if proven and cost > proven[0][0] + _MARGIN:
            break
        zone = _valid(_with(lines, exchanges), today)
        if zone is not None:
            proven.append((cost, zone))
    return proven[0][1] if len(proven) == 1 else None


def _cost(exchanges: Sequence[Exchange]) -> float:
    return sum(one.cost for one in exchanges)


def _exchanges(
    lines: Sequence[str], readings: Sequence[Sequence[ColumnedRow]], names_row: int
) -> Iterator[Exchange]:
    for row, (line, seen) in enumerate(zip(lines, readings, strict=True)):
        if row == names_row:
            continue
        for column, character in enumerate(line):
            votes = [reading[column][0] for reading in seen]
            for other in set(votes) - {character}:
                share = votes.count(other) / len(votes)
                if share >= _SHARE_MIN:
                    yield Exchange(row, column, other, _SEEN_COST - share)


def _with(lines: Sequence[str], exchanges: Sequence[Exchange]) -> list[str]:
    changed = [list(line) for line in lines]
    for one in exchanges:
        changed[one.row][one.column] = one.character
    return ["".join(line) for line in changed]


def _valid(lines: Sequence[str], today: date) -> MachineReadableZone | None:
    try:
        zone = parse(lines, today=today, repair=False)
    except BadInput:
        return None
    return zone if zone.check_digits_valid else None
