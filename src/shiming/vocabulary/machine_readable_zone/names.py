"""Names in a machine readable zone: transliteration, composing, splitting (ICAO Doc 9303 part 3, 4.6 and 6).

Surname and given names are separated by two fillers, words by one; apostrophes vanish, hyphens and other
signs become fillers. Letters outside A-Z follow the table of section 6; a letter that it does not name
loses its diacritics. A name that fills its field to the last character may have been cut.

>>> transliterate("Müller-Ñáñez, Søren d'Œuvre")
'MUELLER<NANEZ<SOEREN<DOEUVRE'
>>> compose_names("Eriksson", "Anna Maria", 20)
'ERIKSSON<<ANNA<MARIA'
>>> split_names("ERIKSSON<<ANNA<MARIA<<<<<")
('ERIKSSON', 'ANNA MARIA', False)
>>> split_names("ERIKSSON<<ANNA<MARI")
('ERIKSSON', 'ANNA MARI', True)
"""

import re
import unicodedata

from shiming.vocabulary.errors import BadInput, Text

_TABLE = str.maketrans(
    {
        "Ä": "AE", "Å": "AA", "Æ": "AE", "Ð": "D", "Đ": "D", "Ħ": "H", "Ĳ": "IJ", "ı": "I", "Ł": "L",
        "Ŋ": "N", "Ö": "OE", "Ø": "OE", "Œ": "OE", "Þ": "TH", "Ŧ": "T", "Ü": "UE", "ß": "SS", "ẞ": "SS",
        "ĸ": "Q", "Ə": "A",
        "А": "A", "Б": "B", "В": "V", "Г": "G", "Д": "D", "Е": "E", "Ё": "E", "Ж": "ZH", "З": "Z",
        "И": "I", "І": "I", "Й": "I", "К": "K", "Л": "L", "М": "M", "Н": "N", "О": "O", "П": "P",
        "Р": "R", "С": "S", "Т": "T", "У": "U", "Ф": "F", "Х": "KH", "Ц": "TS", "Ч": "CH", "Ш": "SH",
        "Щ": "SHCH", "Ъ": "IE", "Ы": "Y", "Ь": "", "Э": "E", "Ю": "IU", "Я": "IA", "Є": "IE", "Ї": "I",
        "Ґ": "G",
    }
)  # fmt: skip
_VANISHING = re.compile(r"['\u2019\u02bc`´]")
_OTHER = re.compile(r"[^A-Z]+")


def transliterate(text: str) -> str:
    """Return a name in the letters of the zone, words separated by single fillers; Han text has none."""
    composed = unicodedata.normalize("NFC", _VANISHING.sub("", text)).upper().replace("ẞ", "SS")
    plain = unicodedata.normalize("NFKD", composed.translate(_TABLE))
    letters = "".join(character for character in plain if not unicodedata.combining(character))
    if any(character.isalpha() and not character.isascii() for character in letters):
        raise BadInput(
            "MRZ_NAME_SCRIPT",
            Text(
                zh="姓名含有无法转写为拉丁字母的文字。", en="The name has letters without a transliteration."
            ),
            Text(zh="请提供护照上的拉丁字母姓名。", en="Give the name in Latin letters, as in a passport."),
        )
    return _OTHER.sub("<", letters).strip("<")


def compose_names(surname: str, given_names: str, length: int) -> str:
    """Return the names field of `length` characters; a name too long is cut so that both parts show."""
    primary, secondary = transliterate(surname), transliterate(given_names)
    if secondary and len(primary) > length - 3:
        primary = primary[: length - 3]
    text = f"{primary}<<{secondary}" if secondary else primary
    return text[:length].ljust(length, "<")


def split_names(field: str) -> tuple[str, str, bool]:
    """Return surname, given names and whether the field was too short for them."""
    truncated = not field.endswith("<")
    primary, _, secondary = field.strip("<").partition("<<")
    return _words(primary), _words(secondary), truncated


def _words(part: str) -> str:
    return " ".join(word for word in part.split("<") if word)
