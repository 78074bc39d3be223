"""Numbers of identity documents other than the resident card: passports, permits, cards of foreigners.

Only the form is known for most of them; where a check character exists it is checked.

* `passport_cn`: E, D, G, P or S and eight digits; E and a letter without I and O, or DE, SE, PE, and seven.
* `passport`: of any state, five to nine letters and digits (ICAO Doc 9303).
* `mainland_travel_permit_hk_macao` (港澳居民来往内地通行证): H or M, eight digits, on old cards two digits
  for the number of renewals.
* `mainland_travel_permit_taiwan` (台湾居民来往大陆通行证): eight digits; ten and a letter on old booklets.
* `exit_entry_permit_hk_macao` (往来港澳通行证): C or W and eight digits, C and a letter and seven.
* `exit_entry_permit_taiwan` (往来台湾通行证): L or T and eight digits.
* `residence_permit_hk_macao_taiwan` (港澳台居民居住证): a resident number of division 81, 82 or 83.
* `foreign_permanent_resident_card` (外国人永久居留身份证): since 2023 eighteen digits - 9, province (2),
  nationality (ISO 3166-1 numeric, 3), birth date (8), sequence (3), check character as in GB 11643. Before:
  nationality in three letters and twelve digits; how its last digit checks is not published.
* `military_id` (军官证 and others): a prefix in Han, 字第, six to eight digits, 号.

>>> parse_document_number("passport_cn", "e 1234-5678")
DocumentNumber(passport_cn E******78)
>>> parse_document_number("military_id", "军字第 1234567 号").reveal("doctest")
'军字第1234567号'
>>> parse_document_number("foreign_permanent_resident_card", "911840198503120028").birth_date
datetime.date(1985, 3, 12)
>>> parse_document_number("passport_cn", "X12345678")
Traceback (most recent call last):
    ...
shiming.vocabulary.errors.BadInput: DOCUMENT_NUMBER_FORMAT: ...
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Literal

from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.identity_numbers.cn import ResidentIdentityNumber, check_character
from shiming.vocabulary.masking import MaskedValue, mask_identity_number

DocumentKind = Literal[
    "passport_cn",
    "passport",
    "mainland_travel_permit_hk_macao",
    "mainland_travel_permit_taiwan",
    "exit_entry_permit_hk_macao",
    "exit_entry_permit_taiwan",
    "residence_permit_hk_macao_taiwan",
    "foreign_permanent_resident_card",
    "military_id",
]

_FORMS: dict[DocumentKind, str] = {
    "passport_cn": r"[EDGPS][0-9]{8}|E[A-HJ-NP-Z][0-9]{7}|[DSP]E[0-9]{7}",
    "passport": r"[A-Z0-9]{5,9}",
    "mainland_travel_permit_hk_macao": r"[HM][0-9]{8}(?:[0-9]{2})?",
    "mainland_travel_permit_taiwan": r"[0-9]{8}|[0-9]{10}[A-Z]?",
    "exit_entry_permit_hk_macao": r"[CW][0-9]{8}|C[A-HJ-NP-Z][0-9]{7}",
    "exit_entry_permit_taiwan": r"[LT][0-9]{8}",
    "residence_permit_hk_macao_taiwan": r"8[123]0000[0-9]{11}[0-9X]",
    "foreign_permanent_resident_card": r"9[0-9]{16}[0-9X]|[A-Z]{3}[0-9]{12}",
    "military_id": r"[\u4e00-\u9fff]{1,4}字第[0-9]{6,8}号",
}
_SEPARATORS = re.compile(r"[\s\-<]+")
_LENGTH_WITH_CHECK = 18
_ADVICE = Text(zh="请核对证件上的号码。", en="Compare with the number on the document.")


@dataclass(frozen=True, slots=True, repr=False)
class DocumentNumber(MaskedValue):
    """A number of the right form for its kind of document."""

    kind: DocumentKind

    def masked(self) -> str:
        """Return the kind and the edges of the number."""
        return f"{self.kind} {mask_identity_number(self._clear)}"

    @property
    def birth_date(self) -> date | None:
        """The birth date where the number holds one in full."""
        if len(self._clear) != _LENGTH_WITH_CHECK:
            return None
        return date.fromisoformat(self._clear[6:14])


def parse_document_number(kind: DocumentKind, text: str) -> DocumentNumber:
    """Return the number in `text`; raise BadInput when it has not the form of its kind."""
    number = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()
    if not re.fullmatch(_FORMS[kind], number):
        raise _refusal(
            "DOCUMENT_NUMBER_FORMAT", "证件号码格式不正确。", "Numbers of this document look different."
        )
    if kind == "residence_permit_hk_macao_taiwan":
        ResidentIdentityNumber.parse(number)
    elif kind == "foreign_permanent_resident_card" and number.startswith("9"):
        _check_foreign_card(number)
    return DocumentNumber(number, kind)


def _check_foreign_card(number: str) -> None:
    try:
        date.fromisoformat(number[6:14])
    except ValueError:
        raise _refusal(
            "DOCUMENT_NUMBER_BIRTH_DATE", "出生日期不存在。", "The birth date does not exist."
        ) from None
    if check_character(number[:-1]) != number[-1]:
        raise _refusal("DOCUMENT_NUMBER_CHECK_CHARACTER", "校验码不正确。", "The check character is wrong.")


def _refusal(code: str, zh: str, en: str) -> BadInput:
    return BadInput(code, Text(zh=zh, en=en), _ADVICE)
