"""Zones of the right length from lines that are too short or too long.

Recognition misjudges long runs of fillers. A line of names is filled or cut at its end, where only fillers
can be missing or too many. In a line with numbers fillers are added to or taken from its runs in every way;
check digits tell later which way was right.

>>> list(number_lines("AB<<C<D", 8))
['AB<<C<<D', 'AB<<<C<D']
"""

import re
from collections.abc import Iterator
from itertools import islice, product
from math import prod

from shiming.vocabulary.machine_readable_zone.check_digits import FILLER
from shiming.vocabulary.machine_readable_zone.layouts import LAYOUTS, Format, Layout

DIFFERENCE_MAX = 14  # more than half of the fillers of an empty optional field
RUNS_MAX = 6  # more than any real line has; keeps hostile lines from being spread in millions of ways
ZONE_READINGS_MAX = 150  # five fillers over three runs in one line, or fewer in each of two lines
NAMES_LENGTH_MIN = 8  # code, state and the shortest name
_LETTER_RUN = re.compile(r"([KLCSXE])\1{3,}")  # fillers all read as one letter; XXX is a nationality


def layouts_for(lines: tuple[str, ...]) -> tuple[Layout, ...]:
    """Return the layouts that lines of these lengths can have, the likeliest first."""
    if len(lines) == LAYOUTS["TD1"].line_count:
        formats: tuple[Format, ...] = ("TD1",)
    elif lines[0].startswith("V"):
        formats = ("MRV-A", "MRV-B")
    else:
        formats = ("TD3", "TD2")
    fitting = sorted(
        (layout for layout in map(LAYOUTS.__getitem__, formats) if _fits(lines, layout)),
        key=lambda layout: _distance(lines, layout),
    )
    exact = [layout for layout in fitting if {len(line) for line in lines} == {layout.line_length}]
    return tuple(exact or fitting)


def zones(lines: tuple[str, ...], layout: Layout) -> Iterator[str]:
    """Yield every zone of the length of `layout` that these lines may be; too many are only padded."""
    readings = [
        [names_line(line, layout.line_length)] if i == _names_line(layout) else _number_readings(line, layout)
        for i, line in enumerate(lines)
    ]
    if prod(map(len, readings)) > ZONE_READINGS_MAX:
        yield padded(lines, layout)
    else:
        yield from map("".join, product(*readings))


def padded(lines: tuple[str, ...], layout: Layout) -> str:
    """Return the lines filled or cut at their ends."""
    return "".join(names_line(line, layout.line_length) for line in lines)


def names_line(line: str, length: int) -> str:
    """Fill or cut a line at its end."""
    return line[:length].ljust(length, FILLER)


def number_lines(line: str, length: int) -> Iterator[str]:
    """Yield every line of `length` with fillers added to or taken from the runs of `line`."""
    runs = _runs(line)
    if len(runs) > RUNS_MAX:
        return
    missing = length - len(line)
    for change in _distributions(abs(missing), len(runs)):
        if missing > 0 or all(
            taken <= run_end - start for taken, (start, run_end) in zip(change, runs, strict=True)
        ):
            yield _with_changed_runs(line, runs, [n if missing > 0 else -n for n in change])


def _number_readings(line: str, layout: Layout) -> list[str]:
    if len(line) == layout.line_length:
        return [line]
    spellings = dict.fromkeys((line, _LETTER_RUN.sub(lambda run: FILLER * len(run.group()), line)))
    found = dict.fromkeys(
        reading
        for spelling in spellings
        for reading in islice(number_lines(spelling, layout.line_length), ZONE_READINGS_MAX + 1)
    )
    return list(found) or [names_line(line, layout.line_length)]


def _names_line(layout: Layout) -> int:
    return layout.names.start // layout.line_length


def _fits(lines: tuple[str, ...], layout: Layout) -> bool:
    for i, line in enumerate(lines):
        short = layout.line_length - len(line)
        if i == _names_line(layout):
            if len(line) < NAMES_LENGTH_MIN or short < -DIFFERENCE_MAX:
                return False
        elif abs(short) > DIFFERENCE_MAX:
            return False
    return True


def _distance(lines: tuple[str, ...], layout: Layout) -> int:
    """Return how far the lengths are off; a passport has the code P and the format TD3, and no other has."""
    of_another_code = layout.format in {"TD2", "TD3"} and lines[0].startswith("P") != (layout.format == "TD3")
    return sum(abs(layout.line_length - len(line)) for line in lines) + layout.length * of_another_code


def _runs(line: str) -> list[tuple[int, int]]:
    edges = [i for i in range(len(line) + 1) if (line[i - 1 : i] == FILLER) != (line[i : i + 1] == FILLER)]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _distributions(count: int, places: int) -> Iterator[tuple[int, ...]]:
    """Yield every way to spread `count` over `places`."""
    if places == 0:
        yield from [()] * (count == 0)
    elif places == 1:
        yield (count,)
    else:
        for first in range(count + 1):
            yield from ((first, *rest) for rest in _distributions(count - first, places - 1))


def _with_changed_runs(line: str, runs: list[tuple[int, int]], changes: list[int]) -> str:
    parts, at = [], 0
    for (start, end), change in zip(runs, changes, strict=True):
        parts += [line[at:start], FILLER * (end - start + change)]
        at = end
    return "".join([*parts, line[at:]])
