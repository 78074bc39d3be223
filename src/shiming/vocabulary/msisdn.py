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
"""

from dataclasses import dataclass
from typing import Self

import phonenumbers

from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.masking import MaskedValue, mask_phone

TEXT_LENGTH_MAX = 40  # the longest way to write fifteen digits with separators; more is no number

_ADVICE = Text(
    zh="请使用国际格式，例如 +86 138 0013 8000。", en="Use the international form, such as +86 138 0013 8000."
)


@dataclass(frozen=True, slots=True, repr=False)
class Msisdn(MaskedValue):
    """One valid number in E.164 form."""

    @classmethod
    def parse(cls, text: str, region: str | None = None) -> Self:
        """Return the number in `text`; raise BadInput when it is none or not assigned in its plan."""
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
        if not phonenumbers.is_valid_number(number):
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
        """The ISO 3166-1 region of the number, None for numbers without one (satellite, shared cost)."""
        region = phonenumbers.region_code_for_number(phonenumbers.parse(self._clear))
        return None if region == "001" else region


def _refusal(code: str, zh: str, en: str) -> BadInput:
    return BadInput(code, Text(zh=zh, en=en), _ADVICE)
