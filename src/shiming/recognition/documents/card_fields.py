"""Fields read from a card side: each with its confidence, or absent."""

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shiming.recognition.text_recognition import Reading

_READINGS_MAX = 5
_AGREEING, _AGREEING_UNSURE = 2, 3


@dataclass(frozen=True, slots=True)
class CardFields:
    """What one side says. `values` holds only what was read surely; `confidence` may know more keys."""

    values: Mapping[str, Any] = field(repr=False)
    confidence: Mapping[str, float]
    number_checksum: bool | None = None
    cross_checks: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Agreed:
    """A text on which readings agreed; `count` 1 means that no two did."""

    text: str = field(repr=False)
    count: int
    confidence: float


NOTHING = Agreed("", 0, 0.0)


def agreed_text(
    readings: Iterable[Reading],
    understand: Callable[[str], str],
    *,
    readings_max: int = _READINGS_MAX,
    weakest_min: float = 0.0,
    sure_from: float = 0.0,
) -> Agreed:
    """Return the first understood text that two readings share, else the most frequent one.

    A reading with a character less sure than `weakest_min` does not count; while no reading of a text has
    all its characters at `sure_from` or better, three must share it.
    """
    seen: dict[str, list[Reading]] = {}
    for reading in itertools.islice(readings, readings_max):
        text = understand(reading.text)
        if text and reading.weakest >= weakest_min:
            seen.setdefault(text, []).append(reading)
            if _is_agreed(seen[text], sure_from):
                break
    if not seen:
        return NOTHING
    best = max(seen, key=lambda text: (len(seen[text]), sum(one.confidence for one in seen[text])))
    total = sum(len(same) for same in seen.values())
    count = len(seen[best]) if _is_agreed(seen[best], sure_from) else 1
    return Agreed(best, count, sum(one.confidence for one in seen[best]) / total)


def _is_agreed(same: list[Reading], sure_from: float) -> bool:
    needed = _AGREEING if max(one.weakest for one in same) >= sure_from else _AGREEING_UNSURE
    return len(same) >= needed
