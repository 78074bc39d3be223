"""From fields to the lines of a machine readable zone."""

from datetime import date

from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.machine_readable_zone.check_digits import ALPHABET, FILLER, check_digit
from shiming.vocabulary.machine_readable_zone.dates import DateParts, compose_date
from shiming.vocabulary.machine_readable_zone.layouts import LAYOUTS, Format, Layout, Span
from shiming.vocabulary.machine_readable_zone.model import Sex
from shiming.vocabulary.machine_readable_zone.names import compose_names

_SEX_LETTERS = {"male": "M", "female": "F", "unspecified": FILLER}
_ADVICE = Text(zh="请更正该字段。", en="Correct this field.")


def compose(
    format: Format,  # noqa: A002 - the word of the standard and of MachineReadableZone
    *,
    document_code: str,
    issuing_state: str,
    surname: str,
    given_names: str,
    document_number: str,
    nationality: str,
    birth_date: date | DateParts | None,
    sex: Sex,
    expiry_date: date | DateParts | None,
    optional_data: str = "",
    optional_data_2: str = "",
) -> tuple[str, ...]:
    """Return the lines of a zone with all check digits.

    Names are transliterated and cut to their field; any other text too long for its field, or with
    characters that a zone has not, raises BadInput. None and unknown parts of a date become fillers.
    """
    layout = LAYOUTS[format]
    zone = [FILLER] * layout.length
    number, optional = _split_number(_plain(document_number), _plain(optional_data), layout)
    _put(zone, layout.document_code, _plain(document_code))
    _put(zone, layout.issuing_state, _plain(issuing_state))
    _put(zone, layout.names, compose_names(surname, given_names, layout.names.end - layout.names.start))
    _put(zone, layout.document_number, number)
    _put(zone, layout.nationality, _plain(nationality))
    _put(zone, layout.birth_date, compose_date(birth_date))
    _put(zone, layout.expiry_date, compose_date(expiry_date))
    _put(zone, layout.optional_data, optional)
    _put(zone, layout.optional_data_2, _plain(optional_data_2))
    zone[layout.sex] = _SEX_LETTERS[sex]
    _put_check_digits(zone, layout, long_number=len(_plain(document_number)) > len(number))
    return layout.lines_of("".join(zone))


def _split_number(number: str, optional: str, layout: Layout) -> tuple[str, str]:
    """Return what stands in the field of the document number, and what in the optional data."""
    width = layout.document_number.end - layout.document_number.start
    if len(number) <= width or not layout.has_long_document_numbers:
        return number, optional
    if FILLER in number:
        raise BadInput(
            "MRZ_FIELD_CHARACTERS",
            Text(zh="长证件号码不能含空格。", en="A long document number has no spaces."),
            _ADVICE,
        )
    return number[:width], number[width:] + check_digit(number) + FILLER + optional


def _put(zone: list[str], span: Span, text: str) -> None:
    if len(text.rstrip(FILLER)) > span.end - span.start:
        raise BadInput(
            "MRZ_FIELD_LENGTH", Text(zh="字段过长。", en="A field is too long for the zone."), _ADVICE
        )
    zone[span.start : span.end] = text[: span.end - span.start].ljust(span.end - span.start, FILLER)


def _put_check_digits(zone: list[str], layout: Layout, *, long_number: bool) -> None:
    for span in (layout.birth_date, layout.expiry_date):
        zone[span.end] = check_digit("".join(zone[span.start : span.end]))
    if not long_number:
        span = layout.document_number
        zone[span.end] = check_digit("".join(zone[span.start : span.end]))
    if layout.optional_check >= 0:
        zone[layout.optional_check] = check_digit(layout.optional_data.of("".join(zone)))
    if layout.composite_check >= 0:
        text = "".join(zone)
        zone[layout.composite_check] = check_digit("".join(span.of(text) for span in layout.composite_covers))


def _plain(text: str) -> str:
    """Return a field in the characters of the zone; spaces and hyphens become fillers."""
    plain = text.upper().replace(" ", FILLER).replace("-", FILLER)
    if not set(plain) <= {*ALPHABET, FILLER}:
        raise BadInput(
            "MRZ_FIELD_CHARACTERS",
            Text(zh="字段含有不允许的字符。", en="A field has only A-Z and 0-9."),
            _ADVICE,
        )
    return plain
