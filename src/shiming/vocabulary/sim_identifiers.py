"""Numbers of a SIM and a device: ICCID, IMSI, IMEI.

* ICCID (ITU-T E.118): the number printed on the card or of the eSIM profile. `89`, country code, issuer and
  account, at most twenty digits, the last one a Luhn check digit.
* IMSI (ITU-T E.212): the subscription. Mobile country code (3), network code (2 or 3), subscriber number;
  at most fifteen digits, no check digit.
* IMEI (3GPP TS 23.003): the device. Type allocation code (8), serial number (6), Luhn check digit.

>>> card = Iccid.parse("8986 0112 8512 3456 7891")
>>> card, card.issuer_prefix
(Iccid(898601**********7891), '898601')
>>> subscription = Imsi.parse("460001234567890")
>>> subscription, subscription.mobile_country_code, subscription.mobile_network_code
(Imsi(46000********90), '460', '00')
>>> device = Imei.parse("35-686800-004141-8")
>>> device, device.type_allocation_code
(Imei(35686800******8), '35686800')
>>> Imei.parse("356868000041419")
Traceback (most recent call last):
    ...
shiming.vocabulary.errors.BadInput: IMEI_CHECK_DIGIT: ...
"""

import re
from dataclasses import dataclass
from typing import Self

from stdnum import imsi, luhn

from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.masking import MaskedValue, mask_middle

_SEPARATORS = re.compile(r"[\s.\-]+")
_ICCID = re.compile(r"89[0-9]{16,18}")
_IMSI = re.compile(r"[2-79][0-9]{13,14}")
_IMEI = re.compile(r"[0-9]{15}")
_ADVICE = Text(zh="请核对后重新输入或扫描。", en="Compare the number and enter or scan it again.")


@dataclass(frozen=True, slots=True, repr=False)
class Iccid(MaskedValue):
    """The number of a SIM card or profile."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the ICCID in `text`; raise BadInput otherwise."""
        number = _compact(text)
        if not _ICCID.fullmatch(number):
            raise _refusal(
                "ICCID_FORMAT", "ICCID应以89开头，18至20位数字。", "An ICCID is 89 and 16 to 18 digits."
            )
        if not luhn.is_valid(number):
            raise _refusal(
                "ICCID_CHECK_DIGIT", "ICCID校验位不正确。", "The check digit of the ICCID is wrong."
            )
        return cls(number)

    @property
    def issuer_prefix(self) -> str:
        """The digits that lead to the issuer."""
        return self._clear[:6]

    def masked(self) -> str:
        """Return the issuer's prefix and the last four digits."""
        return mask_middle(self._clear, first=6, last=4)


@dataclass(frozen=True, slots=True, repr=False)
class Imsi(MaskedValue):
    """The number of a subscription."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the IMSI in `text`; raise BadInput otherwise."""
        number = _compact(text)
        if not _IMSI.fullmatch(number):
            raise _refusal("IMSI_FORMAT", "IMSI应为14或15位数字。", "An IMSI has fourteen or fifteen digits.")
        if not imsi.is_valid(number):
            raise _refusal("IMSI_NETWORK_UNKNOWN", "IMSI的网络代码未知。", "No network has this code.")
        return cls(number)

    @property
    def mobile_country_code(self) -> str:
        """The country of the network."""
        return self._clear[:3]

    @property
    def mobile_network_code(self) -> str:
        """The network in its country, two or three digits."""
        return str(imsi.split(self._clear)[1])

    def masked(self) -> str:
        """Return the network and the last two digits."""
        return mask_middle(self._clear, first=5, last=2)


@dataclass(frozen=True, slots=True, repr=False)
class Imei(MaskedValue):
    """The number of a device."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the IMEI in `text`; raise BadInput otherwise."""
        number = _compact(text)
        if not _IMEI.fullmatch(number):
            raise _refusal("IMEI_FORMAT", "IMEI应为15位数字。", "An IMEI has fifteen digits.")
        if not luhn.is_valid(number):
            raise _refusal("IMEI_CHECK_DIGIT", "IMEI校验位不正确。", "The check digit of the IMEI is wrong.")
        return cls(number)

    @property
    def type_allocation_code(self) -> str:
        """The model of the device."""
        return self._clear[:8]

    def masked(self) -> str:
        """Return the model and the check digit."""
        return self._clear[:8] + "*" * 6 + self._clear[-1]


def _compact(text: str) -> str:
    return _SEPARATORS.sub("", text)


def _refusal(code: str, zh: str, en: str) -> BadInput:
    return BadInput(code, Text(zh=zh, en=en), _ADVICE)
