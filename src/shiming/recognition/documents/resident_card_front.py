"""The front of a resident identity card: name, sex, birth date, address, number (GA 448).

The ethnicity printed beside the sex is skipped on purpose and never leaves this module.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from shiming.recognition.documents.card_fields import NOTHING, Agreed, CardFields, agreed_text
from shiming.recognition.documents.card_text import CardLine, CardText, SecondLook, from_to
from shiming.recognition.documents.identity_number import (
    AGREEING_MIN,
    NumberReading,
    find_number_line,
    read_number,
)
from shiming.recognition.text_recognition import Reading

_LABELS = ("姓名", "性别", "民族", "出生", "住址", "公民身份号码")
_SEX = re.compile(r"[男女]")
_SEX_ROW = re.compile(r"性别|民族|^性?别?[男女]|[男女]民")
_NAME_LABEL = re.compile(r"姓名|^[姓妊性]?名|^姓")
_BIRTH = re.compile(r"(\d{4})年?(\d{1,2})月?(\d{1,2})日?$|(\d{4})年(\d{1,2})月(\d{1,2})")
_ADDRESS_LABEL = re.compile(r"住址|^住?[址处]|^住")
_NAME = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff·]{2,20}")
_DOTS = str.maketrans("•・･.∙⋅。-", "········")
_ETHNICITY = re.compile(r"民族?.{0,4}$")
_PORTRAIT_LEFT = 0.63  # of the card's width
_SEXES = {"男": "male", "女": "female"}
_DATE_ALPHABET = {sign: sign for sign in "0123456789年月日"} | {
    "O": "0",
    "o": "0",
    "l": "1",
    "I": "1",
    "|": "1",
}
_BIRTH_READINGS_MAX = 8
_SEX_ALPHABET = {"男": "男", "女": "女"}
_LABEL_SLACK_LINE_HEIGHTS = 0.4
_COLUMN_SLACK_LINE_HEIGHTS = 2.5  # a further line of the address begins where values begin
_CONFIDENCE_MIN, _LETTER_MIN, _LETTER_SURE = 0.6, 0.5, 0.8


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows by what they hold; the row of a label that was not seen is empty."""

    name: tuple[CardLine, ...]
    sex: tuple[CardLine, ...]
    birth: tuple[CardLine, ...]
    address: tuple[tuple[CardLine, ...], ...]
    value_left: float  # where the values begin, in pixels
    column_is_sure: bool  # several labels say so
    right: float  # where they must end: the portrait


def front_signs(text: CardText) -> int:
    """Count what only the front has."""
    whole = text.text
    signs = sum(label in whole for label in _LABELS)
    return signs + 2 * (find_number_line(text) is not None) + bool(_BIRTH.search(whole))


def read_front(text: CardText, look: SecondLook, today: date) -> CardFields:
    """Read the fields; what two readings do not agree on is left out."""
    number_line = find_number_line(text)
    number = read_number(number_line, look, today) if number_line else None
    rows = _rows(text, number_line, look.card.image.shape[1])
    birth = _birth_date(rows, look, number)
    sex = _sex(rows, look)
    name = _name(rows, look)
    address, address_confidence = _address(rows)
    agreed = {"name": name, "sex": sex, "birth_date": birth}
    values = {key: field.text for key, field in agreed.items() if field.count >= AGREEING_MIN}
    confidence = {key: field.confidence for key, field in agreed.items()}
    confidence["address"] = address_confidence
    if address_confidence > _CONFIDENCE_MIN:
        values["address"] = address
    checks = _cross_checks(number, birth, sex)
    if number is not None:
        confidence["number"] = number.confidence
        if number.is_valid and checks and all(checks.values()):
            values["number"] = number.candidate
    return CardFields(values, confidence, number.is_valid if number else None, checks)


def _cross_checks(number: NumberReading | None, birth: Agreed, sex: Agreed) -> dict[str, bool]:
    if number is None:
        return {}
    parsed = number.parsed
    return {
        "number_second_reading": number.is_valid and number.agreeing >= AGREEING_MIN,
        "number_birth_date": parsed is not None and parsed.birth_date.isoformat() == birth.text,
        "number_sex": parsed is not None and parsed.sex == _SEXES.get(sex.text),
    }


def _rows(text: CardText, number: CardLine | None, width: int) -> _Rows:
    right = _PORTRAIT_LEFT * width
    left = _labels_left(text)
    rows = [tuple(line for line in row if line.left < right and line.right > left) for row in text.rows]
    if number is not None:
        top = float(number.line.corners[:, 1].min())
        rows = [row for row in rows if row and row[0].line.centre[1] < top]
    rows = [row for row in rows if row]
    texts = ["".join(line.text for line in row) for row in rows]
    sex = _first(texts, _SEX_ROW)
    birth = _first(texts, re.compile(r"^出生|^出?生?\d{4}年|\d{4}年\d"))
    name = _first(texts, _NAME_LABEL)
    if name is None and sex:
        name = sex - 1
    value_left, column_is_sure = _value_left(rows, width)
    address_from = birth + 1 if birth is not None else sex + 2 if sex is not None else len(rows)
    return _Rows(
        name=rows[name] if name is not None else (),
        sex=rows[sex] if sex is not None else (),
        birth=rows[birth] if birth is not None else (),
        address=tuple(rows[address_from:]),
        value_left=value_left,
        column_is_sure=column_is_sure,
        right=right,
    )


def _labels_left(text: CardText) -> float:
    """Return where the labels begin; text that ends left of it lies beside the card."""
    lefts = [line.left for line in text.lines if line.text[:2] in _LABELS]
    return float(np.median(lefts)) if lefts else 0.0


def _first(texts: list[str], pattern: re.Pattern[str]) -> int | None:
    return next((index for index, text in enumerate(texts) if pattern.search(text)), None)


def _value_left(rows: list[tuple[CardLine, ...]], width: int) -> tuple[float, bool]:
    """Return where values begin, right of the labels of two characters, and whether several labels say so."""
    ends = []
    for row in rows:
        match = re.match(r"姓名|性别|出生|住址", row[0].text)
        if match:
            ends.append(row[0].part(0, 2).right if len(row[0].text) > 2 else row[0].right)
    return (float(np.median(ends)) if ends else 0.15 * width), len(ends) > 1


def _value(row: tuple[CardLine, ...], label: re.Pattern[str], rows: _Rows) -> list[CardLine]:
    """Return the lines of a row right of its label; what stands before the label is not of the card."""
    value = list(row)
    for index, line in enumerate(row):
        match = label.search(line.text)
        if match:
            rest = line.part(match.end()) if match.end() < len(line.text) else None
            value = [rest, *row[index + 1 :]] if rest else list(row[index + 1 :])
            break
    if not rows.column_is_sure:
        return value
    parts = (line.right_of(rows.value_left - _LABEL_SLACK_LINE_HEIGHTS * line.line.height) for line in value)
    return [part for part in parts if part is not None]


def _joined(lines: list[CardLine]) -> Reading:
    return Reading(tuple(letter for line in lines for letter in line.reading.letters))


def _strip(row: tuple[CardLine, ...], left: float, right: float) -> Iterator[CardLine]:
    """Yield the strip of a row between two x, following its longest line."""
    if row and right > left:
        longest = max(row, key=lambda line: line.line.width)
        yield CardLine(from_to(longest.line, left, right), Reading())


def _name(rows: _Rows, look: SecondLook) -> Agreed:
    if not rows.name:
        return NOTHING
    value = _value(rows.name, _NAME_LABEL, rows)
    strips = [line.line for line in _strip(rows.name, rows.value_left, rows.right)]
    if value:
        end = value[-1].right + 0.6 * value[-1].line.height
        strips.insert(0, from_to(value[0].line, value[0].left, min(end, rows.right)))
    readings = itertools.chain([_joined(value)], look.readings_in_turn(strips))
    return agreed_text(readings, _as_name, readings_max=7, weakest_min=_LETTER_MIN)


def _as_name(text: str) -> str:
    text = text[match.end() :] if (match := _NAME_LABEL.search(text)) else text
    text = text.translate(_DOTS).strip("·")
    return text if _NAME.fullmatch(text) else ""


def _sex(rows: _Rows, look: SecondLook) -> Agreed:
    if not rows.sex:
        return NOTHING
    first = _joined(list(rows.sex))
    lines = [line for line in rows.sex if _SEX.search(line.text)]
    if lines:
        at = _SEX.search(lines[0].text)
        place = lines[0].part(at.start(), at.end()).line if at else lines[0].line
    else:
        height = rows.sex[0].line.height
        place = from_to(rows.sex[0].line, rows.value_left, rows.value_left + 2 * height)
    readings = itertools.chain([first], look.readings(place, _SEX_ALPHABET))
    return agreed_text(readings, lambda text: found.group() if (found := _SEX.search(text)) else "")


def _birth_date(rows: _Rows, look: SecondLook, number: NumberReading | None) -> Agreed:
    """Read the birth date; a reading that equals the valid number's date is agreed by that."""
    if not rows.birth:
        return NOTHING
    value = _value(rows.birth, re.compile(r"^出?生"), rows)
    strip = from_to(max(rows.birth, key=lambda line: line.line.width).line, rows.value_left, rows.right)
    readings = itertools.chain(
        [_joined(value)],
        itertools.islice(look.readings(strip), 2),
        look.readings(strip, _DATE_ALPHABET),
    )
    known = number.parsed.birth_date.isoformat() if number and number.parsed else ""
    found: dict[str, list[Reading]] = {}
    for reading in itertools.islice(readings, _BIRTH_READINGS_MAX):
        text = _as_date(reading.text)
        if text and text == known:
            return Agreed(text, AGREEING_MIN, reading.confidence)
        if text:
            found.setdefault(text, []).append(reading)
    return _most_frequent(found, weakest_min=_LETTER_SURE if known else 0.0)


def _most_frequent(found: dict[str, list[Reading]], *, weakest_min: float) -> Agreed:
    """Return the date read most often; against a valid number only characters read surely count."""
    counts = {text: sum(one.weakest >= weakest_min for one in same) for text, same in found.items()}
    if not counts:
        return NOTHING
    best = max(counts, key=lambda text: counts[text])
    return Agreed(best, counts[best], found[best][0].confidence / 2)


def _as_date(text: str) -> str:
    match = _BIRTH.search(text)
    if not match:
        return ""
    year, month, day = (int(part) for part in match.groups() if part is not None)
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return ""


def _address(rows: _Rows) -> tuple[str, float]:
    parts: list[Reading] = []
    for index, row in enumerate(rows.address):
        if index and abs(row[0].left - rows.value_left) > _COLUMN_SLACK_LINE_HEIGHTS * row[0].line.height:
            break
        lines = _value(row, _ADDRESS_LABEL, rows) if index == 0 else list(row)
        parts.append(_joined(lines))
    whole = Reading(tuple(letter for part in parts for letter in part.letters))
    text = whole.text.rpartition("住址")[2]
    # a birth date in it means that rows ran together: better no address than that of two fields
    return (text, whole.confidence) if not _BIRTH.search(text) else ("", 0.0)
