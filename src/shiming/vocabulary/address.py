"""Postal addresses, lightly: a normal form, the administrative prefix, a similarity.

The normal form joins what is written in several ways: Unicode NFKC, Han variants, no white space between
Han characters, Han digits of house numbers left alone, Latin text as in names. The prefix is what the names
of divisions in the text say (省, 市, 区 and so on), not looked up in any register.

>>> home = Address.parse("北京市 朝陽區建國路１號")
>>> home, home.division_prefix
(Address(北京市朝阳区***), '北京市朝阳区')
>>> similarity(home, Address.parse("北京市朝阳区建国路1号"))
1.0
>>> similarity(home, Address.parse("朝阳区建国路1号"))
0.9
"""

from dataclasses import dataclass
from typing import Self

import jellyfish

from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.masking import MaskedValue, administrative_prefix, mask_address
from shiming.vocabulary.person_name import is_encodable, normal_form

LENGTH_MAX = 300  # the longest address on a card has 35 characters; other scripts need more

_WITHOUT_PREFIX = 0.9  # one of the two leaves out its divisions: the rest agrees


@dataclass(frozen=True, slots=True, repr=False)
class Address(MaskedValue):
    """One address as it was written, without outer spaces."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the address in `text`; raise BadInput when it is empty or too long."""
        written = " ".join(text.split())
        has_content = any(character.isalnum() for character in written)
        if not has_content or len(written) > LENGTH_MAX or not is_encodable(written):
            raise BadInput(
                "ADDRESS_FORMAT",
                Text(zh="地址为空、过长或含有无效字符。", en="The address is empty, too long or broken."),
                Text(zh="请按证件填写地址。", en="Write the address as on the document."),
            )
        return cls(written)

    def masked(self) -> str:
        """Return the division prefix."""
        return mask_address(self.normal_form)

    @property
    def normal_form(self) -> str:
        """The form in which addresses are compared."""
        return normal_form(self._clear)

    @property
    def division_prefix(self) -> str:
        """Province, city and county as far as the text begins with them; empty otherwise."""
        return administrative_prefix(self.normal_form)


def similarity(a: Address, b: Address) -> float:
    """Return how alike two addresses are, from 0.0 to 1.0; the same for (b, a)."""
    first, second = a.normal_form, b.normal_form
    if first == second:
        return 1.0
    if first.endswith(second) or second.endswith(first):
        return _WITHOUT_PREFIX
    longest = max(len(first), len(second))
    return float(1 - jellyfish.levenshtein_distance(first, second) / longest)
