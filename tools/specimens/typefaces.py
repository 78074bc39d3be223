"""Fonts of the specimens: Noto Sans CJK from a registry package, OCR-B (SIL OFL) beside this file."""

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage
from PIL import ImageDraw, ImageFont

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]
OCR_B_ADVANCE = 0.865  # of the size, for every character
_OCR_B = Path(__file__).parent / "fonts" / "OCR-B.ttf"


@cache
def han(size: int) -> ImageFont.FreeTypeFont:
    """Return Noto Sans CJK at this size in pixels."""
    path = resources.files("cvttf_NotoSansCJK_Regular").joinpath("NotoSansCJKtc-Regular.otf")
    return ImageFont.truetype(str(path), size)


@cache
def ocr_b(size: int) -> ImageFont.FreeTypeFont:
    """Return OCR-B at this size in pixels."""
    return ImageFont.truetype(str(_OCR_B), size)


class Sheet:
    """A page to draw on, in RGB, with one scale from design units to pixels."""

    def __init__(self, background_bgr: Pixels, scale: float) -> None:
        self.scale = scale
        self.image = PilImage.fromarray(np.ascontiguousarray(background_bgr[..., ::-1]))
        self.draw = ImageDraw.Draw(self.image)

    def text(
        self,
        at: tuple[float, float],
        text: str,
        size: float,
        *,
        ink: Colour = (20, 20, 24),
        font: str = "han",
        spacing: float = 0.0,
        width_max: float | None = None,
        bold: bool = False,
    ) -> float:
        """Write from the left top corner `at`, letter by letter if spaced. Returns the right end."""
        face = {"han": han, "ocr_b": ocr_b}[font](max(4, round(size * self.scale)))
        x, y = at[0] * self.scale, at[1] * self.scale
        options: dict[str, Any] = {"language": "zh-Hans"} if font == "han" else {}
        if bold:
            options |= {"stroke_width": max(1, round(size * self.scale / 40)), "stroke_fill": ink}
        length = face.getlength(text)
        if width_max is not None and length > width_max * self.scale:
            shrunk = size * width_max * self.scale / length
            return self.text(
                (at[0], at[1] + (size - shrunk) / 2), text, shrunk, ink=ink, font=font, bold=bold
            )
        if not spacing:
            self.draw.text((x, y), text, ink, font=face, **options)
            return (x + length) / self.scale
        for letter in text:
            self.draw.text((x, y), letter, ink, font=face, **options)
            x += face.getlength(letter) + spacing * self.scale
        return x / self.scale

    def pixels(self) -> Pixels:
        """Return what was drawn, BGR."""
        return np.ascontiguousarray(np.asarray(self.image, dtype=np.uint8)[..., ::-1])
