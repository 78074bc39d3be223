"""Signs that a picture shows a screen or a photocopy, not a card. Advisory: a clean screen shows none."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from shiming.recognition.images import reduced
from shiming.recognition.measurements import CopySigns, Image
from shiming.recognition.text_recognition import Floats

_PATCH_PX = 256
_AXIS_SHARE = 0.03
_PEAK_OF_PRINT, _PEAK_RANGE = 2.6, 3.0
_LOW_FREQUENCY = 0.14  # of the Nyquist frequency: below is the picture itself


def measure_copy_signs(photo: Image, card: Image, corners: Floats | None) -> CopySigns:
    """Measure the three signs; `corners` are the card's in the photo, None when its edges were not found."""
    return CopySigns(
        moire=round(moire(photo, corners), 3),
        frame_edges=round(frame_edges(photo, corners), 3) if corners is not None else 0.0,
        missing_colour=round(missing_colour(card), 3),
    )


def missing_colour(card: Image) -> float:
    """Return 1 for a grey picture, 0 for coloured print (spread of the colour axes without a cast)."""
    lab = cv2.cvtColor(reduced(card, 480), cv2.COLOR_BGR2LAB).astype(np.float32)
    a, b = (cv2.GaussianBlur(lab[..., i], (0, 0), 1.5) for i in (1, 2))
    # a cast of the light shifts all pixels alike; print differs from its surroundings
    spread = float(np.hypot(a - np.median(a), b - np.median(b)).mean())
    return float(np.clip(1 - spread / 2.0, 0, 1))


def moire(photo: Image, corners: Floats | None) -> float:
    """Return how much isolated peaks stand out of the spectrum of the picture at its own resolution.

    The power of many patches is averaged: the grid of a screen is the same everywhere, print and sensor noise
    are not. Measured on drawn material: photos of cards stay below 2.4, most replays from a screen lie
    above 4, those taken so that no grid is left in the picture do not show (see docs/reference).
    """
    grey = np.asarray(cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY), np.uint8)
    patches = _patches(grey, corners)
    if not patches:
        return 0.0
    power = np.mean([_power(patch) for patch in patches], axis=0)
    return float(np.clip((_peak_strength(power.astype(np.float32)) - _PEAK_OF_PRINT) / _PEAK_RANGE, 0, 1))


def _patches(grey: Image, corners: Floats | None) -> list[Image]:
    height, width = grey.shape
    if corners is None:
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    side = _PATCH_PX
    patches = []
    for across in (0.2, 0.4, 0.6, 0.8):
        for down in (0.25, 0.5, 0.75):
            top = corners[0] + (corners[1] - corners[0]) * across
            bottom = corners[3] + (corners[2] - corners[3]) * across
            x, y = (top + (bottom - top) * down).astype(int) - side // 2
            if x >= 0 and x + side <= width and y >= 0 and y + side <= height:
                patches.append(grey[y : y + side, x : x + side])
    return patches


def _power(patch: Image) -> Floats:
    window = np.hanning(_PATCH_PX).astype(np.float32)
    values = (patch.astype(np.float32) - patch.mean()) * window[:, None] * window[None]
    return np.asarray(np.abs(np.fft.fftshift(np.fft.fft2(values))) ** 2, np.float32)


def _peak_strength(power: Floats) -> float:
    """Return how far the sixth strongest bin lies over its surroundings, in natural logarithms.

    A peak covers several bins; the multiples of the JPEG block frequency are left out.
    """
    spectrum = np.log1p(power)
    background = cv2.GaussianBlur(cv2.medianBlur(spectrum, 5), (0, 0), 4)
    bins = np.arange(_PATCH_PX) - _PATCH_PX // 2
    axis = bins / (_PATCH_PX / 2)
    radius = np.hypot(axis[:, None], axis[None])
    near_block = np.abs((bins + 16) % 32 - 16) <= 1  # 256 / 8 bins a block
    off_axis = (np.abs(axis) > _AXIS_SHARE)[:, None] & (np.abs(axis) > _AXIS_SHARE)[None]
    wanted = (radius > _LOW_FREQUENCY) & (radius < 1) & off_axis & ~(near_block[:, None] | near_block[None])
    return float(np.sort((spectrum - background)[wanted])[-6])


def frame_edges(photo: Image, corners: Floats) -> float:
    """Return how clearly a second straight frame (bezel, window, margin) runs round the card."""
    small = reduced(photo, 640)
    scale = small.shape[1] / photo.shape[1]
    grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), (0, 0), 1.2).astype(np.float32)
    card = (corners * scale).astype(np.float32)
    centre = card.mean(axis=0)
    best = [_parallel_edge(grey, card[i], card[(i + 1) % 4], centre) for i in range(4)]
    return float(np.clip(np.sort(best)[1], 0, 1))  # three sides of four are needed: one side may be cut


def _parallel_edge(grey: NDArray[Any], start: Floats, end: Floats, centre: Floats) -> float:
    """Return the share of a side along which a parallel edge runs outside it, at its best distance."""
    along = (end - start) / max(float(np.linalg.norm(end - start)), 1e-6)
    outwards = np.array((-along[1], along[0]), np.float32)
    if float(outwards @ ((start + end) / 2 - centre)) < 0:
        outwards = -outwards
    length = float(np.linalg.norm(end - start))
    places = start + (end - start) * np.linspace(0.05, 0.95, 80)[:, None]
    distances = np.arange(0.035 * length, 0.3 * length, 1.0)
    points = places[None] + outwards * distances[:, None, None]
    x, y = points[..., 0].astype(np.float32), points[..., 1].astype(np.float32)
    if len(distances) < 6:
        return 0.0
    profile = cv2.remap(grey, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    step = np.abs(profile[4:] - profile[:-4])
    return float((step > 18).mean(axis=1).max(initial=0.0))
