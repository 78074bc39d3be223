"""Draw a mark onto a copy of a picture: repeated across it, half transparent, and in full below it.

The copy is a new JPEG without any metadata of the original. Dark letters with a light edge stay readable on
any ground; the lines below stand on added paper and cover nothing.
"""

import io
from collections.abc import Iterator

from PIL import Image, ImageDraw, ImageFont, ImageOps

from shiming.privacy.rules.watermark import MarkWords
from shiming.vocabulary.errors import BadInput, Text

#: What recognition takes (`recognition.images.FORMATS`): whatever was accepted can be shown.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
PIXELS_MAX = 52_000_000  # of recognition.images as well: a telephone's largest photo, 160 MB of pixels
SIDE_PX_MAX = 20_000
COPY_SIDE_PX_MAX = 4000  # a copy is for eyes: half of what the largest telephones take
_ANGLE_DEGREES = 30
_OPACITY = 110  # of 255: the document stays readable, and so does the mark on a photocopy
_EDGE_OPACITY = 90
_INK, _EDGE, _PAPER = (150, 20, 20), (255, 255, 255), (255, 255, 255)
_LETTER_PX_MIN, _LETTERS_A_LINE = 11, 34  # a line of the mark crosses most of the picture's width
_JPEG_QUALITY = 90

Typeface = ImageFont.FreeTypeFont | ImageFont.ImageFont


def mark_copy(content: bytes, words: MarkWords, typeface: str | None) -> bytes:
    """Return a marked JPEG copy of a picture; `typeface` is a font file, None for Pillow's own Latin one.

    Raises BadInput EVIDENCE_PICTURE_UNREADABLE or EVIDENCE_PICTURE_TOO_LARGE.
    """
    picture = _read(content)
    size = max(_LETTER_PX_MIN, picture.width // _LETTERS_A_LINE)
    _draw_across(picture, words.across, _typeface(typeface, size))
    copy = _with_lines_below(picture, words.below, typeface, max(_LETTER_PX_MIN, size * 2 // 3))
    out = io.BytesIO()
    copy.save(out, "JPEG", quality=_JPEG_QUALITY)
    return out.getvalue()


def _read(content: bytes) -> Image.Image:
    """Return upright RGB pixels; the size is checked in the header, before a pixel is decoded."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            if opened.width * opened.height > PIXELS_MAX or max(opened.size) > SIDE_PX_MAX:
                raise _too_large()
            shrink = max(opened.size) / COPY_SIDE_PX_MAX
            opened.draft("RGB", (int(opened.width / shrink), int(opened.height / shrink)))
            opened.thumbnail((COPY_SIDE_PX_MAX, COPY_SIDE_PX_MAX))
            upright = ImageOps.exif_transpose(opened)
            return _on_paper(upright)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large() from None
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, TypeError, OverflowError) as problem:
        raise BadInput(
            "EVIDENCE_PICTURE_UNREADABLE",
            Text(zh="该材料不是可读取的图片。", en="This evidence is no picture that can be read."),
            Text(zh="无法加注水印，因此不予出示。", en="It cannot be marked, so it is not shown."),
            {"reason": type(problem).__name__},
        ) from None


def _on_paper(picture: Image.Image) -> Image.Image:
    """Return RGB; what is transparent becomes white."""
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    layered = picture.convert("RGBA")
    paper = Image.new("RGB", layered.size, _PAPER)
    paper.paste(layered, mask=layered.getchannel("A"))
    return paper


def _draw_across(picture: Image.Image, text: str, typeface: Typeface) -> None:
    ink = _turned(text, typeface, _OPACITY)
    edge = _turned(text, typeface, _EDGE_OPACITY)
    for place in _places(picture.size, ink.size):
        for shift in (-1, 1):
            picture.paste(_EDGE, (place[0] + shift, place[1] + shift), edge)
        picture.paste(_INK, place, ink)


def _turned(text: str, typeface: Typeface, opacity: int) -> Image.Image:
    left, top, right, bottom = typeface.getbbox(text)
    mask = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2), 0)
    ImageDraw.Draw(mask).text((1 - left, 1 - top), text, fill=opacity, font=typeface)
    return mask.rotate(_ANGLE_DEGREES, expand=True, resample=Image.Resampling.BICUBIC)


def _places(size: tuple[int, int], tile: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Yield where the mark stands: rows shifted by half a step, so that no strip of the picture is free."""
    (width, height), (step_x, step_y) = size, (max(1, tile[0] * 2 // 3), max(1, tile[1] * 2 // 3))
    for row, y in enumerate(range(-tile[1] // 3, height, step_y)):
        start = -tile[0] // 3 - (row % 2) * step_x // 2
        yield from ((x, y) for x in range(start, width, step_x))


def _with_lines_below(
    picture: Image.Image, lines: tuple[str, ...], typeface: str | None, size: int
) -> Image.Image:
    font = _typeface(typeface, size)
    margin = size // 2
    rows = [row for line in lines for row in _wrapped(line, font, picture.width - 2 * margin)]
    step = size * 3 // 2
    sheet = Image.new("RGB", (picture.width, picture.height + step * len(rows) + 2 * margin), _PAPER)
    sheet.paste(picture, (0, 0))
    draw = ImageDraw.Draw(sheet)
    for number, row in enumerate(rows):
        draw.text((margin, picture.height + margin + number * step), row, fill=_INK, font=font)
    return sheet


def _wrapped(line: str, typeface: Typeface, width: int) -> Iterator[str]:
    """Yield parts that fit; broken at any character, because Chinese has no spaces."""
    row = ""
    for character in line:
        if row and typeface.getlength(row + character) > width:
            yield row
            row = ""
        row += character
    yield row


def _typeface(file: str | None, size: int) -> Typeface:
    return ImageFont.load_default(size) if file is None else ImageFont.truetype(file, size)


def _too_large() -> BadInput:
    return BadInput(
        "EVIDENCE_PICTURE_TOO_LARGE",
        Text(zh="图片的像素过多。", en="The picture has more pixels than can be shown."),
        Text(zh="无法加注水印，因此不予出示。", en="It cannot be marked, so it is not shown."),
        {"pixels_max": PIXELS_MAX},
    )
