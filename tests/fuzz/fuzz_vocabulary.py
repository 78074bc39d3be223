"""Coverage-guided fuzzing of the parsers of machine readable zones and identity numbers.

`python tests/fuzz/fuzz_vocabulary.py -runs=100000` looks for input that raises anything but BadInput, or
that breaks what must always hold: a zone keeps its shape, repair never changes a right zone, a number that
is accepted has no problems and reads back as itself.
"""

import sys
from contextlib import suppress
from datetime import date

import atheris

with atheris.instrument_imports(include=["shiming.vocabulary"]):
    from shiming.vocabulary.document_numbers import parse_document_number
    from shiming.vocabulary.errors import BadInput
    from shiming.vocabulary.identity_numbers.cn import ResidentIdentityNumber, problems_of
    from shiming.vocabulary.machine_readable_zone import parse
    from shiming.vocabulary.machine_readable_zone.layouts import LAYOUTS

TODAY = date(2026, 11, 22)
CHARACTERS = "<<<<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ZONES = (
    "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<",
    "I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\nSTEVENSON<<PETER<JOHN<<<<<<<<<",
    "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6",
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
    "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL8988901C4XXX4009078F96121096ZE184226B<<<<<<",
    "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nL8988901C4XXX4009078F9612109<<<<<<<<",
)
NUMBERS = ("11010519491231002X", "420527198311115318", "810000199001010018", "911840198503120028")


def fuzz(data: bytes) -> None:
    """Try one input; its first byte chooses the parser."""
    target, rest = data[:1], data[1:]
    if target < b"\x60":
        _fuzz_zone(_edited(ZONES, rest).splitlines())
    elif target < b"\x80":
        _fuzz_zone(rest.decode("utf-8", "replace").splitlines())
    elif target < b"\xd0":
        _fuzz_number(_edited(NUMBERS, rest))
    else:
        _fuzz_number(rest.decode("utf-8", "replace"))


def _edited(texts: tuple[str, ...], data: bytes) -> str:
    """Choose a text, then for each three bytes replace, insert or take away one character."""
    if not data:
        return texts[0]
    text = texts[data[0] % len(texts)]
    for kind, place, choice in zip(data[1::3], data[2::3], data[3::3], strict=False):
        at = place % (len(text) + 1)
        character = CHARACTERS[choice % len(CHARACTERS)]
        text = text[:at] + (character if kind % 4 else "") + text[at + (kind % 4 != 1) :]
    return text


def _fuzz_zone(lines: list[str]) -> None:
    try:
        zone = parse(lines, today=TODAY)
    except BadInput:
        return
    layout = LAYOUTS[zone.format]
    assert [len(line) for line in zone.lines] == [layout.line_length] * layout.line_count
    if zone.check_digits_valid:
        again = parse(zone.lines, today=TODAY)
        assert again.check_digits_valid
        assert again.lines == zone.lines
    str(zone)


def _fuzz_number(text: str) -> None:
    problems = problems_of(text)
    with suppress(BadInput):
        number = ResidentIdentityNumber.parse(text)
        assert not problems
        assert problems_of(number.reveal("fuzzing")) == ()
        assert number.division_name
        assert number.reveal("fuzzing")[2:-2] not in str(number)
    with suppress(BadInput):
        parse_document_number("foreign_permanent_resident_card", text)


if __name__ == "__main__":
    atheris.Setup(sys.argv, fuzz)
    atheris.Fuzz()
