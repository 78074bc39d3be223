"""The account of an internet access line, which has no telephone number: `user@realm`, RFC 7542 (NAI).

>>> account = AccessAccount.parse(" GZ0755123@Example.net ")
>>> account, account.realm, account.reveal("doctest")
(AccessAccount(gz*****23@example.net), 'example.net', 'gz0755123@example.net')
>>> AccessAccount.parse("no realm")
Traceback (most recent call last):
    ...
shiming.vocabulary.errors.BadInput: ACCESS_ACCOUNT_FORMAT: ...
"""

import re
from dataclasses import dataclass
from typing import Self

from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.masking import MaskedValue, mask_middle

LENGTH_MAX = 64  # as long as the column that holds numbers of lines
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}@[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)+")


@dataclass(frozen=True, slots=True, repr=False)
class AccessAccount(MaskedValue):
    """The account that an internet access line is known by, in lower case."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the account in `text`; raise BadInput otherwise."""
        account = text.strip().lower()
        if len(account) > LENGTH_MAX or not _ACCOUNT.fullmatch(account):
            raise BadInput(
                "ACCESS_ACCOUNT_FORMAT",
                Text(zh="这不是上网账号。", en="This is no account of an internet access line."),
                Text(zh="例如 gz0755123@example.net。", en="Such as gz0755123@example.net."),
            )
        return cls(account)

    @property
    def realm(self) -> str:
        """What stands behind the @."""
        return self._clear.partition("@")[2]

    @property
    def region(self) -> None:
        """An account belongs to no numbering plan."""
        return

    def masked(self) -> str:
        """Hide the middle of the user."""
        user, _, realm = self._clear.partition("@")
        return f"{mask_middle(user, first=2, last=2)}@{realm}"
