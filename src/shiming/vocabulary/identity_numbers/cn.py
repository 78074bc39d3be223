"""Resident identity number of China (公民身份号码), GB 11643-1999.

Eighteen characters: six digits of the administrative division (GB/T 2260) where the holder was
registered, eight digits of the birth date, three digits of sequence (the last one odd for men, even for
women) and a check character by ISO 7064 MOD 11-2 (`0`-`9` or `X`).

* The check character and the calendar date are those of the standard (python-stdnum `cn.ric` computes
  the first).
* The division must have been in force when the number was given. Numbers are given when the birth is
  registered, in the year of the birth or the next one. People born before numbers existed got theirs when
  the population was first numbered, from 1984 on; that was over when the 18-character form came on
  1 October 1999. Asking for a division in force on the very birth date would refuse most people born
  before 1982, because the published tables begin there.
* Residence permits of people from Hong Kong, Macao and Taiwan (since 2018) have the divisions 810000,
  820000 and 830000, whatever the birth date.
* The fifteen-digit form (two-digit year, no check character) is invalid since 2013 and has its own reason.

More: GB 11643-1999, GB/T 2260; 中华人民共和国居民身份证法 article 3.

>>> number = ResidentIdentityNumber.parse("11010519491231002x")
>>> number
ResidentIdentityNumber(11**************2X)
>>> number.birth_date.isoformat(), number.sex, number.division, number.division_name
('1949-12-31', 'female', '110105', '北京市朝阳区')
>>> number.reveal("doctest")
'11010519491231002X'
>>> problems_of("110105194912310021")
('ID_NUMBER_CHECK_CHARACTER',)
>>> problems_of("110105491231002")
('ID_NUMBER_FIFTEEN_DIGITS',)
>>> ResidentIdentityNumber.parse("110105194902300027")
Traceback (most recent call last):
    ...
shiming.vocabulary.errors.BadInput: ID_NUMBER_BIRTH_DATE: ...
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal, Self

from stdnum import numdb
from stdnum.cn import ric

from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.masking import MaskedValue, mask_identity_number

Sex = Literal["male", "female"]

LENGTH = 18
LENGTH_BEFORE_1999 = 15
FIRST_NUMBERING_ENDED = 1999  # the 18-character form came on 1 October 1999
PERMIT_DIVISIONS = {"810000": "香港特别行政区", "820000": "澳门特别行政区", "830000": "台湾省"}

_SEPARATORS = re.compile(r"[\s\u00b7.\-]+")
_ADVICE = Text(zh="请核对证件上的号码。", en="Compare with the number on the card.")
_PROBLEMS = {
    "ID_NUMBER_FIFTEEN_DIGITS": Text(
        zh="15位身份证号码自2013年起已失效，请使用18位号码。",
        en="Fifteen-digit identity numbers are invalid since 2013; the eighteen-character number is needed.",
    ),
    "ID_NUMBER_LENGTH": Text(zh="公民身份号码应为18位。", en="An identity number has eighteen characters."),
    "ID_NUMBER_CHARACTERS": Text(
        zh="公民身份号码应为17位数字加一位数字或X。",
        en="An identity number is seventeen digits and a last digit or X.",
    ),
    "ID_NUMBER_DIVISION": Text(
        zh="公民身份号码的前六位不是行政区划代码。", en="The first six digits are no administrative division."
    ),
    "ID_NUMBER_DIVISION_NOT_AT_BIRTH": Text(
        zh="公民身份号码的行政区划代码在出生登记时尚未启用或已撤销。",
        en="The administrative division was not in force when the birth was registered.",
    ),
    "ID_NUMBER_BIRTH_DATE": Text(
        zh="公民身份号码中的出生日期不存在。", en="The birth date in the number does not exist."
    ),
    "ID_NUMBER_BIRTH_IN_FUTURE": Text(
        zh="公民身份号码中的出生日期在未来。", en="The birth date in the number lies in the future."
    ),
    "ID_NUMBER_CHECK_CHARACTER": Text(
        zh="公民身份号码的校验码不正确。", en="The check character of the number is wrong."
    ),
}


@dataclass(frozen=True, slots=True, repr=False)
class ResidentIdentityNumber(MaskedValue):
    """A number that passed every test of `problems_of`."""

    @classmethod
    def parse(cls, text: str, *, on: date | None = None) -> Self:
        """Return the number in `text`; raise BadInput with the code of its first problem."""
        problems = problems_of(text, on=on)
        if problems:
            raise BadInput(problems[0], _PROBLEMS[problems[0]], _ADVICE, {"problems": list(problems)})
        return cls(compact(text))

    def masked(self) -> str:
        """Return the province and the last two characters."""
        return mask_identity_number(self._clear)

    @property
    def birth_date(self) -> date:
        """The birth date."""
        return date(int(self._clear[6:10]), int(self._clear[10:12]), int(self._clear[12:14]))

    @property
    def sex(self) -> Sex:
        """The sex that the sequence number tells."""
        return "male" if int(self._clear[16]) % 2 else "female"

    @property
    def division(self) -> str:
        """The six-digit administrative division of the first registration (GB/T 2260)."""
        return self._clear[:6]

    @property
    def division_name(self) -> str:
        """The name that the division had when the number was given, with its province."""
        names = _names_in_force(self.division, self.birth_date.year)
        return names[0]

    @property
    def is_residence_permit(self) -> bool:
        """Whether this is the number of a residence permit for Hong Kong, Macao or Taiwan residents."""
        return self.division in PERMIT_DIVISIONS


def problems_of(text: str, *, on: date | None = None) -> tuple[str, ...]:
    """List every problem of a candidate number, most basic first; an empty tuple means a valid number.

    With `on`, a birth after that day is a problem too.

    >>> problems_of("999999194913310021")
    ('ID_NUMBER_DIVISION', 'ID_NUMBER_BIRTH_DATE', 'ID_NUMBER_CHECK_CHARACTER')
    """
    number = compact(text)
    if len(number) == LENGTH_BEFORE_1999 and _digits(number):
        return ("ID_NUMBER_FIFTEEN_DIGITS",)
    if len(number) != LENGTH:
        return ("ID_NUMBER_LENGTH",)
    if not _digits(number[:-1]) or not (_digits(number[-1]) or number[-1] == "X"):
        return ("ID_NUMBER_CHARACTERS",)
    birth = _birth_date(number)
    found = (
        _division_problem(number[:6], birth),
        "ID_NUMBER_BIRTH_DATE" if birth is None else "",
        "ID_NUMBER_BIRTH_IN_FUTURE" if birth and on and birth > on else "",
        "" if ric.calc_check_digit(number) == number[-1] else "ID_NUMBER_CHECK_CHARACTER",
    )
    return tuple(problem for problem in found if problem)


def check_character(first_seventeen: str) -> str:
    """Return the check character that belongs to the first seventeen digits.

    >>> [check_character(n) for n in ("11010519491231002", "12345678901234567", "34052419800101001")]
    ['X', '7', 'X']
    """
    if len(first_seventeen) != LENGTH - 1 or not _digits(first_seventeen):
        raise BadInput("ID_NUMBER_CHARACTERS", _PROBLEMS["ID_NUMBER_CHARACTERS"], _ADVICE)
    return str(ric.calc_check_digit(first_seventeen + "0"))


def compact(text: str) -> str:
    """Return `text` without separators, in half-width upper case.

    >>> compact("110105 19491231 002ｘ")
    '11010519491231002X'
    """
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _birth_date(number: str) -> date | None:
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def _division_problem(division: str, birth: date | None) -> str:
    if not _periods(division):
        return "ID_NUMBER_DIVISION"
    if birth and not _names_in_force(division, birth.year):
        return "ID_NUMBER_DIVISION_NOT_AT_BIRTH"
    return ""


def _names_in_force(division: str, birth_year: int) -> tuple[str, ...]:
    """Return the names of `division` in force at some time while a person born then could get a number."""
    last_year = max(birth_year + 1, FIRST_NUMBERING_ENDED)
    return tuple(name for start, end, name in _periods(division) if start <= last_year and birth_year <= end)


@lru_cache(maxsize=4096)
def _periods(division: str) -> tuple[tuple[int, int, str], ...]:
    """Return (first year, last year, name) of each period in which `division` was assigned."""
    if division in PERMIT_DIVISIONS:
        return ((0, 9999, PERMIT_DIVISIONS[division]),)
    found = {key: value for _, entry in numdb.get("cn/loc").info(division) for key, value in entry.items()}
    return tuple(
        _period(found["province"], county) for county in found.get("county", "").split(",") if county
    )


def _period(province: str, county: str) -> tuple[int, int, str]:
    """Read `[1982-1999]昌平县`, the form of python-stdnum's table; no years means always."""
    years, closed, name = county.removeprefix("[").partition("]")
    start, _, end = years.partition("-") if closed else ("", "", "")
    place = name if closed else county
    full_name = place if place.startswith(province) else province + place
    return int(start or 0), int(end or 9999), full_name
