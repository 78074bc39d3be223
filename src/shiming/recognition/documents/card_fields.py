"""Fields read from a card side: each with its confidence, or absent."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shiming.recognition.text_recognition import Reading

_READINGS_MAX = 5


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
    agreeing: int = 2,
    readings_max: int = _READINGS_MAX,
    weakest_min: float = 0.0,
) -> Agreed:
    """Return the first understood text that `agreeing` readings share, else the most frequent one.

    A reading with a character less sure than `weakest_min` does not count.
    """
    seen: dict[str, list[float]] = {}
    for count, reading in enumerate(readings, start=1):
        text = understand(reading.text)
        if text and reading.weakest >= weakest_min:
            seen.setdefault(text, []).append(reading.confidence)
            if len(seen[text]) >= agreeing:
                break
        if count >= readings_max:
            break
    if not seen:
        return NOTHING
    best = max(seen, key=lambda text: (len(seen[text]), sum(seen[text])))
    total = sum(len(values) for values in seen.values())
    return Agreed(best, len(seen[best]), sum(seen[best]) / total)
