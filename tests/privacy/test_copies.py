import hashlib
import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from shiming.infrastructure.database import unit_of_work
from shiming.privacy.model import (
    AccessRequest,
    EvidenceContent,
    EvidenceErased,
    EvidenceKind,
    EvidenceUnknown,
    Purpose,
)
from shiming.privacy.rules.watermark import PURPOSES, CopyMark, say
from shiming.privacy.rules.watermark_drawing import mark_copy
from shiming.privacy.use_cases.copies import Copy, Marking, chinese_typeface, make_copy, show_copy
from shiming.vocabulary.errors import BadInput, Unavailable
from tests.privacy.disclosure_builders import NOW, a_ref
from tests.privacy.disclosure_desk import OPERATOR, OPERATOR_NAME, Desk, a_desk, a_picture

SPECIMENS = Path(__file__).parents[2] / "specimens"
TODAY = date(2026, 5, 1)
MARK = CopyMark(OPERATOR_NAME, OPERATOR, Purpose.DISPUTE, TODAY, "DSP-2026-0001")
WORDS = say(MARK, chinese=False)
REQUEST = AccessRequest("ACC-A", Purpose.DISPUTE, "DSP-2026-0001")
MARKING = Marking(OPERATOR_NAME, TODAY)


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    with a_desk(tmp_path, database_url) as found:
        yield found


def show(desk: Desk, evidence_id: str) -> Copy | EvidenceErased | EvidenceUnknown:
    with unit_of_work(desk.vault.engine) as connection:
        return show_copy(desk.vault.tools, connection, evidence_id, REQUEST, MARKING, now=NOW)


def opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def changed_cells(copy: Image.Image, original: Image.Image, cells: int = 4) -> int:
    """How many cells of a grid over the picture differ clearly from the original."""
    width, height = original.size
    difference = ImageChops.difference(copy.crop((0, 0, width, height)), original.convert("RGB")).convert("L")
    boxes = [
        (x * width // cells, y * height // cells, (x + 1) * width // cells, (y + 1) * height // cells)
        for x in range(cells)
        for y in range(cells)
    ]
    return sum((difference.crop(box).getextrema()[1] or 0) > 40 for box in boxes)  # type: ignore[operator] # of "L"


def test_a_shown_picture_is_marked_and_the_stored_one_is_untouched(desk: Desk) -> None:
    picture = a_picture(size=(640, 400))
    ref = desk.put(picture)
    objects = desk.vault.settings.objects_folder
    before = {path: path.read_bytes() for path in objects.rglob("*") if path.is_file()}
    copy = show(desk, ref.evidence_id)
    assert isinstance(copy, Copy)
    assert (copy.media_type, copy.marked) == ("image/jpeg", True)
    shown = opened(copy.content)
    assert shown.size[0] == 640
    assert shown.size[1] > 400  # the lines below stand on added paper
    assert changed_cells(shown, opened(picture)) == 16  # no part can be cut out without the mark
    assert {path: path.read_bytes() for path in objects.rglob("*") if path.is_file()} == before
    assert hashlib.sha256(next(iter(before.values()))).hexdigest() == ref.ciphertext_sha256


def test_other_evidence_says_that_it_bears_no_mark(desk: Desk) -> None:
    clip = show(desk, desk.put(b"\x1a\x45\xdf\xa3 webm", kind=EvidenceKind.CLIP).evidence_id)
    identity = show(desk, desk.put_identity().evidence_id)
    assert isinstance(clip, Copy)
    assert isinstance(identity, Copy)
    assert (clip.media_type, clip.marked, clip.content) == ("video/webm", False, b"\x1a\x45\xdf\xa3 webm")
    assert (identity.media_type, identity.marked) == ("application/json", False)
    assert "张三丰" not in repr(identity)


def test_what_is_erased_or_unknown_is_not_shown(desk: Desk) -> None:
    ref = desk.put()
    desk.erase(ref.evidence_id)
    assert isinstance(show(desk, ref.evidence_id), EvidenceErased)
    assert show(desk, "EVD-0") == EvidenceUnknown("EVD-0")


@pytest.mark.parametrize("name", ["not_an_image.jpg", "truncated.jpg", "zero_bytes.jpg", "not_a_clip.mp4"])
def test_what_is_no_picture_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="EVIDENCE_PICTURE_UNREADABLE"):
        mark_copy((SPECIMENS / "bad" / name).read_bytes(), WORDS, None)


def a_png_that_declares(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(60_000, 60_000), (10_000, 10_000), (30_000, 100)])
def test_a_decompression_bomb_is_refused_by_its_header(size: tuple[int, int]) -> None:
    with pytest.raises(BadInput, match="EVIDENCE_PICTURE_TOO_LARGE"):
        mark_copy(a_png_that_declares(*size), WORDS, None)
    assert "hundred_megapixels.png" in {path.name for path in (SPECIMENS / "bad").iterdir()}
    with pytest.raises(BadInput, match="EVIDENCE_PICTURE_TOO_LARGE"):
        mark_copy((SPECIMENS / "bad" / "hundred_megapixels.png").read_bytes(), WORDS, None)


@pytest.mark.parametrize("name", ["cmyk.jpg", "exif_rotated.jpg", "sixteen_bit.png", "transparent.png"])
def test_pictures_of_every_kind_become_upright_jpegs_without_metadata(name: str) -> None:
    copy = opened(mark_copy((SPECIMENS / "bad" / name).read_bytes(), WORDS, None))
    assert (copy.format, copy.mode) == ("JPEG", "RGB")
    assert not copy.getexif()
    assert "icc_profile" not in copy.info


def test_a_rotated_photo_is_shown_upright() -> None:
    lying = opened(a_picture(size=(300, 200)))
    exif = Image.Exif()
    exif[0x0112] = 6
    content = io.BytesIO()
    lying.save(content, "JPEG", exif=exif)
    assert opened(mark_copy(content.getvalue(), WORDS, None)).size[0] == 200


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_copy_of_a_large_photo_is_reduced(kind: str) -> None:
    copy = opened(mark_copy(a_picture(kind, (6000, 1500)), WORDS, None))
    assert copy.size[0] == 4000
    assert 1000 < copy.size[1] < 1400


def test_one_pixel_and_a_strip_are_marked_too() -> None:
    for size in ((1, 1), (2000, 3), (3, 2000)):
        assert opened(mark_copy(a_picture("PNG", size), WORDS, None)).size[0] == size[0]


def test_words_name_operator_purpose_and_date_in_both_languages() -> None:
    words = say(replace(MARK, recipient="某市公安局"), chinese=True)
    for part in (OPERATOR_NAME, "纠纷处理", "2026-05-01"):
        assert part in words.across
        assert part in words.below[0]
    for part in (OPERATOR_NAME, "a dispute", "2026-05-01", "DSP-2026-0001", "某市公安局"):
        assert part in words.below[1]


def test_without_a_chinese_typeface_the_code_stands_for_the_name() -> None:
    words = say(replace(MARK, recipient="某市公安局"), chinese=False)
    assert all(text.isascii() for text in (words.across, *words.below))
    assert OPERATOR in words.across
    with pytest.raises(Unavailable, match="WATERMARK_OPERATOR"):
        say(replace(MARK, operator_code=""), chinese=False)
    with pytest.raises(Unavailable, match="WATERMARK_OPERATOR"):
        say(replace(MARK, operator=" ", operator_code=""), chinese=True)


def test_every_purpose_has_its_words() -> None:
    assert set(PURPOSES) == set(Purpose)


def test_chinese_is_drawn_where_a_typeface_is() -> None:
    typeface = chinese_typeface()
    if typeface is None:
        pytest.skip("no typeface with Chinese letters on this machine")
    picture = a_picture(size=(640, 400))
    chinese = opened(mark_copy(picture, say(MARK, chinese=True), typeface))
    assert changed_cells(chinese, opened(picture)) == 16
    assert chinese.tobytes() != opened(mark_copy(picture, WORDS, None)).tobytes()


def test_a_copy_of_a_picture_that_cannot_be_marked_is_not_made() -> None:
    for kind in (EvidenceKind.DOCUMENT_FRONT, EvidenceKind.DOCUMENT_BACK, EvidenceKind.PORTRAIT):
        found = EvidenceContent(a_ref(kind=kind, operator=OPERATOR), b"%PDF-1.7")
        with pytest.raises(BadInput):
            make_copy(found, REQUEST, MARKING)
