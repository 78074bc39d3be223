"""What may be shown of a personal value: the shape stays, the content goes.

A masked value lets a clerk and a holder recognise what they both know already, and tells nobody else.
Each function accepts any text, never raises, and shows nothing at all of a text too short to mask.

>>> mask_identity_number("11010519491231002X")
'11**************2X'
>>> mask_phone("+8613800138000")
'+86138****8000'
>>> mask_name("张三丰"), mask_name("Anna Maria Eriksson")
('**丰', 'A*** M**** E*******')
>>> mask_address("北京市朝阳区建国路1号2单元")
'北京市朝阳区***'
"""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass

_DIVISIONS = re.compile(
    r"^([\u3400-\u9fff]{2,6}?(?:省|自治区|特别行政区))?"
    r"([\u3400-\u9fff]{2,8}?(?:市|自治州|地区|盟))?"
    r"([\u3400-\u9fff]{1,8}?(?:区|县|旗|市))?"
)
_PREFIX_MAX = 24  # the longest names of a province, a prefecture and a county together


def mask_middle(text: str, *, first: int, last: int) -> str:
    """Star everything but the `first` and `last` characters; all of it when that would hide less than half.

    >>> mask_middle("E12345678", first=1, last=2), mask_middle("AB", first=1, last=1)
    ('E******78', '**')
    """
    hidden = len(text) - first - last
    if hidden * 2 < len(text):
        return "*" * len(text)
    return text[:first] + "*" * hidden + text[len(text) - last :]


def mask_identity_number(text: str) -> str:
    """Keep the province and the last two characters of a resident number, less of a shorter number."""
    long_number = 15
    return (
        mask_middle(text, first=2, last=2) if len(text) >= long_number else mask_middle(text, first=1, last=2)
    )


def mask_phone(text: str) -> str:
    """Hide the four digits before the last four; of a short number, everything but the last two.

    >>> mask_phone("110"), mask_phone("+6591234567")
    ('*10', '+65****4567')
    """
    long_number = 9
    if len(text) < long_number:
        return "*" * len(text[:-2]) + text[-2:] if text[:-2] else "*" * len(text)
    return text[:-8] + "****" + text[-4:]


def mask_name(text: str) -> str:
    """Keep the last Han character, or the first letter of each Latin word.

    >>> mask_name("三"), mask_name("")
    ('*', '')
    """
    if any("\u2e80" <= character <= "\U0003ffff" for character in text):
        return "*" * (len(text) - 1) + text[-1] if len(text) > 1 else "*"
    return " ".join(word[0] + "*" * (len(word) - 1) if len(word) > 1 else "*" for word in text.split())


def mask_address(text: str) -> str:
    """Keep the administrative divisions down to the county; the rest becomes three stars.

    >>> mask_address("1 Main Street, Springfield")
    '***'
    """
    return administrative_prefix(text) + "***"


def administrative_prefix(text: str) -> str:
    """Return the names of province, city and county that a Chinese address begins with.

    >>> administrative_prefix("广西壮族自治区桂林市阳朔县某路1号"), administrative_prefix("上海市")
    ('广西壮族自治区桂林市阳朔县', '上海市')
    """
    return "".join(part or "" for part in _DIVISIONS.findall(text[:_PREFIX_MAX])[0])


@dataclass(frozen=True, slots=True, repr=False)
class MaskedValue(ABC):
    """A personal value that shows itself masked; the clear text needs a stated purpose.

    The purpose is for the access log of the caller; asking without one is a mistake of the program.
    """

    _clear: str

    def reveal(self, purpose: str) -> str:
        """Return the clear value for `purpose`, which the caller records in the access log."""
        if not purpose.strip():
            message = "a clear value is only given for a stated purpose"
            raise ValueError(message)
        return self._clear

    @abstractmethod
    def masked(self) -> str:
        """Return what may be shown."""

    def __str__(self) -> str:
        return self.masked()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.masked()})"
