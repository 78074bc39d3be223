"""Letters where the standard allows no digits: states, document code, names.

These fields have no check digit, so nothing is proven; but a digit cannot stand there, and the letter that
looks like it is the only reading that is allowed. The tail of the names behind the given names can only be
fillers, so letters that are often read for a filler become fillers there.

>>> clean_names("ER1KSS0N<<ANNA<MARIA<<<<K<<<<CC")
'ERIKSSON<<ANNA<MARIA<<<<<<<<<<<'
>>> clean_names("ERIKSSON<<ANNA<MARIAKKKKKKKKKKK")
'ERIKSSON<<ANNA<MARIA<<<<<<<<<<<'
"""

import re

from shiming.vocabulary.machine_readable_zone.check_digits import FILLER
from shiming.vocabulary.machine_readable_zone.layouts import Layout, Span

_TO_LETTER = str.maketrans("012568", "OIZSGB")
_READ_FOR_FILLER = "KLCSXE"
_TAIL = re.compile(rf"(?<=[A-Z])<<[{_READ_FOR_FILLER}<]*$")
_LETTER_RUN = re.compile(rf"([{_READ_FOR_FILLER}])\1{{3,}}[{_READ_FOR_FILLER}<]*$")


def letters_where_only_letters_may_stand(zone: str, layout: Layout) -> str:
    """Return the zone with letters in the fields of letters."""
    for span in (layout.document_code, layout.issuing_state, layout.nationality):
        zone = _replaced(zone, span, span.of(zone).translate(_TO_LETTER))
    return _replaced(zone, layout.names, clean_names(layout.names.of(zone)))


def clean_names(field: str) -> str:
    """Return a names field of letters and fillers, the tail behind the given names filled."""
    letters = _LETTER_RUN.sub(_fill, field.translate(_TO_LETTER))
    surname, separator, rest = letters.partition(FILLER * 2)
    return surname + separator + _TAIL.sub(_fill, rest)


def _fill(found: re.Match[str]) -> str:
    return FILLER * len(found.group())


def _replaced(zone: str, span: Span, text: str) -> str:
    return zone[: span.start] + text + zone[span.end :]
