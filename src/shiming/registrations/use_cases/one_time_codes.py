"""One-time codes of messages: drawn from chance, kept as a slow hash with a salt."""

import hashlib
import hmac
from collections.abc import Callable

from shiming.vocabulary.permissions import inside

DIGITS = 8
_SALT_BYTES = 16
#: 16 MiB and some 50 ms a guess: of a stolen table, eight digits still cost weeks.
_COST = {"n": 2**14, "r": 8, "p": 1}


@inside("a message is filled in when it is sent")
def draw_code(random_bytes: Callable[[int], bytes]) -> str:
    """Return eight digits; the rest of 2**64 by 10**8 favours none measurably."""
    return f"{int.from_bytes(random_bytes(8)) % 10**DIGITS:0{DIGITS}d}"


@inside("what is kept of a code")
def hash_code(code: str, random_bytes: Callable[[int], bytes]) -> str:
    """Return salt and hash in hex."""
    salt = random_bytes(_SALT_BYTES)
    return f"{salt.hex()}:{_slow(code, salt)}"


@inside("a code is compared where it is used")
def is_code(code: str, hashed: str) -> bool:
    """Say whether this is the code, in a time that tells nothing."""
    salt, _, expected = hashed.partition(":")
    return hmac.compare_digest(_slow(code, bytes.fromhex(salt)), expected)


def _slow(code: str, salt: bytes) -> str:
    return hashlib.scrypt(code.encode(), salt=salt, dklen=32, **_COST).hex()
