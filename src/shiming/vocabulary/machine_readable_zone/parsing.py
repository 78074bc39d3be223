"""From lines of text to a machine readable zone."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date

from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.machine_readable_zone.check_digits import ALPHABET, FILLER
from shiming.vocabulary.machine_readable_zone.checks import all_right, check_results, document_number
from shiming.vocabulary.machine_readable_zone.dates import birth_date, expiry_date
from shiming.vocabulary.machine_readable_zone.layouts import Layout
from shiming.vocabulary.machine_readable_zone.lengths import layouts_for, padded, zones
from shiming.vocabulary.machine_readable_zone.letters import letters_where_only_letters_may_stand
from shiming.vocabulary.machine_readable_zone.model import MachineReadableZone, Repair, Sex
from shiming.vocabulary.machine_readable_zone.names import split_names
from shiming.vocabulary.machine_readable_zone.repair import alternative_document_numbers, repair_zone

LINE_COUNTS = (2, 3)

_FILLER_SIGNS = str.maketrans({"«": "<<", "《": "<<", "‹": "<", "〈": "<", "≤": "<", "く": "<", "ᐸ": "<"})
_ZONE = re.compile(f"[{ALPHABET}{FILLER}]+")
_SEXES: dict[str, Sex] = {"M": "male", "F": "female"}
_ADVICE = Text(
    zh="请拍清证件底部的机读码，避免反光和遮挡。",
    en="Photograph the lines at the bottom of the document without glare and without a finger on them.",
)


def parse(lines: Sequence[str], *, today: date, repair: bool = True) -> MachineReadableZone:
    """Read the lines of a zone; `today` decides the century of its dates.

    With `repair`, misread characters and misjudged runs of fillers are put right where check digits prove
    it. A zone whose check digits stay wrong is returned with `check_digits_valid` False. Text that has not
    the shape of a zone raises BadInput.
    """
    cleaned = tuple(_clean(line) for line in lines if line.strip())
    if len(cleaned) not in LINE_COUNTS:
        raise _refusal("MRZ_LINE_COUNT", "机读码应为两行或三行。", "A zone has two or three lines.")
    if not all(_ZONE.fullmatch(line) for line in cleaned):
        raise _refusal("MRZ_CHARACTERS", "机读码含有不允许的字符。", "A zone has only A-Z, 0-9 and <.")
    layouts = layouts_for(cleaned)
    if not repair:
        layouts = tuple(
            layout for layout in layouts if {len(line) for line in cleaned} == {layout.line_length}
        )
    if not layouts:
        raise _refusal("MRZ_LENGTH", "机读码的行长不符合任何格式。", "No format has lines of this length.")
    zone, layout = _proven(cleaned, layouts) if repair else ("".join(cleaned), layouts[0])
    lettered = letters_where_only_letters_may_stand(zone, layout) if repair else zone
    return _fields(lettered, layout, today, _repairs(cleaned, zone, lettered, layout))


def _clean(line: str) -> str:
    return "".join(unicodedata.normalize("NFKC", line.translate(_FILLER_SIGNS)).upper().split())


def _proven(lines: tuple[str, ...], layouts: tuple[Layout, ...]) -> tuple[str, Layout]:
    """Return the one reading that check digits prove, or the lines brought to the length of the first layout.

    Misjudged fillers alone are tried before misjudged fillers together with misread characters, the
    likelier layout before the other.
    """
    for layout in layouts:
        candidates = dict.fromkeys(zones(lines, layout))
        right = {zone for zone in candidates if all_right(zone, layout)}
        if not right:
            right = {zone for zone in (repair_zone(z, layout) for z in candidates) if all_right(zone, layout)}
        if len(right) == 1:
            return right.pop(), layout
    return padded(lines, layouts[0]), layouts[0]


def _repairs(read: tuple[str, ...], zone: str, lettered: str, layout: Layout) -> tuple[Repair, ...]:
    found = [Repair(i, "alphabet") for i in _differences(zone, lettered)]
    for number, (before, after) in enumerate(zip(read, layout.lines_of(zone), strict=True)):
        start = number * layout.line_length
        if len(before) == len(after):
            found += [Repair(start + i, "check_digit") for i in _differences(before, after)]
        else:
            found.append(Repair(start + next(_differences(before, after), len(before)), "length"))
    return tuple(found)


def _differences(before: str, after: str) -> Iterator[int]:
    return (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b)


def _fields(zone: str, layout: Layout, today: date, repairs: tuple[Repair, ...]) -> MachineReadableZone:
    surname, given_names, truncated = split_names(layout.names.of(zone))
    number, _, taken = document_number(zone, layout)
    birth = birth_date(layout.birth_date.of(zone), today)
    expiry = expiry_date(layout.expiry_date.of(zone), today)
    return MachineReadableZone(
        format=layout.format,
        lines=layout.lines_of(zone),
        document_code=_plain(layout.document_code.of(zone)),
        issuing_state=_plain(layout.issuing_state.of(zone)),
        surname=surname,
        given_names=given_names,
        names_truncated=truncated,
        document_number=_plain(number),
        nationality=_plain(layout.nationality.of(zone)),
        birth_date=birth.as_date() if birth else None,
        birth_date_parts=birth,
        sex=_SEXES.get(zone[layout.sex], "unspecified"),
        expiry_date=expiry.as_date() if expiry else None,
        expiry_date_parts=expiry,
        optional_data=_plain(layout.optional_data.of(zone)[taken:]),
        optional_data_2=_plain(layout.optional_data_2.of(zone)),
        checks=check_results(zone, layout),
        repairs=repairs,
        document_number_alternatives=alternative_document_numbers(zone, layout),
    )


def _plain(field: str) -> str:
    """Return a field without its outer fillers; inner ones stand for spaces."""
    return field.strip(FILLER).replace(FILLER, " ")


def _refusal(code: str, zh: str, en: str) -> BadInput:
    return BadInput(code, Text(zh=zh, en=en), _ADVICE)
