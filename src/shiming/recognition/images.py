"""Read a picture that somebody sent: limits first, pixels after; every oddity of files becomes upright BGR.

What a file claims about itself is checked in its header, before a single pixel is decoded. Metadata is
used for one thing only, the orientation; whatever else it holds is never interpreted.

>>> read_image(b"")
Traceback (most recent call last):
    ...
shiming.vocabulary.errors.BadInput: IMAGE_EMPTY: ...
"""

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage

from shiming.recognition.measurements import Image
from shiming.vocabulary.errors import BadInput, Text

#: No others: a decoder that is not needed is only a way in. (A JPEG of several pictures opens as "MPO".)
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
_ONE_PICTURE_OF_MANY = frozenset({"MPO"})  # telephones store a depth map or a second lens beside the photo
_ORIENTATION = 0x0112
#: From the orientation tag: swap rows and columns, then read rows and columns forwards or backwards.
_UPRIGHT = {
    2: (False, 1, -1),
    3: (False, -1, -1),
    4: (False, -1, 1),
    5: (True, 1, 1),
    6: (True, 1, -1),
    7: (True, -1, -1),
    8: (True, -1, 1),
}

# A size that Pillow takes for a decompression bomb must end in our refusal, not in a line on stderr.
warnings.filterwarnings("error", category=PilImage.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What may be read. A telephone of today takes 12 to 50 megapixels, about 15 MB."""

    bytes_max: int = 30 << 20
    pixels_max: int = 52_000_000
    side_px_max: int = 20_000
    side_px_min: int = 32
    reading_side_px_max: int = 3000  # larger pictures are reduced: text is then still 30 pixels high


_LIMITS = ImageLimits()


def read_image(source: bytes | Path, limits: ImageLimits = _LIMITS) -> Image:
    """Return the picture as BGR uint8 (height, width, 3), upright.

    Raises BadInput with IMAGE_EMPTY, IMAGE_TOO_LARGE, IMAGE_TOO_SMALL, IMAGE_ANIMATED, IMAGE_NOT_FOUND or
    IMAGE_UNREADABLE.
    """
    content = _content(source, limits)
    with _opened(content, limits) as picture:
        _require_sizes(picture.size, limits)
        if picture.format not in _ONE_PICTURE_OF_MANY and getattr(picture, "is_animated", False):
            raise _bad(
                "IMAGE_ANIMATED", "图片是动画或有多页。", "The file holds more than one picture.", _ONE_PHOTO
            )
        orientation = _orientation(picture)
        pixels = _decoded(picture, limits)
    return reduced(_upright(pixels, orientation), limits.reading_side_px_max)


def reduced(image: Image, side_px_max: int) -> Image:
    """Return the image with its longer side at most `side_px_max`, averaged so that no pattern arises."""
    height, width = image.shape[:2]
    scale = side_px_max / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


_RETAKE = Text(
    zh="请用手机相机拍摄, 保存为 JPEG 或 PNG 后重新上传。",
    en="Take a photo with the phone camera and send it as JPEG or PNG.",
)
_ONE_PHOTO = Text(zh="请上传一张静态照片。", en="Send one still photo.")
_SMALLER = Text(
    zh="请缩小后再上传, 或用手机相机重新拍摄。", en="Reduce it, or take it again with a phone camera."
)
_LARGER = Text(zh="请上传原始照片, 不要用缩略图。", en="Send the original photo, not its thumbnail.")


def _bad(code: str, zh: str, en: str, advice: Text = _RETAKE, **details: int) -> BadInput:
    return BadInput(code, Text(zh=zh, en=en), advice, dict(details))


def _content(source: bytes | Path, limits: ImageLimits) -> bytes:
    if isinstance(source, Path):
        if not source.is_file():
            raise _bad("IMAGE_NOT_FOUND", "找不到图片文件。", "There is no such picture file.", _ONE_PHOTO)
        size = source.stat().st_size
    else:
        size = len(source)
    if size == 0:
        raise _bad("IMAGE_EMPTY", "图片文件是空的。", "The picture file is empty.")
    if size > limits.bytes_max:
        raise _too_large(bytes=size, bytes_max=limits.bytes_max)
    return source.read_bytes() if isinstance(source, Path) else source


def _too_large(**details: int) -> BadInput:
    return _bad("IMAGE_TOO_LARGE", "图片过大。", "The picture is too large.", _SMALLER, **details)


def _unreadable() -> BadInput:
    return _bad("IMAGE_UNREADABLE", "无法读取图片。", "The picture cannot be read.")


def _opened(content: bytes, limits: ImageLimits) -> PilImage.Image:
    try:
        return PilImage.open(io.BytesIO(content), formats=FORMATS)
    except (PilImage.DecompressionBombError, PilImage.DecompressionBombWarning) as error:
        raise _too_large(pixels_max=limits.pixels_max) from error
    except Exception as error:  # decoders raise anything at all on hostile files
        raise _unreadable() from error


def _require_sizes(size: tuple[int, int], limits: ImageLimits) -> None:
    width, height = size
    if width * height > limits.pixels_max or max(size) > limits.side_px_max:
        raise _too_large(width=width, height=height, pixels_max=limits.pixels_max)
    if min(size) < limits.side_px_min:
        raise _bad(
            "IMAGE_TOO_SMALL", "图片太小。", "The picture is too small.", _LARGER, width=width, height=height
        )


def _orientation(picture: PilImage.Image) -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - broken metadata is no reason to refuse a good picture
        return 1


def _decoded(picture: PilImage.Image, limits: ImageLimits) -> Image:
    try:
        # JPEG can be decoded at a half, a quarter or an eighth for less time and memory
        picture.draft(None, (limits.reading_side_px_max, limits.reading_side_px_max))
        return _bgr(picture)
    except Exception as error:  # truncated and hostile data raise anything
        raise _unreadable() from error


def _bgr(picture: PilImage.Image) -> Image:
    if picture.mode.startswith(("I", "F")):
        return np.asarray(cv2.cvtColor(_eight_bits(np.asarray(picture)), cv2.COLOR_GRAY2BGR), np.uint8)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        paper = PilImage.new("RGBA", picture.size, (255, 255, 255, 255))
        picture = PilImage.alpha_composite(paper, picture)
    rgb: Image = np.asarray(picture if picture.mode == "RGB" else picture.convert("RGB"), np.uint8)
    return np.asarray(rgb[..., ::-1], np.uint8)


def _upright(pixels: Image, orientation: int) -> Image:
    swap, rows, columns = _UPRIGHT.get(orientation, (False, 1, 1))
    turned = pixels.transpose(1, 0, 2) if swap else pixels
    return np.asarray(np.ascontiguousarray(turned[::rows, ::columns]), np.uint8)


def _eight_bits(grey: NDArray[Any]) -> Image:
    """Bring 16-bit, 32-bit or floating grey to 0..255 by the range that its largest value needs."""
    values = np.nan_to_num(grey.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    top = float(values.max(initial=0.0))
    full = next((span for span in (1.0, 255.0, 65535.0) if top <= span), top)
    if grey.dtype == np.uint16:
        full = 65535.0
    return np.asarray(np.clip(values * (255.0 / full), 0, 255), np.uint8)
