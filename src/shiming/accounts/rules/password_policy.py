"""Which passwords are accepted: long ones that nobody guesses first (NIST SP 800-63B-4, section 3.1.1).

No rules of composition and no expiry, as the standard advises. A password is compared after NFKC.

>>> decide_password("correct horse battery", user_name="wang")
()
>>> decide_password("short", user_name="wang")
(<PasswordFlaw.TOO_SHORT: 'PASSWORD_TOO_SHORT'>,)
"""

import itertools
import unicodedata
from enum import StrEnum

CHARACTERS_MIN = (
    12  # between the standard's 8 (with a second factor) and 15 (alone); passkeys guard high roles
)
CHARACTERS_MAX = 128  # the standard asks for at least 64; longer ones only cost time to hash
DISTINCT_MIN = 5  # fewer different characters is a pattern, not a password
_NAME_MIN = 4  # shorter names occur in words by chance
_STEPS = frozenset({0, 1, -1})  # neighbours in an alphabet or on the row of digits
#: Guessed first wherever twelve characters are asked for; compared without case, digits at the end and signs.
_GUESSED_FIRST = frozenset(
    {
        "password",
        "passwordpassword",
        "passw0rdpassw0rd",
        "qwertyuiop",
        "qwertyuiopasdf",
        "qazwsxedcrfv",
        "iloveyouiloveyou",
        "administrator",
        "adminadmin",
        "welcomewelcome",
        "letmeinletmein",
        "changemechangeme",
        "defaultpassword",
        "shimingshiming",
        "shimingpassword",
        "shimingadmin",
        "woaini",
        "woainiwoaini",
        "mimamima",
        "wodemima",
        "zhongguo",
    }
)


class PasswordFlaw(StrEnum):
    """Why a password is not accepted; the value is a stable code."""

    TOO_SHORT = "PASSWORD_TOO_SHORT"
    TOO_LONG = "PASSWORD_TOO_LONG"
    CONTAINS_NAME = "PASSWORD_CONTAINS_NAME"
    GUESSED_FIRST = "PASSWORD_GUESSED_FIRST"


def decide_password(password: str, *, user_name: str) -> tuple[PasswordFlaw, ...]:
    """Return every reason against a password; none means that it is accepted."""
    text, name = normalised(password), normalised(user_name).casefold()
    flaws = []
    if len(text) < CHARACTERS_MIN:
        flaws.append(PasswordFlaw.TOO_SHORT)
    if len(text) > CHARACTERS_MAX:
        flaws.append(PasswordFlaw.TOO_LONG)
    if len(name) >= _NAME_MIN and name in text.casefold():
        flaws.append(PasswordFlaw.CONTAINS_NAME)
    if len(text) >= CHARACTERS_MIN and _is_guessed_first(text.casefold()):
        flaws.append(PasswordFlaw.GUESSED_FIRST)
    return tuple(flaws)


def normalised(password: str) -> str:
    """Return the form that is hashed, so that two keyboards give one password."""
    return unicodedata.normalize("NFKC", password)


def _is_guessed_first(text: str) -> bool:
    letters = "".join(character for character in text if character.isalnum()).rstrip("0123456789")
    steps = {ord(b) - ord(a) for a, b in itertools.pairwise(text)}
    return letters in _GUESSED_FIRST or len(set(text)) < DISTINCT_MIN or steps <= _STEPS
