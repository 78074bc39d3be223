"""Opaque reference numbers such as `SES-0082-0C20-A1G7-D`: safe to read aloud, without any meaning.

A prefix of two to four letters for the kind of thing, twelve random characters in groups of four (60 bits)
from Crockford's base 32 - digits and letters without I, L, O, U - and a check character by the hybrid
system of ISO 7064 over that alphabet, which finds every single wrong character and nearly every swap of
two neighbours. Randomness is passed in (`os.urandom(8)`); nothing about a person or a time is inside, so
a reference may stand in logs, events and messages in clear.

>>> number = ReferenceNumber.create("SES", bytes(range(8)))
>>> str(number), number.prefix
('SES-0082-0C20-A1G7-D', 'SES')
>>> ReferenceNumber.parse("ses OO82 oc2O aLg7 d", prefix="SES") == number
True
>>> ReferenceNumber.parse("SES-0082-0C20-A1G8-D")
Traceback (most recent call last):
    ...
shiming.vocabulary.errors.BadInput: REFERENCE_CHECK_CHARACTER: ...
"""

import re
from dataclasses import dataclass
from typing import Self

from stdnum.iso7064 import mod_37_36

from shiming.vocabulary.errors import BadInput, Text

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_BYTES = 8
RANDOM_CHARACTERS = 12
_BITS = 5
_FORM = re.compile(rf"([A-HJKMNP-TV-Z]{{2,4}})([{ALPHABET}]{{{RANDOM_CHARACTERS}}})([{ALPHABET}])")
_PREFIX = re.compile(r"[A-HJKMNP-TV-Z]{2,4}")
_HEARD_AS = str.maketrans("OIL", "011")
_ADVICE = Text(zh="请核对编号后重新输入。", en="Compare the reference and enter it again.")


@dataclass(frozen=True, slots=True, order=True)
class ReferenceNumber:
    """One reference in its canonical form."""

    text: str

    @classmethod
    def create(cls, prefix: str, random_bytes: bytes) -> Self:
        """Make a reference of the kind `prefix` from at least eight random bytes."""
        if not _PREFIX.fullmatch(prefix) or len(random_bytes) < RANDOM_BYTES:
            message = (
                f"a reference needs two to four letters without I, L, O, U and {RANDOM_BYTES} random bytes"
            )
            raise ValueError(message)
        number = int.from_bytes(random_bytes[:RANDOM_BYTES], "big")
        shifts = range(_BITS * (RANDOM_CHARACTERS - 1), -1, -_BITS)
        return cls(_grouped(prefix, "".join(ALPHABET[number >> shift & 0x1F] for shift in shifts)))

    @classmethod
    def parse(cls, text: str, prefix: str | None = None) -> Self:
        """Read a typed or spoken reference, of the kind `prefix` when given; raise BadInput otherwise."""
        compact = re.sub(r"[\s-]+", "", text).upper()
        letters = max(len(compact) - RANDOM_CHARACTERS - 1, 0)
        found = _FORM.fullmatch(compact[:letters] + compact[letters:].translate(_HEARD_AS))
        if not found:
            raise BadInput(
                "REFERENCE_FORMAT", Text(zh="编号格式不正确。", en="This is no reference number."), _ADVICE
            )
        kind, random_part, check = found.groups()
        if prefix is not None and kind != prefix:
            raise BadInput(
                "REFERENCE_KIND", Text(zh="编号类型不符。", en="This reference is of another kind."), _ADVICE
            )
        if _check_character(kind + random_part) != check:
            raise BadInput(
                "REFERENCE_CHECK_CHARACTER", Text(zh="编号有误。", en="A character is wrong."), _ADVICE
            )
        return cls(_grouped(kind, random_part))

    @property
    def prefix(self) -> str:
        """The kind of the thing that is referred to."""
        return self.text.partition("-")[0]

    def __str__(self) -> str:
        return self.text


def _grouped(prefix: str, random_part: str) -> str:
    groups = [random_part[i : i + 4] for i in range(0, RANDOM_CHARACTERS, 4)]
    return "-".join([prefix, *groups, _check_character(prefix + random_part)])


def _check_character(text: str) -> str:
    return str(mod_37_36.calc_check_digit(text, ALPHABET))
