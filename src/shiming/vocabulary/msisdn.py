"""Telephone number of a line (MSISDN), ITU-T E.164.

A plus sign, the country code and the national number, at most fifteen digits in all. Numbers in national
form are read with the numbering plan of `region` (ISO 3166-1 alpha-2). Plans and validity come from
`phonenumbers` (Google's libphonenumber data).

>>> number = Msisdn.parse("138 0013 8000", region="CN")
>>> number, number.country_code, number.region
(Msisdn(+86138****8000), 86, 'CN')
>>> number.reveal("doctest")
'+8613800138000'
>>> Msisdn.parse("+8613800138000") == number
True
>>> Msisdn.parse("13800138000")
Traceback (most recent call last):
    ...
shiming.vocabulary.errors.BadInput: MSISDN_COUNTRY_UNKNOWN: ...

Plans have series that those data do not know, such as the thirteen digits of industry cards; whoever knows of
them names them, as a prefix in E.164 and how many digits follow the country code.

>>> Msisdn.parse("+86 1064 1234 56789", also=(NumberSeries.parse("+861064:13"),)).region
'CN'
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import phonenumbers

from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.masking import MaskedValue, mask_phone

E164_LENGTH_MAX = 16  # a plus sign and fifteen digits
SERIES = re.compile(r"(\+[1-9][0-9]{1,12}):([4-9]|1[0-4])")
TEXT_LENGTH_MAX = 40  # the longest way to write fifteen digits with separators; more is no number

_ADVICE = Text(
    zh="请使用国际格式，例如 +86 138 0013 8000。", en="Use the international form, such as +86 138 0013 8000."
)


@dataclass(frozen=True, slots=True)
class NumberSeries:
    """Numbers of a plan that begin alike and have one length."""

    prefix: str  # in E.164
    digits: int  # of the number without its country code

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the series of a text such as `+861064:13`; raise BadInput.

        >>> NumberSeries.parse("+861064:13")
        NumberSeries(prefix='+861064', digits=13)
        """
        found = SERIES.fullmatch(text)
        if found is None:
            raise _refusal("NUMBER_SERIES_FORMAT", "号段写法不正确。", "A series is written like +861064:13.")
        return cls(found[1], int(found[2]))

    def contains(self, number: phonenumbers.PhoneNumber) -> bool:
        """Say whether a number that was read is of this series."""
        text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        length = len(phonenumbers.national_significant_number(number))
        return text.startswith(self.prefix) and length == self.digits and len(text) <= E164_LENGTH_MAX


@dataclass(frozen=True, slots=True, repr=False)
class Msisdn(MaskedValue):
    """One valid number in E.164 form."""

    @classmethod
    def parse(cls, text: str, region: str | None = None, *, also: Iterable[NumberSeries] = ()) -> Self:
        """Return the number in `text`; raise BadInput when it is none or not assigned in its plan.

        `also`: series of the plan that the data of numbering plans do not know.
        """
        if len(text) > TEXT_LENGTH_MAX:
            raise _refusal("MSISDN_FORMAT", "电话号码过长。", "The telephone number is too long.")
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException as problem:
            if problem.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
                raise _refusal(
                    "MSISDN_COUNTRY_UNKNOWN", "缺少国家代码。", "The country code is missing."
                ) from None
            raise _refusal("MSISDN_FORMAT", "这不是电话号码。", "This is no telephone number.") from None
        if number.extension:
            raise _refusal("MSISDN_EXTENSION", "电话号码不能带分机号。", "A line has no extension.")
        if not phonenumbers.is_valid_number(number) and not any(each.contains(number) for each in also):
            raise _refusal(
                "MSISDN_NOT_ASSIGNABLE", "号码不在编号计划内。", "The numbering plan has no such number."
            )
        return cls(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))

    def masked(self) -> str:
        """Return the number without the four digits before the last four."""
        return mask_phone(self._clear)

    @property
    def country_code(self) -> int:
        """The country code of the number."""
        return phonenumbers.parse(self._clear).country_code or 0

    @property
    def region(self) -> str | None:
        """The ISO 3166-1 region of the number, None for numbers without one (satellite, shared cost).

        A country code of several regions leaves open which one a number of an additional series belongs to.
        """
        region = phonenumbers.region_code_for_number(phonenumbers.parse(self._clear))
        return None if region == "001" else region


def _refusal(code: str, zh: str, en: str) -> BadInput:
    return BadInput(code, Text(zh=zh, en=en), _ADVICE)
