"""Names of persons in Han and Latin script: one normal form and one similarity.

`normal_form` is documented so that two systems can agree on it. Steps, in this order:

1. Unicode NFKC: full-width letters become plain ones, compatibility characters their usual form.
2. All middle dots (`·•・‧∙⋅.` between Han characters) become `·`; spaces between Han characters vanish.
3. Han variants become the simplified form of mainland documents (table `han_variants.txt`).
4. Latin: lower case; `ä` to `ae`, `ö` to `oe`, `ü` to `ue`, `ß` to `ss`, `æ` to `ae`, `œ` and `ø` to `oe`;
   all other diacritics are folded; apostrophes vanish; what is not a letter or digit becomes one space.

`similarity` is Jaro-Winkler (0 to 1, 1 only for equal normal forms), the measure that the CAMARA KYC Match
API names. Latin names are compared in both the given and the sorted order of words. A Han name is compared
with a Latin one by its pinyin, with the readings that a character has as a surname, surname first or last,
with `ü` written `u`, `v`, `yu` or `ue`.

>>> normal_form("張　三"), normal_form("Ａｎｎａ-Mária MÜLLER"), normal_form("阿卜杜拉•买买提")
('张三', 'anna maria mueller', '阿卜杜拉·买买提')
>>> similarity(PersonName.parse("單雄信"), PersonName.parse("SHAN XIONGXIN"))
1.0
>>> similarity(PersonName.parse("ANNA MARIA ERIKSSON"), PersonName.parse("Eriksson, Anna Maria"))
1.0
>>> PersonName.parse("张三丰")
PersonName(**丰)
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Self

import jellyfish

from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.masking import MaskedValue, mask_name
from shiming.vocabulary.pinyin_names import is_han, pinyin_readings

LENGTH_MAX = 120  # longer than any name on any document; keeps comparisons quick

_ADVICE = Text(zh="请按证件填写姓名。", en="Write the name as on the document.")
_MIDDLE_DOTS = re.compile(r"\s*[·•・‧∙⋅｡。.\u2027\u30fb\uff65]\s*")
_APOSTROPHES = re.compile(r"['\u2019\u02bc\u02bb`´]")
_LATIN = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "œ": "oe", "ø": "oe", "ł": "l", "đ": "d",
     "ð": "d", "þ": "th", "ı": "i", "ħ": "h"}
)  # fmt: skip
_NOT_A_LETTER = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True, repr=False)
class PersonName(MaskedValue):
    """One name as it was written, without outer spaces."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the name in `text`; raise BadInput when it has no letter or is too long."""
        written = " ".join(text.split())
        if len(written) > LENGTH_MAX:
            raise _refusal("PERSON_NAME_LENGTH", "姓名过长。", "The name is too long.")
        if not is_encodable(written):
            raise _refusal("PERSON_NAME_CHARACTERS", "姓名含有无效字符。", "The name has a broken character.")
        if not any(character.isalpha() for character in written):
            raise _refusal("PERSON_NAME_EMPTY", "姓名不能为空。", "A name has at least one letter.")
        return cls(written)

    def masked(self) -> str:
        """Return the last Han character, or the initials."""
        return mask_name(self._clear)

    @property
    def is_han(self) -> bool:
        """Whether the name is written in Han characters."""
        return is_han(self._clear)


def similarity(a: PersonName, b: PersonName) -> float:
    """Return how alike two names are, from 0.0 to 1.0; the same for (b, a)."""
    first, second = normal_form(a.reveal("comparison")), normal_form(b.reveal("comparison"))
    if first == second:
        return 1.0
    if is_han(first) and is_han(second):
        return _jaro_winkler(first, second)
    pairs = product(_latin_spellings(first), _latin_spellings(second))
    return max(_jaro_winkler(one, other) for one, other in pairs)


def is_encodable(text: str) -> bool:
    """Whether `text` is without lone surrogates, which come from broken decoding and no document has."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def normal_form(text: str) -> str:
    """Return the form in which names are compared."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if is_han(plain):
        joined = "".join(_MIDDLE_DOTS.sub("·", plain).split()).strip("·")
        return joined.translate(_han_variants()).casefold()
    lower = _APOSTROPHES.sub("", plain.lower()).translate(_LATIN)
    folded = "".join(c for c in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(c))
    return _NOT_A_LETTER.sub(" ", folded.translate(_LATIN)).strip()


def _latin_spellings(normal: str) -> set[str]:
    """Return every way to write the name in Latin letters, words joined."""
    if not is_han(normal):
        words = normal.split()
        return {"".join(words), "".join(sorted(words)), "".join([*words[1:], *words[:1]])}
    return {
        spelling
        for surname, given in pinyin_readings(normal)
        for order in (surname + given, given + surname)
        for spelling in {order.replace("ü", u) for u in ("u", "v", "yu", "ue")}
    } | {"".join(sorted((surname, given))) for surname, given in pinyin_readings(normal)}


def _jaro_winkler(a: str, b: str) -> float:
    return float(jellyfish.jaro_winkler_similarity(a, b))


@cache
def _han_variants() -> dict[int, str]:
    """Read the table of variants; lines of pairs, `#` starts a comment."""
    lines = files("shiming.vocabulary").joinpath("han_variants.txt").read_text(encoding="utf-8").splitlines()
    return {ord(pair[0]): pair[1] for line in lines if not line.startswith("#") for pair in line.split()}


def _refusal(code: str, zh: str, en: str) -> BadInput:
    return BadInput(
        code, Text(zh=zh, en=en), Text(zh="请按证件填写姓名。", en="Write the name as on the document.")
    )
