"""The invented cards of the sandbox reader, made of a population file's people.

The photo block of a real card is encoded by a proprietary codec. That of an invented one says in clear that
it is none, and names a picture beside the population file; only `decoder.SandboxPortraits` takes it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from shiming.identity_proofing.connectors.sdt_reader.card_text import CardText, encode_card_text
from shiming.identity_proofing.connectors.sdt_reader.reader import PHOTO_BYTES
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.identity_numbers.cn import ResidentIdentityNumber

MARK = b"SHIMING SANDBOX PORTRAIT, NO WLT\x00"
LONG_TERM = "long_term"
CARDS_MAX = 10_000
FILE_BYTES_MAX = 8_000_000
_ADDRESS = "沙盒市示例区虚构路1号"
_ISSUER = "沙盒市公安局示例分局"
_YEARS_IN_FORCE = 20


@dataclass(frozen=True, slots=True)
class SandboxCard:
    """Both blocks of an invented card."""

    text: bytes = field(repr=False)
    photo: bytes = field(repr=False)


def read_cards(file: Path) -> tuple[SandboxCard, ...]:
    """Return the cards of the people of a population file; raise BadInput for one that cannot be used."""
    try:
        with file.open("rb") as stream:
            people = json.loads(stream.read(FILE_BYTES_MAX))["people"]
        cards = tuple(card_of(person) for person in people[:CARDS_MAX])
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise _unusable() from error
    if not cards:
        raise _unusable()
    return cards


def card_of(person: Mapping[str, Any]) -> SandboxCard:
    """Return the card of one person of a population file."""
    number = ResidentIdentityNumber.parse(person["number"])
    until = person.get("valid_to") or LONG_TERM
    valid_to = None if until == LONG_TERM else date.fromisoformat(until)
    text = CardText(
        name=person["name"],
        sex=number.sex,
        birth_date=number.birth_date,
        address=person.get("address") or _ADDRESS,
        number=person["number"],
        issuer=_ISSUER,
        valid_from=_years_before(valid_to) if valid_to else date(2020, 1, 1),
        valid_to=valid_to,
    )
    # the ethnicity (01, the most frequent) is on the card so that a test can see it dropped
    return SandboxCard(encode_card_text(text, ethnicity="01"), _photo(person.get("portrait") or ""))


def _photo(portrait: str) -> bytes:
    return (MARK + portrait.encode()).ljust(PHOTO_BYTES, b"\x00")[:PHOTO_BYTES]


def _years_before(day: date) -> date:
    month_day = (day.month, 28) if (day.month, day.day) == (2, 29) else (day.month, day.day)
    return date(day.year - _YEARS_IN_FORCE, *month_day)


def _unusable() -> BadInput:
    return BadInput(
        "POPULATION_INVALID",
        Text(zh="人口文件无法读取。", en="The population file cannot be read."),
        Text(
            zh='格式：{"people": [{"number": ..., "name": ..., "portrait": ...}]}。',
            en='Its form: {"people": [{"number": ..., "name": ..., "portrait": ...}]}.',
        ),
    )
