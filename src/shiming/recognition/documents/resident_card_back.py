"""The back of a resident identity card: issuer and validity (GA 448)."""

import re
from collections.abc import Iterator
from datetime import date

from shiming.recognition.documents.card_fields import NOTHING, Agreed, CardFields, agreed_text
from shiming.recognition.documents.card_text import CardLine, CardText, SecondLook, from_to
from shiming.recognition.text_recognition import Reading

LONG_TERM = "长期"
_SIGNS = ("中华人民共和国", "居民身份证", "签发机关", "有效期限", "公安局")
_ISSUER_LABEL = re.compile(r"签发机关|发机关|^机关|^签发")
_VALIDITY_LABEL = re.compile(r"有效期限|效期限|^期限|^有效")
_LABELS = re.compile("签发机关|有效期限")
_HAN = re.compile(r"[\u3400-\u9fff（）()]{4,40}")
_DATE = r"(\d{4})[.,。·]?(\d{2})[.,。·]?(\d{2})"
_PERIOD = re.compile(rf"{_DATE}[\-一—~－–至]*(?:{_DATE}|(长期?|.?期))")
_RIGHT = 0.95  # of the card's width: no value goes further
_AGREEING = 2


def back_signs(text: CardText) -> int:
    """Count what only the back has."""
    whole = text.text
    return sum(sign in whole for sign in _SIGNS) + 2 * bool(_PERIOD.search(whole))


def read_back(text: CardText, look: SecondLook) -> CardFields:
    """Read issuer and validity; what two readings do not agree on is left out."""
    issuer = _issuer(text, look)
    period = _period(text, look)
    values: dict[str, str] = {}
    if issuer.count >= _AGREEING:
        values["issuer"] = issuer.text
    if period.count >= _AGREEING and _same_day(period.text):
        values["valid_from"], values["valid_to"] = period.text.split("/")
    confidence = {"issuer": issuer.confidence, "valid_from": period.confidence, "valid_to": period.confidence}
    checks = {"validity_days_agree": _same_day(period.text)} if period.text else {}
    return CardFields(values, confidence, None, checks)


def _row(text: CardText, label: re.Pattern[str], content: re.Pattern[str]) -> tuple[CardLine, ...]:
    for row in text.rows:
        joined = "".join(line.text for line in row)
        if label.search(joined) or content.search(joined):
            return row
    return ()


def _values_left(text: CardText) -> float:
    """Return where both values begin, by the labels that were read in full; 0 if none was."""
    ends = []
    for line in text.lines:
        match = _LABELS.search(line.text)
        if match:
            whole = match.end() == len(line.text)
            ends.append(line.right if whole else line.part(match.start(), match.end()).right)
    return max(ends, default=0.0)


def _value(row: tuple[CardLine, ...], label: re.Pattern[str]) -> tuple[CardLine, ...]:
    """Return the lines of a row right of its label; what stands before the label is not of the card."""
    for index, line in enumerate(row):
        match = label.search(line.text)
        if match:
            rest = (line.part(match.end()),) if match.end() < len(line.text) else ()
            return (*rest, *row[index + 1 :])
    return row


def _readings(
    row: tuple[CardLine, ...], label: re.Pattern[str], look: SecondLook, values_left: float
) -> Iterator[Reading]:
    """Yield what the value of a row says: as found, then by second looks at its strip."""
    parts = (line.right_of(values_left - 0.4 * line.line.height) for line in _value(row, label))
    value = [part for part in parts if part is not None]
    if value:
        yield Reading(tuple(letter for line in value for letter in line.reading.letters))
    longest = max(value or row, key=lambda line: line.line.width).line
    left = value[0].left if value else max(values_left, row[0].right)
    strips = [from_to(longest, left, look.card.image.shape[1] * _RIGHT)]
    if value:
        strips.insert(0, from_to(longest, left, value[-1].right + longest.height))
    yield from look.readings_in_turn(strips)


def _issuer(text: CardText, look: SecondLook) -> Agreed:
    row = _row(text, _ISSUER_LABEL, re.compile("公安局|分局$"))
    return (
        agreed_text(_readings(row, _ISSUER_LABEL, look, _values_left(text)), _as_issuer) if row else NOTHING
    )


def _as_issuer(text: str) -> str:
    text = text[match.end() :] if (match := _ISSUER_LABEL.search(text)) else text
    return text if _HAN.fullmatch(text) else ""


def _period(text: CardText, look: SecondLook) -> Agreed:
    row = _row(text, _VALIDITY_LABEL, _PERIOD)
    return (
        agreed_text(_readings(row, _VALIDITY_LABEL, look, _values_left(text)), _as_period) if row else NOTHING
    )


def _as_period(text: str) -> str:
    """Return `from/to` in ISO form or with 长期; nothing for dates that do not exist or go backwards.

    >>> _as_period("2024.08.23-2044.08.23"), _as_period("20100131-长期"), _as_period("2024.08.23-2024.02.30")
    ('2024-08-23/2044-08-23', '2010-01-31/长期', '')
    """
    match = _PERIOD.search(text)
    if not match:
        return ""
    start, end = _iso(match.groups()[:3]), LONG_TERM if match.group(7) else _iso(match.groups()[3:6])
    return f"{start}/{end}" if start and end and start < end else ""


def _iso(parts: tuple[str | None, ...]) -> str:
    try:
        return date(*(int(part or 0) for part in parts)).isoformat()
    except ValueError:
        return ""


def _same_day(period: str) -> bool:
    """Whether a period ends on the day of the year on which it began, as they all do (or never)."""
    start, _, end = period.partition("/")
    return end == LONG_TERM or start[5:] == end[5:] or start[5:] == "02-29"
