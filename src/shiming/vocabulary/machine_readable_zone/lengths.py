"""Zones of the right length from lines that are too short or too long.

Recognition misjudges long runs of fillers. A line of names is filled or cut at its end, where only fillers
can be missing or too many. In a line with numbers fillers are added to or taken from its runs in every way;
check digits tell later which way was right.

>>> list(number_lines("AB<<C<D", 8))
['AB<<C<<D', 'AB<<<C<D']
"""

from collections.abc import Iterator
from itertools import islice, product

from shiming.vocabulary.machine_readable_zone.check_digits import FILLER
from shiming.vocabulary.machine_readable_zone.layouts import LAYOUTS, Format, Layout

DIFFERENCE_MAX = 14  # more than half of the fillers of an empty optional field
LINE_READINGS_MAX = 60  # more runs than any real line has
NAMES_LENGTH_MIN = 8  # code, state and the shortest name


def layouts_for(lines: tuple[str, ...]) -> tuple[Layout, ...]:
    """Return the layouts that lines of these lengths can have, the nearest first."""
    visa = lines[0].startswith("V")
    formats: tuple[Format, ...] = (
        ("TD1",) if len(lines) == 3 else ("MRV-A", "MRV-B") if visa else ("TD3", "TD2")
    )  # noqa: PLR2004 - only TD1 has three lines
    fitting = [layout for layout in map(LAYOUTS.__getitem__, formats) if _fits(lines, layout)]
    return tuple(sorted(fitting, key=lambda layout: _distance(lines, layout)))


def zones(lines: tuple[str, ...], layout: Layout) -> Iterator[str]:
    """Yield every zone of the length of `layout` that these lines may be."""
    readings = [
        [names_line(line, layout.line_length)] if i == _names_line(layout) else _number_readings(line, layout)
        for i, line in enumerate(lines)
    ]
    for combination in product(*readings):
        yield "".join(combination)


def padded(lines: tuple[str, ...], layout: Layout) -> str:
    """Return the lines filled or cut at their ends."""
    return "".join(names_line(line, layout.line_length) for line in lines)


def names_line(line: str, length: int) -> str:
    """Fill or cut a line at its end."""
    return line[:length].ljust(length, FILLER)


def number_lines(line: str, length: int) -> Iterator[str]:
    """Yield every line of `length` with fillers added to or taken from the runs of `line`."""
    runs = _runs(line)
    missing = length - len(line)
    for change in _distributions(abs(missing), len(runs)):
        if missing > 0 or all(
            taken <= run_end - start for taken, (start, run_end) in zip(change, runs, strict=True)
        ):
            yield _with_changed_runs(line, runs, [n if missing > 0 else -n for n in change])


def _number_readings(line: str, layout: Layout) -> list[str]:
    found = list(islice(number_lines(line, layout.line_length), LINE_READINGS_MAX))
    return found or [names_line(line, layout.line_length)]


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
    return sum(abs(layout.line_length - len(line)) for line in lines)


def _runs(line: str) -> list[tuple[int, int]]:
    edges = [i for i in range(len(line) + 1) if (line[i - 1 : i] == FILLER) != (line[i : i + 1] == FILLER)]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _distributions(count: int, places: int) -> Iterator[tuple[int, ...]]:
    """Yield every way to spread `count` over `places`."""
    if places <= 1:
        yield from [(count,)] * places or [()] * (count == 0)
        return
    for first in range(count + 1):
        for rest in _distributions(count - first, places - 1):
            yield (first, *rest)


def _with_changed_runs(line: str, runs: list[tuple[int, int]], changes: list[int]) -> str:
    parts, at = [], 0
    for (start, end), change in zip(runs, changes, strict=True):
        parts += [line[at:start], FILLER * (end - start + change)]
        at = end
    return "".join([*parts, line[at:]])
