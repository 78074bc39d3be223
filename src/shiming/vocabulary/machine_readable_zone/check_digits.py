"""Check digits of machine readable zones, ICAO Doc 9303 part 3, section 4.9.

Digits count as themselves, `A` to `Z` as 10 to 35, the filler `<` as 0; weights 7, 3, 1 repeat from the
left; the sum modulo 10 is the check digit.

>>> [check_digit(text) for text in ("L898902C3", "740812", "120415", "ZE184226B<<<<<")]
['6', '2', '9', '1']
"""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
FILLER = "<"
_VALUES = {character: value for value, character in enumerate(ALPHABET)} | {FILLER: 0}
_WEIGHTS = (7, 3, 1)


def check_digit(text: str) -> str:
    """Return the check digit of `text`, which has only characters of the zone."""
    return str(sum(_VALUES[character] * _WEIGHTS[i % 3] for i, character in enumerate(text)) % 10)
