"""The text block of a second-generation resident card: 256 bytes, UTF-16LE fields of fixed length.

    name 30 | sex 2 | ethnicity 4 | birth date 16 | address 70 | number 36 | issuer 30
    | valid from 16 | valid to 16 (a day, or 长期) | reserved 36

The ethnicity is not decoded: nothing here, and nothing above, ever sees it. Cards of other kinds (foreign
permanent residents, residents from Hong Kong, Macao and Taiwan) share the block and lay it out otherwise;
they mark themselves in the reserved part or by their number, and are refused by name instead of misread.
"""

import unicodedata
from dataclasses import dataclass
from datetime import date

from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.identity_numbers.cn import PERMIT_DIVISIONS, Sex, problems_of
from shiming.vocabulary.masking import mask_identity_number, mask_name

TEXT_BYTES = 256
DOCUMENT_TYPE = "resident_id"  # as the packs name these cards
ETHNICITY = slice(32, 36)  # bytes of the block that are left out wherever it is kept, compared or hashed
_FIELDS = {
    "name": slice(0, 30),
    "sex": slice(30, 32),
    "birth_date": slice(36, 52),
    "address": slice(52, 122),
    "number": slice(122, 158),
    "issuer": slice(158, 188),
    "valid_from": slice(188, 204),
    "valid_to": slice(204, 220),
    "reserved": slice(220, 256),
}
_LONG_TERM = "长期"
_SEXES: dict[str, Sex] = {"1": "male", "2": "female"}  # GB/T 2261.1; 0 and 9 say nothing
_DAY_CHARACTERS = 8
_NO_TEXT = frozenset({"Cc", "Cs"})  # characters of private use are text: rare names are written with them
_ADVICE = Text(zh="请取出卡片，平放后再读。", en="Take the card off, lay it flat and read it again.")
_REFUSALS = {
    "CARD_TEXT_LENGTH": (
        Text(zh="卡内文字长度不对。", en="The text on the chip has a wrong length."),
        _ADVICE,
    ),
    "CARD_TEXT_UNREADABLE": (
        Text(zh="卡内文字无法识读。", en="The text on the chip cannot be understood."),
        _ADVICE,
    ),
    "CARD_NUMBER_INVALID": (
        Text(zh="卡内号码校验不符。", en="The number on the chip does not hold its check."),
        Text(zh="请再读一次；仍不符时请上报。", en="Read it again; report the card if it happens again."),
    ),
    "CARD_TYPE_UNKNOWN": (
        Text(zh="读卡程序不认识这种卡。", en="The reader program does not know this kind of card."),
        Text(zh="请改用拍摄证件。", en="Photograph the document instead."),
    ),
}


@dataclass(frozen=True, slots=True, repr=False)
class CardText:
    """What a resident card says about its holder. `valid_to` None: long-term."""

    name: str
    sex: Sex | None
    birth_date: date
    address: str
    number: str
    issuer: str
    valid_from: date
    valid_to: date | None = None

    def __repr__(self) -> str:
        return f"CardText({mask_identity_number(self.number)}, {mask_name(self.name)})"


def parse_card_text(block: bytes) -> CardText:
    """Return what the block says; raise BadInput (`CARD_...`) for one that is no whole resident card.

    (1) its length is that of the layout  (2) every field is text  (3) it is a resident card and no other
    (4) name, address and issuer are there and the dates exist  (5) the number passes its own checks
    """
    if len(block) != TEXT_BYTES:
        raise _refused("CARD_TEXT_LENGTH")
    texts = {name: _text(block[where]) for name, where in _FIELDS.items()}
    if texts["reserved"] or texts["number"][:6] in PERMIT_DIVISIONS:
        raise _refused("CARD_TYPE_UNKNOWN")
    valid_to = texts["valid_to"]
    card = CardText(
        name=texts["name"],
        sex=_SEXES.get(texts["sex"]),
        birth_date=_day(texts["birth_date"]),
        address=texts["address"],
        number=texts["number"],
        issuer=texts["issuer"],
        valid_from=_day(texts["valid_from"]),
        valid_to=None if valid_to == _LONG_TERM else _day(valid_to),
    )
    if not (card.name and card.address and card.issuer):
        raise _refused("CARD_TEXT_UNREADABLE")
    if problems_of(card.number):
        raise _refused("CARD_NUMBER_INVALID")
    return card


def _text(field_bytes: bytes) -> str:
    try:
        text = field_bytes.decode("utf-16-le")
    except UnicodeDecodeError:
        raise _refused("CARD_TEXT_UNREADABLE") from None
    text = text.strip(" \x00\u3000")
    if any(unicodedata.category(each) in _NO_TEXT for each in text):
        raise _refused("CARD_TEXT_UNREADABLE")
    return text


def _day(text: str) -> date:
    if len(text) != _DAY_CHARACTERS or not (text.isascii() and text.isdigit()):
        raise _refused("CARD_TEXT_UNREADABLE")
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise _refused("CARD_TEXT_UNREADABLE") from None


def encode_card_text(card: CardText, *, ethnicity: str = "", reserved: str = "") -> bytes:
    """Return the block of an invented card: for the sandbox reader and for tests."""
    texts = {
        "name": card.name,
        "sex": next((code for code, sex in _SEXES.items() if sex == card.sex), "0"),
        "birth_date": f"{card.birth_date:%Y%m%d}",
        "address": card.address,
        "number": card.number,
        "issuer": card.issuer,
        "valid_from": f"{card.valid_from:%Y%m%d}",
        "valid_to": f"{card.valid_to:%Y%m%d}" if card.valid_to else _LONG_TERM,
        "reserved": reserved,
    }
    block = bytearray(" ".encode("utf-16-le") * (TEXT_BYTES // 2))
    for text, where in ((ethnicity, ETHNICITY), *((texts[name], where) for name, where in _FIELDS.items())):
        encoded = text.encode("utf-16-le")
        room = where.stop - where.start
        if len(encoded) > room:
            raise _refused("CARD_TEXT_LENGTH")
        block[where.start : where.start + len(encoded)] = encoded
    return bytes(block)


def _refused(code: str) -> BadInput:
    text, advice = _REFUSALS[code]
    return BadInput(code, text, advice)
