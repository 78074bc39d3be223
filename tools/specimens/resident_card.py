"""The resident identity card of the second generation: its layout in spirit, marked SPECIMEN.

Design units are pixels at 300 dpi: the card is 85.6 x 54 mm = 1011 x 638. `scale` 1.5 gives 1516 x 957.
Returned images are BGR.
"""

from datetime import date

import cv2
import numpy as np

from tools.specimens.identities import Person
from tools.specimens.security_print import guilloche, mark_specimen, rosette
from tools.specimens.typefaces import Pixels, Sheet

CARD_WIDTH, CARD_HEIGHT = 1011, 638
PORTRAIT_BOX = (648, 84, 307, 378)  # x, y, width, height in design units: 26 x 32 mm
PORTRAIT_PRINT_PX = (358, 441)  # the official size of the stored picture
_LABEL = (62, 120, 176)
_INK = (22, 22, 26)
_ADDRESS_CHARACTERS_A_LINE = 11


def address_lines(address: str, width: int = _ADDRESS_CHARACTERS_A_LINE) -> list[str]:
    """Cut an address into lines of about eleven Han characters; two digits count as one.

    >>> address_lines("江苏省南京市玄武区人民路18号3号楼1单元1203室")
    ['江苏省南京市玄武区人民', '路18号3号楼1单元1203', '室']
    """
    lines, used = [""], 0.0
    for letter in address:
        size = 0.55 if letter.isascii() else 1.0
        if used + size > width + 0.01:
            lines.append("")
            used = 0.0
        lines[-1] += letter
        used += size
    return lines


def fit_portrait(portrait_bgr: Pixels, size: tuple[int, int]) -> Pixels:
    """Cut the middle of a portrait to the card's aspect and scale it to (width, height)."""
    height, width = portrait_bgr.shape[:2]
    aspect = size[0] / size[1]
    if width / height > aspect:
        keep = round(height * aspect)
        left = (width - keep) // 2
        portrait_bgr = portrait_bgr[:, left : left + keep]
    else:
        keep = round(width / aspect)
        portrait_bgr = portrait_bgr[:keep]
    shrink = portrait_bgr.shape[1] > size[0]
    how = cv2.INTER_AREA if shrink else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(portrait_bgr, size, interpolation=how), dtype=np.uint8)


def _place_portrait(sheet_bgr: Pixels, portrait_bgr: Pixels, scale: float) -> Pixels:
    x, y, width, height = (round(value * scale) for value in PORTRAIT_BOX)
    printed = fit_portrait(fit_portrait(portrait_bgr, PORTRAIT_PRINT_PX), (width, height))
    soft = np.zeros((height, width), np.float32)
    edge = max(2, round(3 * scale))
    soft[edge:-edge, edge:-edge] = 1
    weight = cv2.GaussianBlur(soft, (0, 0), edge * 0.7)[..., None]
    under = sheet_bgr[y : y + height, x : x + width]
    mixed = printed * weight * 0.97 + under * (1 - weight * 0.97)
    result = sheet_bgr.copy()
    result[y : y + height, x : x + width] = np.clip(mixed, 0, 255).astype(np.uint8)
    return result


def _write_birth_date(sheet: Sheet, birth: date, y: float) -> None:
    sheet.text((62, y), "出生", 29, ink=_LABEL, spacing=8)
    for x, value, unit in ((168, birth.year, "年"), (292, birth.month, "月"), (378, birth.day, "日")):
        end = sheet.text((x, y - 2), str(value), 32, ink=_INK)
        sheet.text((max(end + 12, {"年": 248, "月": 334, "日": 420}[unit]), y), unit, 29, ink=_LABEL)


def render_resident_card_front(
    person: Person, portrait_bgr: Pixels, *, scale: float = 1.5, seed: int = 0
) -> Pixels:
    """Draw the side with the portrait."""
    size = round(CARD_WIDTH * scale), round(CARD_HEIGHT * scale)
    ground = guilloche(*size, seed, ((250, 240, 226), (232, 238, 246)))
    sheet = Sheet(_place_portrait(ground, portrait_bgr, scale), scale)
    sheet.text((62, 74), "姓名", 29, ink=_LABEL, spacing=8)
    sheet.text((168, 70), person.name, 37, ink=_INK, spacing=4 if len(person.name) < 5 else 0, width_max=450)
    sheet.text((62, 154), "性别", 29, ink=_LABEL, spacing=8)
    sheet.text((168, 151), person.sex, 33, ink=_INK)
    sheet.text((264, 154), "民族", 29, ink=_LABEL, spacing=8)
    sheet.text((364, 151), person.ethnicity, 33, ink=_INK)
    _write_birth_date(sheet, person.birth_date, 232)
    sheet.text((62, 314), "住址", 29, ink=_LABEL, spacing=8)
    for index, line in enumerate(address_lines(person.address)):
        sheet.text((168, 311 + 46 * index), line, 34, ink=_INK, spacing=2)
    sheet.text((62, 530), "公民身份号码", 31, ink=_LABEL, spacing=2)
    sheet.text((326, 521), person.number, 37.5, ink=_INK, font="ocr_b", spacing=0.1)
    mark_specimen(sheet, (745, 592), 24, keep_clear=PORTRAIT_BOX)
    return sheet.pixels()


def validity_text(valid_from: date, valid_to: date | None) -> str:
    """Return the period as printed: 2020.01.02-2040.01.02, or up to 长期."""
    return f"{valid_from:%Y.%m.%d}-{f'{valid_to:%Y.%m.%d}' if valid_to else '长期'}"


def render_resident_card_back(person: Person, *, scale: float = 1.5, seed: int = 0) -> Pixels:
    """Draw the side with the emblem (a rosette stands in), the issuer and the validity."""
    size = round(CARD_WIDTH * scale), round(CARD_HEIGHT * scale)
    sheet = Sheet(guilloche(*size, seed + 1, ((248, 236, 232), (226, 234, 250)), 1.2), scale)
    rosette(sheet, (150, 165), 92, (200, 70, 60))
    sheet.text((326, 84), "中华人民共和国", 58, ink=(30, 30, 34), spacing=14)
    sheet.text((296, 192), "居民身份证", 92, ink=(30, 30, 34), spacing=26, bold=True)
    sheet.text((196, 452), "签发机关", 31, ink=_INK, spacing=4, bold=True)
    sheet.text((396, 451), person.issuer, 33, ink=_INK, width_max=560)
    sheet.text((196, 532), "有效期限", 31, ink=_INK, spacing=4, bold=True)
    sheet.text((396, 531), validity_text(person.valid_from, person.valid_to), 33, ink=_INK, spacing=1)
    mark_specimen(sheet, (60, 586), 24)
    return sheet.pixels()
