"""Invented people. Nobody here exists; numbers are valid by GB 11643 and follow from a seed.

>>> person = generate_person(7)
>>> person == generate_person(7), number_check_character(person.number[:17]) == person.number[17]
(True, True)
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from pypinyin import Style, lazy_pinyin

from tools.specimens.divisions import Division, divisions_in_force
from tools.specimens.name_stock import (
    ETHNICITIES,
    GIVEN_CHARACTERS,
    MINORITY_NAMES,
    RARE_CHARACTERS,
    ROADS,
    SURNAMES,
    VILLAGES,
)

ISSUED_ON = date(2025, 3, 17)  # "today" of the specimens, a parameter everywhere
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True)
class Person:
    """What is printed on the documents of one invented person. `valid_to` None = 长期."""

    name: str
    sex: str  # 男 or 女
    ethnicity: str  # printed by the card; the product never stores it
    birth_date: date
    address: str
    number: str
    issuer: str
    valid_from: date
    valid_to: date | None
    surname_latin: str
    given_latin: str

    def front_truth(self) -> dict[str, str]:
        """Return the fields of the front as `shiming measure document` names them."""
        return {
            "name": self.name,
            "sex": self.sex,
            "birth_date": self.birth_date.isoformat(),
            "address": self.address,
            "number": self.number,
        }

    def back_truth(self) -> dict[str, str]:
        """Return the fields of the back; valid_to is an ISO date or `长期`."""
        return {
            "issuer": self.issuer,
            "valid_from": self.valid_from.isoformat(),
            "valid_to": self.valid_to.isoformat() if self.valid_to else "长期",
        }


def number_check_character(first_17: str) -> str:
    """Return the last character of a resident identity number (ISO 7064 MOD 11-2).

    >>> number_check_character("11010519491231002"), number_check_character("34052419800101001")
    ('X', 'X')
    """
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def _pick(rng: np.random.Generator, choices: str | tuple[str, ...]) -> str:
    return choices[int(rng.integers(len(choices)))]


def _han_name(rng: np.random.Generator, rare_share: float) -> str:
    given = ""
    for _ in range(1 if rng.random() < 0.25 else 2):
        given += _pick(rng, RARE_CHARACTERS if rng.random() < rare_share else GIVEN_CHARACTERS)
    return _pick(rng, SURNAMES) + given


def _birth_date(rng: np.random.Generator, on: date) -> date:
    return on - timedelta(days=int(rng.integers(17 * 365, 86 * 365)))


def _address(rng: np.random.Generator, division: Division) -> str:
    number = int(rng.integers(1, 399))
    if division.name.endswith("区") or rng.random() < 0.4:
        tail = f"{_pick(rng, ROADS)}{number}号"
        if rng.random() < 0.75:
            tail += f"{int(rng.integers(1, 30))}号楼"
            if rng.random() < 0.6:
                tail += f"{int(rng.integers(1, 7))}单元"
            tail += f"{int(rng.integers(1, 33))}{int(rng.integers(1, 9)):02d}室"
    else:
        tail = f"{_pick(rng, VILLAGES)}{int(rng.integers(1, 20))}组{number}号"
    return division.full_name + tail


def _issuer(division: Division) -> str:
    if division.name.endswith("区") and division.prefecture.endswith("市"):
        return f"{division.prefecture}公安局{division.name.removesuffix('区')}分局"
    if division.name.endswith("区") and division.province.endswith("市"):
        return f"{division.province}公安局{division.name.removesuffix('区')}分局"
    return f"{division.name}公安局"


def validity_years(age: int) -> int | None:
    """Return for how many years a card is issued at this age (law on resident cards, art. 5); None = 长期."""
    if age < 16:
        return 5
    if age <= 25:
        return 10
    return 20 if age <= 45 else None


def _validity(rng: np.random.Generator, birth: date, on: date) -> tuple[date, date | None]:
    days_of_age = (on - birth).days
    start = on - timedelta(days=int(rng.integers(30, min(5 * 365, days_of_age - 16 * 365))))
    if (start.month, start.day) == (2, 29):
        start = start.replace(day=28)
    age = start.year - birth.year - ((start.month, start.day) < (birth.month, birth.day))
    years = validity_years(age)
    return start, start.replace(year=start.year + years) if years else None


def latin_name(name: str) -> tuple[str, str]:
    """Return surname and given names in pinyin as a passport prints them.

    >>> latin_name("王小明"), latin_name("欧阳旻")
    (('WANG', 'XIAOMING'), ('OUYANG', 'MIN'))
    """
    cut = 2 if name[:2] in SURNAMES else 1
    first, _, rest = name.partition("·")
    if rest:
        return _pinyin(rest.replace("·", "")), _pinyin(first)
    return _pinyin(name[:cut]), _pinyin(name[cut:])


def _pinyin(han: str) -> str:
    text = "".join(lazy_pinyin(han, style=Style.NORMAL, v_to_u=False, errors="ignore"))
    return text.upper().replace("V", "YU").replace("Ü", "YU")


def generate_person(
    seed: int,
    *,
    on: date = ISSUED_ON,
    name: str | None = None,
    sex: str | None = None,
    birth_date: date | None = None,
    minority_share: float = 0.08,
    rare_share: float = 0.06,
) -> Person:
    """Return the invented person of this seed, with some facts fixed if wanted."""
    rng = np.random.default_rng([seed, 11643])
    ethnicity = "汉" if rng.random() < 0.85 else _pick(rng, ETHNICITIES)
    if rng.random() < minority_share:
        chosen, ethnicity = MINORITY_NAMES[int(rng.integers(len(MINORITY_NAMES)))]
    else:
        chosen = _han_name(rng, rare_share)
    chosen = name or chosen
    birth = birth_date or _birth_date(rng, on)
    male = sex == "男" if sex else bool(rng.random() < 0.5)
    birth_places = divisions_in_force(max(birth.year, 1950), on.year)
    home = birth_places[int(rng.integers(len(birth_places)))]
    sequence = int(rng.integers(0, 499)) * 2 + (1 if male else 2)
    first_17 = f"{home.code}{birth:%Y%m%d}{sequence:03d}"
    valid_from, valid_to = _validity(rng, birth, on)
    surname, given = latin_name(chosen)
    return Person(
        name=chosen,
        sex="男" if male else "女",
        ethnicity=ethnicity,
        birth_date=birth,
        address=_address(rng, home),
        number=first_17 + number_check_character(first_17),
        issuer=_issuer(home),
        valid_from=valid_from,
        valid_to=valid_to,
        surname_latin=surname,
        given_latin=given,
    )
