"""Read an identity number so that a wrong one is not reported.

A reading that passes its check character may still be wrong (one in eleven random errors of two digits
does). A number is reported when
 (1) it is a valid number: division in force, real birth date, check character;
 (2) two readings from differently prepared pixels agree on it, and no reading says another valid number;
 (3) the birth date printed on the card is the one in the number;
 (4) the sex printed on the card is the one in the number.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from shiming.recognition.documents.card_text import CardLine, CardText, SecondLook
from shiming.recognition.text_recognition import Line, Reading
from shiming.vocabulary.identity_numbers.cn import ResidentIdentityNumber, problems_of

NUMBER_LENGTH = 18
_READINGS_MAX = 6
AGREEING_MIN = 2
_ALIKE = {"O": "0", "o": "0", "I": "1", "l": "1", "|": "1", "x": "X", "×": "X", "Х": "X"}
NUMBER_ALPHABET = {
    **{digit: digit for digit in "0123456789X"},
    **{chr(ord(digit) + 0xFEE0): digit for digit in "0123456789X"},
    **_ALIKE,
}
_RUN = re.compile(r"[0-9OoIl|XxВ×Х]{14,22}")


@dataclass(frozen=True, slots=True)
class NumberReading:
    """What was read where the number stands. `sure` only under all the rules above."""

    candidate: str = field(repr=False)
    is_valid: bool
    agreeing: int
    confidence: float

    @property
    def parsed(self) -> ResidentIdentityNumber | None:
        """Return the number if it is a valid one."""
        return ResidentIdentityNumber.parse(self.candidate) if self.is_valid else None


def find_number_line(text: CardText) -> CardLine | None:
    """Return the part of a line that looks most like an identity number."""
    best: tuple[int, CardLine] | None = None
    for line in text.lines:
        match = _RUN.search(line.text)
        if match:
            distance = abs(NUMBER_LENGTH - len(match.group()))
            if best is None or distance <= best[0]:
                best = distance, line.part(match.start(), match.end())
    return best[1] if best else None


def read_number(line: CardLine, look: SecondLook, today: date) -> NumberReading:
    """Read the number until two readings agree on a valid one."""
    seen: dict[str, list[float]] = {}
    for reading in _limited(line.reading, look, line.line):
        candidate = "".join(_ALIKE.get(letter.character, letter.character) for letter in reading.letters)
        seen.setdefault(candidate, []).append(reading.confidence)
        valid = _valid(seen, today)
        if len(valid) == 1 and len(seen[valid[0]]) >= AGREEING_MIN:
            return _reading(seen, valid[0], is_valid=True)
    valid = _valid(seen, today)
    if len(valid) == 1:
        return _reading(seen, valid[0], is_valid=True)
    likely = max(seen, key=lambda text: (len(text) == NUMBER_LENGTH, len(seen[text]), sum(seen[text])))
    return _reading(seen, likely, is_valid=False)


def _valid(seen: dict[str, list[float]], today: date) -> list[str]:
    return [text for text in seen if not problems_of(text, on=today)]


def _reading(seen: dict[str, list[float]], candidate: str, *, is_valid: bool) -> NumberReading:
    confidences = seen[candidate]
    total = sum(len(values) for values in seen.values())
    share = len(confidences) / total
    return NumberReading(candidate, is_valid, len(confidences), share * sum(confidences) / len(confidences))


def _limited(first: Reading, look: SecondLook, line: Line) -> Iterable[Reading]:
    yield first
    for count, reading in enumerate(look.readings(line, NUMBER_ALPHABET), start=2):
        yield reading
        if count >= _READINGS_MAX:
            return
