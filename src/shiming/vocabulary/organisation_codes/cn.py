"""Unified social credit code of organisations in China (统一社会信用代码), GB 32100-2015.

Eighteen characters of digits and letters without I, O, Z, S, V: registering authority, kind of
organisation, six digits of the administrative division of registration, nine characters of the organisation
code (GB 11714, with its own check character), and a check character by MOD 31-3. The code is public and is
shown in clear; python-stdnum `cn.uscc` computes the outer check character.

>>> code = UnifiedSocialCreditCode.parse("9111 0000 6000 37341L")
>>> code, code.registering_authority, code.division, code.organisation_code
(UnifiedSocialCreditCode(91110000600037341L), '9', '110000', '600037341')
>>> problems_of("91110000600037341A")
('CREDIT_CODE_CHECK_CHARACTER',)
>>> UnifiedSocialCreditCode.parse("9111000060003734")
Traceback (most recent call last):
    ...
shiming.vocabulary.errors.BadInput: CREDIT_CODE_LENGTH: ...
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Self

from stdnum.cn import uscc

from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.masking import MaskedValue

LENGTH = 18

_FORM = re.compile(r"[0-9A-HJ-NP-RTUWXY]{2}[0-9]{6}[0-9A-HJ-NP-RTUWXY]{10}")
_SEPARATORS = re.compile(r"[\s\-]+")
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ADVICE = Text(
    zh="请核对营业执照或登记证书。", en="Compare with the licence or the certificate of registration."
)
_PROBLEMS = {
    "CREDIT_CODE_LENGTH": Text(zh="统一社会信用代码应为18位。", en="A credit code has eighteen characters."),
    "CREDIT_CODE_CHARACTERS": Text(
        zh="统一社会信用代码含有不允许的字符。", en="The credit code has a character that it may not have."
    ),
    "CREDIT_CODE_ORGANISATION_CHECK_CHARACTER": Text(
        zh="统一社会信用代码中的组织机构代码校验码不正确。",
        en="The check character of the organisation code inside is wrong.",
    ),
    "CREDIT_CODE_CHECK_CHARACTER": Text(
        zh="统一社会信用代码的校验码不正确。", en="The check character of the credit code is wrong."
    ),
}


@dataclass(frozen=True, slots=True, repr=False)
class UnifiedSocialCreditCode(MaskedValue):
    """A code that passed every test of `problems_of`."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the code in `text`; raise BadInput with the code of its first problem."""
        problems = problems_of(text)
        if problems:
            raise BadInput(problems[0], _PROBLEMS[problems[0]], _ADVICE, {"problems": list(problems)})
        return cls(_compact(text))

    @property
    def registering_authority(self) -> str:
        """The authority: 9 market regulation, 5 civil affairs, 1 institutions, and so on."""
        return self._clear[0]

    @property
    def division(self) -> str:
        """The administrative division of registration."""
        return self._clear[2:8]

    @property
    def organisation_code(self) -> str:
        """The nine characters of the organisation code."""
        return self._clear[8:17]

    def masked(self) -> str:
        """Return the whole code: it is published by the registering authority."""
        return self._clear


def problems_of(text: str) -> tuple[str, ...]:
    """List every problem of a candidate code; an empty tuple means a valid code.

    Codes of self-employed people can have an organisation code without a right check character of its own,
    so it is only a problem together with a wrong outer check character.
    """
    code = _compact(text)
    if len(code) != LENGTH:
        return ("CREDIT_CODE_LENGTH",)
    if not _FORM.fullmatch(code):
        return ("CREDIT_CODE_CHARACTERS",)
    if uscc.calc_check_digit(code) == code[-1]:
        return ()
    inner = code[16] != organisation_check_character(code[8:16])
    return ("CREDIT_CODE_CHECK_CHARACTER", *(["CREDIT_CODE_ORGANISATION_CHECK_CHARACTER"] if inner else []))


def organisation_check_character(first_eight: str) -> str:
    """Return the check character of an organisation code (GB 11714), from its first eight characters.

    >>> organisation_check_character("D2143569")
    'X'
    """
    total = sum(int(c, 36) * weight for c, weight in zip(first_eight, _ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X"[-total % 11]


def _compact(text: str) -> str:
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()
