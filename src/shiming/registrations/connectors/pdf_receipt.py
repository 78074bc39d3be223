"""A receipt as PDF: one page A4, both languages, large print, the QR code drawn as vectors.

The file is the same for the same page, byte by byte: no time of writing, no random identifiers. Chinese is
set in Adobe's STSong-Light, which every viewer of PDF knows, so that no font is shipped. The text of the QR
code stands in the file's keywords too, so that a file can be verified without printing it.
"""

import re
from io import BytesIO
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepInFrame, Paragraph, Table, TableStyle

from shiming.registrations.connectors.qr_receipt import PREFIX, symbol
from shiming.registrations.model.paper_receipts import PaperPage
from shiming.vocabulary.errors import Text

FONT, LATIN_FONT = "STSong-Light", "Helvetica"  # both of every viewer; Song has clumsy Latin letters
_MARGIN = 18 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_QR_SIDE = 66 * mm  # about 0.8 mm a module: read from a paper at arm's length by any telephone
_LABEL_WIDTH = 62 * mm
_QUIET_MODULES = 4
_TITLE = ParagraphStyle("title", fontName=FONT, fontSize=18, leading=25, wordWrap="CJK")
_CELL = ParagraphStyle("cell", fontName=FONT, fontSize=12.5, leading=16, wordWrap="CJK")
_NOTE = ParagraphStyle("note", fontName=FONT, fontSize=10.5, leading=14, wordWrap="CJK")
_TITLE_EN = ParagraphStyle("title-en", fontName=LATIN_FONT, fontSize=15, leading=20)
_NOTE_EN = ParagraphStyle("note-en", fontName=LATIN_FONT, fontSize=9.5, leading=12.5, spaceAfter=6)
_ROWS = TableStyle(
    [
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, "grey"),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
    ]
)
_LATIN = re.compile(r"[\x21-\x7E]+(?: +[\x21-\x7E]+)*")
_CODE = re.compile(re.escape(PREFIX.encode()) + rb"[0-9A-Z $%*+./:-]+")


def draw(page: PaperPage) -> bytes:
    """Return the PDF."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    content = BytesIO()
    canvas = Canvas(content, pagesize=A4, invariant=True, lang="zh")
    canvas.setTitle(f"{page.title.zh} {page.title.en}")
    canvas.setCreator("Shiming")
    canvas.setKeywords(page.qr_text)
    top = A4[1] - _MARGIN
    for part in _in_both(page.title, _TITLE, _TITLE_EN):
        top = _place(canvas, part, top)
    top -= 4 * mm
    rows = [[Paragraph(_one_line(name), _CELL), Paragraph(_set(said), _CELL)] for name, said in page.rows]
    widths = [_LABEL_WIDTH, _WIDTH - _LABEL_WIDTH]
    top = _place(canvas, Table(rows, colWidths=widths, style=_ROWS), top) - 5 * mm
    room = top - _MARGIN - _QR_SIDE  # long texts are set smaller, never over the code
    notes = [part for text in page.paragraphs for part in _in_both(text, _NOTE, _NOTE_EN)]
    _place(canvas, KeepInFrame(_WIDTH, room, notes, mode="shrink"), top)
    _draw_code(canvas, page.qr_text)
    beside = _MARGIN + _QR_SIDE + 6 * mm
    top = _MARGIN + _QR_SIDE - 6 * mm
    for text in page.beside_qr:
        for part in _in_both(text, _NOTE, _NOTE_EN):
            top = _place(canvas, part, top, left=beside)
        top -= 3 * mm
    canvas.showPage()
    canvas.save()
    return content.getvalue()


def find_code(pdf: bytes) -> str | None:
    """Return the text of the QR code that a PDF of ours carries in its keywords."""
    found = _CODE.search(pdf)
    return found[0].decode("ascii") if found else None


def _place(canvas: Canvas, part: Flowable, top: float, *, left: float = _MARGIN) -> float:
    """Draw a part below `top` and return where it ends."""
    _, height = part.wrapOn(canvas, A4[0] - _MARGIN - left, top)
    part.drawOn(canvas, left, top - height)
    return top - float(height)


def _draw_code(canvas: Canvas, text: str) -> None:
    """Draw the modules as rectangles, runs of a row as one."""
    modules = [list(row) for row in symbol(text).matrix_iter(border=_QUIET_MODULES)]
    side = _QR_SIDE / len(modules)
    for number, row in enumerate(modules):
        bottom, start = _MARGIN + _QR_SIDE - (number + 1) * side, 0
        while start < len(row):
            end = start
            while end < len(row) and row[end] == row[start]:
                end += 1
            if row[start]:
                canvas.rect(_MARGIN + start * side, bottom, (end - start) * side, side, stroke=0, fill=1)
            start = end


def _one_line(text: Text) -> str:
    return _set(f"{text.zh} {text.en}")


def _in_both(text: Text, chinese: ParagraphStyle, english: ParagraphStyle) -> list[Flowable]:
    return [Paragraph(_set(text.zh), chinese), Paragraph(escape(text.en), english)]


def _set(text: str) -> str:
    """Mark up a text: what is Latin is set in the Latin typeface."""
    return _LATIN.sub(lambda found: f'<font name="{LATIN_FONT}">{escape(found[0])}</font>', text)
