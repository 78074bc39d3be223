"""The same line of text from differently prepared pixels, for readings that do not share their errors."""

from collections.abc import Callable, Sequence
from functools import partial

import cv2
import numpy as np

from shiming.recognition.measurements import Image
from shiming.recognition.text_recognition import Line, cut_out


def prepared_strips(image: Image, line: Line) -> Sequence[Callable[[], Image]]:
    """Return ways to cut out a line: tighter, wider, evened, sharpened, stretched, in black and white."""
    return (
        partial(cut_out, image, line, beside=0.35, above=0.0),
        partial(cut_out, image, line, beside=0.5, above=0.15),
        lambda: evened(cut_out(image, line, beside=0.4, above=0.08)),
        lambda: stretched(cut_out(image, line, beside=0.4, above=0.0), 1.3),
        lambda: sharpened(cut_out(image, line, beside=0.6, above=0.25)),
        lambda: black_and_white(cut_out(image, line, beside=0.4, above=0.08)),
        lambda: stretched(cut_out(image, line, beside=0.3, above=-0.08), 0.85),
        lambda: softened(cut_out(image, line, beside=0.5, above=0.1)),
    )


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


def stretched(strip: Image, factor: float) -> Image:
    """Return the strip with its length multiplied."""
    height, width = strip.shape[:2]
    size = max(4, round(width * factor)), height
    return np.asarray(cv2.resize(strip, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def black_and_white(strip: Image) -> Image:
    """Return the strip thresholded against its surroundings, slightly softened."""
    grey = cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY)
    block = max(15, strip.shape[0] // 2 * 2 + 1)
    binary = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, block, 12)
    return _three_channels(cv2.GaussianBlur(binary, (3, 3), 0))


def _three_channels(grey: np.ndarray) -> Image:
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
