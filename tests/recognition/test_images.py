"""Every oddity of picture files ends upright in BGR or in a typed refusal."""

import contextlib
import io
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PilImage

from shiming.recognition.images import ImageLimits, read_image, reduced
from shiming.vocabulary.errors import BadInput

RED = (220, 30, 40)
_ORIENTATION = 0x0112


def encoded(picture: PilImage.Image, kind: str = "PNG", **options: object) -> bytes:
    target = io.BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


def marked(mode: str = "RGB") -> PilImage.Image:
    """White, 80 x 60, with a red top left quarter."""
    picture = PilImage.new("RGB", (80, 60), "white")
    picture.paste(RED, (0, 0, 40, 30))
    return picture.convert(mode)


def refusal(content: bytes | Path) -> str:
    with pytest.raises(BadInput) as caught:
        read_image(content)
    error = caught.value
    assert error.text.zh
    assert error.text.en
    assert error.advice.zh
    assert error.advice.en
    return error.code


def is_red(pixel: np.ndarray) -> bool:
    blue, green, red = (int(value) for value in pixel)
    return red > 170 and green < 90 and blue < 90


@given(st.binary(max_size=400))
def test_any_bytes_are_a_picture_or_a_refusal(content: bytes) -> None:
    with contextlib.suppress(BadInput):
        assert read_image(content).dtype == np.uint8


@given(st.integers(0, 2000), st.integers(0, 255))
def test_a_damaged_png_never_raises_anything_else(place: int, value: int) -> None:
    content = bytearray(encoded(marked()))
    content[place % len(content)] = value
    with contextlib.suppress(BadInput):
        assert read_image(bytes(content)).ndim == 3


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK", "YCbCr"])
def test_colours_survive_every_mode(mode: str) -> None:
    kind = {"CMYK": "TIFF", "YCbCr": "TIFF"}.get(mode, "PNG")
    image = read_image(encoded(marked(mode), kind))
    assert image.shape == (60, 80, 3)
    assert is_red(image[10, 10])
    assert image[50, 70].min() > 240


def test_cmyk_jpeg_is_not_inverted() -> None:
    image = read_image(encoded(marked("CMYK"), "JPEG", quality=95))
    assert is_red(image[10, 10])
    assert image[50, 70].min() > 240


def test_sixteen_bits_are_scaled_and_not_cut() -> None:
    ramp = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    image = read_image(encoded(PilImage.fromarray(ramp)))
    assert image[0, 0].max() <= 1
    assert image[-1, -1].min() >= 254
    assert abs(int(image[32, 0, 0]) - 128) <= 2


def test_transparent_pixels_are_white_paper() -> None:
    picture = PilImage.new("RGBA", (64, 64), (0, 0, 0, 0))
    picture.paste((10, 20, 30, 255), (0, 0, 32, 64))
    image = read_image(encoded(picture))
    assert image[5, 5].tolist() == [30, 20, 10]
    assert image[5, 60].tolist() == [255, 255, 255]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(orientation: int) -> None:
    turns = {
        1: None, 2: PilImage.Transpose.FLIP_LEFT_RIGHT, 3: PilImage.Transpose.ROTATE_180,
        4: PilImage.Transpose.FLIP_TOP_BOTTOM, 5: PilImage.Transpose.TRANSPOSE,
        6: PilImage.Transpose.ROTATE_90, 7: PilImage.Transpose.TRANSVERSE, 8: PilImage.Transpose.ROTATE_270,
    }  # fmt: skip
    turn = turns[orientation]
    stored = marked() if turn is None else marked().transpose(turn)
    exif = PilImage.Exif()
    exif[_ORIENTATION] = orientation
    image = read_image(encoded(stored, "JPEG", exif=exif, quality=95))
    assert image.shape == (60, 80, 3)
    assert is_red(image[10, 10])
    assert not is_red(image[50, 70])


def test_a_broken_exif_block_is_harmless() -> None:
    content = encoded(marked(), "JPEG", exif=b"Exif\x00\x00" + b"\xff" * 500)
    assert read_image(content).shape == (60, 80, 3)


def hundred_megapixels() -> bytes:
    """A header that promises 10,000 x 10,000 pixels."""
    header = struct.pack(">IIBBBBB", 10_000, 10_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100_000)), (b"IEND", b"")]
    parts = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_a_hundred_megapixels_are_refused_from_the_header() -> None:
    content = hundred_megapixels()
    refusal(content)
    started = time.perf_counter()
    assert refusal(content) == "IMAGE_TOO_LARGE"
    assert time.perf_counter() - started < 0.2


def test_too_many_bytes_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    path.write_bytes(encoded(marked()))
    with pytest.raises(BadInput) as caught:
        read_image(path, ImageLimits(bytes_max=100))
    assert caught.value.code == "IMAGE_TOO_LARGE"


def test_animations_are_refused() -> None:
    frames = [PilImage.new("RGB", (64, 64), colour) for colour in ("red", "blue", "white")]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert refusal(content) == "IMAGE_ANIMATED"
    assert read_image(encoded(frames[0], "GIF")).shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "IMAGE_EMPTY"),
        (b"not a picture", "IMAGE_UNREADABLE"),
        (b"%PDF-1.7 " + b"x" * 100, "IMAGE_UNREADABLE"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "IMAGE_UNREADABLE"),
        (encoded(marked(), "JPEG")[:300], "IMAGE_UNREADABLE"),
        (encoded(PilImage.new("RGB", (8, 8))), "IMAGE_TOO_SMALL"),
        (Path("no-such-picture.jpg"), "IMAGE_NOT_FOUND"),
    ],
)
def test_what_cannot_be_used_is_refused(content: bytes | Path, code: str) -> None:
    assert refusal(content) == code


def test_large_photos_are_reduced() -> None:
    image = read_image(encoded(PilImage.new("RGB", (5000, 3000), RED), "JPEG"))
    assert max(image.shape) <= 3000
    assert is_red(image[10, 10])


@given(st.integers(1, 300), st.integers(1, 300), st.integers(8, 200))
def test_reducing_keeps_within_the_limit(width: int, height: int, side: int) -> None:
    assert max(reduced(np.zeros((height, width, 3), np.uint8), side).shape[:2]) <= max(side, 1)
