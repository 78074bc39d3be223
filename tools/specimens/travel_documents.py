"""Travel documents with a machine-readable zone (ICAO 9303), marked SPECIMEN, of the invented state UTO.

Design units are pixels at 300 dpi: TD3 125 x 88 mm, TD2 105 x 74 mm, TD1 85.6 x 54 mm, visas MRV-A
120 x 80 mm and MRV-B 105 x 74 mm. The lines are composed here, apart from the product, so that each
can test the other.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from tools.specimens.identities import Person
from tools.specimens.resident_card import fit_portrait
from tools.specimens.security_print import guilloche, mark_specimen, rosette
from tools.specimens.typefaces import OCR_B_ADVANCE, Pixels, Sheet

DocumentFormat = Literal["td1", "td2", "td3", "mrva", "mrvb"]
SIZES: dict[str, tuple[int, int]] = {
    "td1": (1011, 638),
    "td2": (1240, 874),
    "td3": (1476, 1039),
    "mrva": (1417, 945),
    "mrvb": (1240, 874),
}
_LINE_LENGTH = {"td1": 30, "td2": 36, "td3": 44, "mrva": 44, "mrvb": 36}
_TITLES = {
    "td1": "IDENTITY CARD / CARTE D'IDENTITE",
    "td2": "IDENTITY CARD / CARTE D'IDENTITE",
    "td3": "PASSPORT / PASSEPORT",
    "mrva": "VISA",
    "mrvb": "VISA",
}
_CODES = {"td1": "I", "td2": "I", "td3": "P", "mrva": "V", "mrvb": "V"}


@dataclass(frozen=True, slots=True)
class TravelDocument:
    """What is printed on one travel document. Codes of states are ISO 3166 or ICAO's specimen code UTO."""

    format: DocumentFormat
    document_number: str
    surname: str
    given_names: str
    birth_date: date
    sex: str  # M, F or <
    expiry_date: date
    issuing_state: str = "UTO"
    nationality: str = "UTO"
    document_code: str = ""
    optional: str = ""
    title: str = ""

    def truth(self) -> dict[str, str | list[str]]:
        """Return the fields as `shiming measure document` names them."""
        return {
            "mrz": mrz_lines(self),
            "document_code": self.document_code or _CODES[self.format],
            "issuing_state": self.issuing_state,
            "surname": self.surname,
            "given_names": self.given_names,
            "document_number": self.document_number,
            "nationality": self.nationality,
            "birth_date": self.birth_date.isoformat(),
            "sex": self.sex,
            "expiry_date": self.expiry_date.isoformat(),
        }


def check_digit(text: str) -> str:
    """Return the check digit of ICAO 9303 part 3 (weights 7, 3, 1).

    >>> check_digit("L898902C3"), check_digit("740812"), check_digit("120415"), check_digit("ZE184226B<<<<<")
    ('6', '2', '9', '1')
    """
    values = (0 if c == "<" else int(c, 36) for c in text)
    return str(sum(value * (7, 3, 1)[index % 3] for index, value in enumerate(values)) % 10)


def _fill(text: str, length: int) -> str:
    return text.upper().replace(" ", "<").replace("-", "<")[:length].ljust(length, "<")


def mrz_lines(document: TravelDocument) -> list[str]:
    """Compose the lines of the zone.

    >>> from datetime import date
    >>> utopia = TravelDocument("td3", "L898902C3", "ERIKSSON", "ANNA MARIA", date(1974, 8, 12), "F",
    ...                         date(2012, 4, 15), optional="ZE184226B")
    >>> print(*mrz_lines(utopia), sep=chr(10))
    P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<
    L898902C36UTO7408122F1204159ZE184226B<<<<<10
    """
    length = _LINE_LENGTH[document.format]
    head = _fill(document.document_code or _CODES[document.format], 2) + document.issuing_state
    names = document.surname.replace(" ", "<") + "<<" + document.given_names.replace(" ", "<")
    number = _fill(document.document_number, 9)
    birth, expiry = f"{document.birth_date:%y%m%d}", f"{document.expiry_date:%y%m%d}"
    dated = birth + check_digit(birth) + document.sex + expiry + check_digit(expiry)
    if document.format == "td1":
        first = head + number + check_digit(number) + _fill(document.optional, 15)
        second = dated + document.nationality + _fill("", 11)
        overall = first[5:30] + second[0:7] + second[8:15] + second[18:29]
        return [first, second + check_digit(overall), _fill(names, 30)]
    body = number + check_digit(number) + document.nationality + dated
    if document.format in ("mrva", "mrvb"):
        return [_fill(head + names, length), _fill(body + document.optional, length)]
    if document.format == "td2":
        body += _fill(document.optional, 7)
        overall = body[0:10] + body[13:20] + body[21:35]
        return [_fill(head + names, length), body + check_digit(overall)]
    personal = _fill(document.optional, 14)
    body += personal + (check_digit(personal) if document.optional else "<")
    overall = body[0:10] + body[13:20] + body[21:43]
    return [_fill(head + names, length), body + check_digit(overall)]


def travel_document(
    person: Person, format_: DocumentFormat, seed: int, *, state: str = "UTO"
) -> TravelDocument:
    """Return a document of this person with a number that follows from the seed."""
    rng = np.random.default_rng([seed, 9303])
    letters = "ABCDEFGHJKLMNPRTUVWXYZ"
    number = letters[int(rng.integers(len(letters)))] + f"{int(rng.integers(10**8)):08d}"
    expiry = date(2029 + int(rng.integers(0, 6)), int(rng.integers(1, 13)), int(rng.integers(1, 29)))
    return TravelDocument(
        format_, number, person.surname_latin, person.given_latin, person.birth_date,
        "M" if person.sex == "男" else "F", expiry, issuing_state=state, nationality=state,
    )  # fmt: skip


def exit_entry_permit(person: Person, seed: int) -> TravelDocument:
    """Return a card-sized exit-entry permit (TD1-like; code CS, issued by CHN)."""
    plain = travel_document(person, "td1", seed, state="CHN")
    return TravelDocument(
        "td1", "C" + plain.document_number[1:], plain.surname, plain.given_names, plain.birth_date,
        plain.sex, plain.expiry_date, "CHN", "CHN", "CS", "", "EXIT-ENTRY PERMIT 往来通行证",
    )  # fmt: skip


def _write_zone(sheet: Sheet, document: TravelDocument, size: tuple[int, int]) -> None:
    """Write the zone with the standard's pitch: 2.54 mm a character, 6.35 mm a line."""
    lines = mrz_lines(document)
    pitch, line_pitch, left = 30.0, 75, 72
    top = size[1] - line_pitch * len(lines) - 24
    box = [value * sheet.scale for value in (0, top - 22, size[0], size[1])]
    sheet.draw.rectangle(box, fill=(244, 244, 240))
    for index, line in enumerate(lines):
        for place, character in enumerate(line):
            at = left + place * pitch, top + index * line_pitch
            sheet.text(at, character, pitch / OCR_B_ADVANCE, font="ocr_b")


def _visual_rows(document: TravelDocument) -> list[tuple[str, str]]:
    return [
        ("Document No.", document.document_number),
        ("Surname", document.surname),
        ("Given names", document.given_names),
        ("Nationality / Date of birth", f"{document.nationality}    {document.birth_date:%d %b %Y}".upper()),
        ("Sex / Date of expiry", f"{document.sex}    {document.expiry_date:%d %b %Y}".upper()),
    ]


def render_travel_document(
    document: TravelDocument, portrait_bgr: Pixels, *, scale: float = 1.3, seed: int = 0
) -> Pixels:
    """Draw the data page (TD3), the card side with the zone (TD1, TD2) or the visa."""
    size = SIZES[document.format]
    pixels = round(size[0] * scale), round(size[1] * scale)
    sheet_bgr = guilloche(*pixels, seed + 17, ((236, 240, 226), (246, 234, 236)))
    small = document.format == "td1"
    if not small:
        portrait = fit_portrait(portrait_bgr, (round(330 * scale), round(424 * scale)))
        y, x = round(150 * scale), round(60 * scale)
        sheet_bgr[y : y + portrait.shape[0], x : x + portrait.shape[1]] = portrait
    sheet = Sheet(sheet_bgr, scale)
    left = 70 if small else 430
    sheet.text((60, 40), document.title or _TITLES[document.format], 34, ink=(40, 60, 120), bold=True)
    rosette(sheet, (size[0] - 150, 190), 90, (120, 110, 190))
    rows = _visual_rows(document)
    for index, (label, value) in enumerate(rows):
        x, y = left, 140 + index * 92
        if small:  # two columns
            x, y = (left, 104 + index * 84) if index < 3 else (left + 420, 188 + (index - 3) * 84)
        sheet.text((x, y), label, 17, ink=(90, 100, 130))
        sheet.text((x, y + 22), value, 27 if small else 34, width_max=size[0] - x - 60)
    mark_specimen(sheet, (size[0] - 330, 44), 24, keep_clear=None if small else (60, 150, 330, 424))
    _write_zone(sheet, document, size)
    return sheet.pixels()
