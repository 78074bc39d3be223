"""The same row from differently prepared pixels, for readings that do not share their errors."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from shiming.recognition.measurements import Image
from shiming.recognition.text_recognition import Line, cut_out


class Strip(NamedTuple):
    """A row's pixels and the stretch of the band that they show."""

    image: Image
    left: float
    width: float


Preparation = Callable[[Image, Line], Strip]


def _cut(band: Image, row: Line, beside: float, above: float) -> Strip:
    start, end = row.corners[[0, 3], 0].mean(), row.corners[[1, 2], 0].mean()
    margin = beside * row.height
    return Strip(
        cut_out(band, row, beside=beside, above=above), float(start) - margin, float(end - start) + 2 * margin
    )


def _prepared(
    beside: float, above: float, treatment: Callable[[Image], Image] | None = None, stretch: float = 1.0
) -> Preparation:
    def prepare(band: Image, row: Line) -> Strip:
        image, left, width = _cut(band, row, beside, above)
        if stretch != 1.0:
            size = max(4, round(image.shape[1] * stretch)), image.shape[0]
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        return Strip(treatment(image) if treatment else image, left, width)

    return prepare


def evened(strip: Image) -> Image:
    """Return the strip in grey with its light evened out."""
    grey = cv2.createCLAHE(clipLimit=2.5, tileGridSize=(8, 2)).apply(cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY))
    return _three_channels(grey)


def sharpened(strip: Image) -> Image:
    """Return the strip with its edges strengthened."""
    soft = cv2.GaussianBlur(strip, (0, 0), max(1.0, strip.shape[0] / 24))
    return np.asarray(cv2.addWeighted(strip, 2.0, soft, -1.0, 0), np.uint8)


def softened(strip: Image) -> Image:
    """Return the strip without the grain of paper and sensor."""
    return np.asarray(cv2.bilateralFilter(strip, 7, 40, max(2.0, strip.shape[0] / 16)), np.uint8)


def black_ink(strip: Image) -> Image:
    """Return only what is dark in every colour: print over coloured patterns and stamps."""
    brightest = strip.max(axis=2)
    low, high = np.percentile(brightest, (2, 70))
    stretched = np.clip((brightest.astype(np.float32) - low) * (255 / max(high - low, 16.0)), 0, 255)
    return _three_channels(stretched.astype(np.uint8))


def black_and_white(strip: Image) -> Image:
    """Return the strip thresholded against its surroundings, slightly softened."""
    grey = cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY)
    block = max(15, strip.shape[0] // 2 * 2 + 1)
    binary = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, block, 12)
    return _three_channels(cv2.GaussianBlur(binary, (3, 3), 0))


def _three_channels(grey: np.ndarray) -> Image:
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)


#: In the order in which they helped on drawn documents; margins in row heights.
PREPARATIONS: Sequence[Preparation] = (
    _prepared(0.35, 0.0),
    _prepared(0.5, 0.15),
    _prepared(0.4, 0.08, evened),
    _prepared(0.4, 0.0, stretch=1.3),
    _prepared(0.6, 0.2, sharpened),
    _prepared(0.4, 0.05, black_ink),
    _prepared(0.4, 0.08, black_and_white),
    _prepared(0.3, -0.08, stretch=0.85),
    _prepared(0.5, 0.1, softened),
)
