"""The characters of a machine readable zone, and what the text net takes them for.

>>> ZONE_ALPHABET["«"], ZONE_ALPHABET["Λ"], ZONE_ALPHABET["p"], "-" in ZONE_ALPHABET
('<', '<', 'P', False)
>>> is_like_zone("P<UTOERIKSSON<<ANNA<MARIA"), is_like_zone("Nationality / Date of birth")
(True, False)
"""

import string

FILLER = "<"
#: Signs that the net reads for the filler of OCR-B; it was trained on prose of many scripts.
_FILLER_SIGNS = "«《〈＜‹く≤≪∠ㄑ㇛ΛΛ∧Λ"
_GREEK = {"Α": "A", "Β": "B", "Ε": "E", "Ζ": "Z", "Η": "H", "Ι": "I", "Κ": "K", "Μ": "M",
          "Ν": "N", "Ο": "O", "Ρ": "P", "Τ": "T", "Υ": "Y", "Χ": "X"}  # fmt: skip
_CYRILLIC = {"А": "A", "В": "B", "Е": "E", "З": "3", "К": "K", "М": "M", "Н": "H", "О": "O",
             "Р": "P", "С": "C", "Т": "T", "Х": "X"}  # fmt: skip
_SIGNS = string.ascii_uppercase + string.digits
_FULL_WIDTH = 0xFEE0

#: From a character that the net knows to the character of the zone it stands for.
ZONE_ALPHABET = (
    {sign: sign for sign in _SIGNS}
    | {sign.lower(): sign for sign in string.ascii_uppercase}
    | {chr(ord(sign) + _FULL_WIDTH): sign for sign in _SIGNS}
    | _GREEK
    | _CYRILLIC
    | {"∪": "U", "Ø": "0", "ø": "0"}
    | dict.fromkeys(_FILLER_SIGNS, FILLER)
    | {FILLER: FILLER}
)

_FILLERS_MIN, _SIGNS_MIN, _SIGNS_SHARE_MIN = 2, 15, 0.8


def is_like_zone(text: str) -> bool:
    """Whether text read without an alphabet looks like a row of a zone: capitals, digits and fillers."""
    signs = [ZONE_ALPHABET.get(sign, "") for sign in text if not sign.islower()]
    known = [sign for sign in signs if sign]
    return known.count(FILLER) >= _FILLERS_MIN and len(known) >= max(_SIGNS_MIN, _SIGNS_SHARE_MIN * len(text))
