"""The check digits of a zone, field by field.

A check is right when the digit is right *and* the field has the form that the standard asks: a filler read
for a zero keeps the sum (both count 0), but `7408<2` is no date.
"""

from collections.abc import Iterator
from typing import NamedTuple

from shiming.vocabulary.machine_readable_zone.check_digits import FILLER, check_digit
from shiming.vocabulary.machine_readable_zone.dates import is_date
from shiming.vocabulary.machine_readable_zone.layouts import Layout, Span
from shiming.vocabulary.machine_readable_zone.model import CheckName, CheckResult


class DocumentNumber(NamedTuple):
    """A document number, its check digit, and how much of the optional data both take."""

    number: str
    digit: str
    optional_taken: int


def check_results(zone: str, layout: Layout) -> tuple[CheckResult, ...]:
    """Check a whole zone of the right length."""
    return tuple(CheckResult(name, valid) for name, valid in _results(zone, layout))


def all_right(zone: str, layout: Layout) -> bool:
    """Whether every check digit is right; stops at the first wrong one."""
    return all(valid for _, valid in _results(zone, layout))


def _results(zone: str, layout: Layout) -> Iterator[tuple[CheckName, bool]]:
    """Check one digit after the other, first those of the fields that are wrong most easily."""
    yield "birth_date", _date_is_right(zone, layout.birth_date)
    yield "expiry_date", _date_is_right(zone, layout.expiry_date)
    document = document_number(zone, layout)
    yield "document_number", check_digit(document.number) == document.digit
    if layout.optional_check >= 0:
        optional, digit = layout.optional_data.of(zone), zone[layout.optional_check]
        empty = not optional.strip(FILLER) and digit == FILLER
        yield "optional_data", empty or check_digit(optional) == digit
    if layout.composite_check >= 0:
        covered = "".join(span.of(zone) for span in layout.composite_covers)
        yield "composite", check_digit(covered) == zone[layout.composite_check]


def document_number(zone: str, layout: Layout) -> DocumentNumber:
    """Read the document number; TD1 and TD2 let a long one go on in the optional data.

    Then a filler stands in place of the check digit, and the rest of the number, its check digit and a
    filler open the optional data (ICAO Doc 9303 part 5, note j; part 6, note j).
    """
    principal, digit = layout.document_number.of(zone), zone[layout.document_number.end]
    if layout.has_long_document_numbers and digit == FILLER and not principal.endswith(FILLER):
        rest = layout.optional_data.of(zone).partition(FILLER)[0]
        if len(rest) > 1:
            return DocumentNumber(principal + rest[:-1], rest[-1], len(rest))
    return DocumentNumber(principal, digit, 0)


def _date_is_right(zone: str, field: Span) -> bool:
    text = field.of(zone)
    return check_digit(text) == zone[field.end] and is_date(text)
