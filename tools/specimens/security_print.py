"""Backgrounds like printed cards have: soft colour, fine wave lines; and the specimen mark."""

import cv2
import numpy as np
from PIL import Image as PilImage
from PIL import ImageDraw

from tools.specimens.typefaces import Pixels, Sheet, han

Tint = tuple[float, float, float]


def guilloche(
    width: int, height: int, seed: int, tints_bgr: tuple[Tint, Tint], strength: float = 1.0
) -> Pixels:
    """Return a light background that runs from one tint to the other, covered by families of wave lines."""
    rng = np.random.default_rng([seed, 5])
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = x / width, y / width
    blend = np.clip(0.5 + 0.5 * np.sin(2.2 * (u - 0.2) + 1.5 * (v - 0.3) + rng.uniform(0, 1)), 0, 1)[
        ..., None
    ]
    first, second = (np.array(tint, np.float32) for tint in tints_bgr)
    sheet = first * (1 - blend) + second * blend
    for _ in range(5):
        turn, period = rng.uniform(0, np.pi), rng.uniform(0.008, 0.014)
        bend, wave = rng.uniform(0.01, 0.05), rng.uniform(0.15, 0.5)
        along, across = u * np.cos(turn) + v * np.sin(turn), -u * np.sin(turn) + v * np.cos(turn)
        phase = (across + bend * np.sin(2 * np.pi * along / wave)) / period
        line = np.clip(1 - np.abs((phase % 1) - 0.5) * 7, 0, 1)[..., None]
        ink = rng.uniform((5, 3, 2), (16, 14, 20)).astype(np.float32) * strength
        sheet = sheet - line * ink
    return np.asarray(np.clip(sheet, 0, 255), dtype=np.uint8)


def rosette(sheet: Sheet, centre: tuple[float, float], radius: float, ink: tuple[int, int, int]) -> None:
    """Draw a spirograph: the stand-in of an emblem, deliberately no state's emblem."""
    angle = np.linspace(0, 2 * np.pi, 1600)
    for petals, depth in ((9, 0.35), (14, 0.2), (5, 0.5)):
        reach = radius * (1 - depth * (0.5 + 0.5 * np.cos(petals * angle)))
        points = (
            np.stack([centre[0] + reach * np.cos(angle), centre[1] + reach * np.sin(angle)], axis=1)
            * sheet.scale
        )
        sheet.draw.line([tuple(p) for p in points.tolist()], fill=ink, width=max(1, round(sheet.scale * 1.6)))


def mark_specimen(
    sheet: Sheet,
    corner: tuple[float, float],
    size: float,
    keep_clear: tuple[float, float, float, float] | None = None,
) -> None:
    """Write "SPECIMEN 样本" small at the corner and faintly across; fields and the portrait stay readable."""
    sheet.text(corner, "SPECIMEN 样本", size, ink=(196, 40, 40), bold=True)
    width, height = sheet.image.size
    veil = PilImage.new("L", (width, height), 0)
    pen = ImageDraw.Draw(veil)
    face = han(round(height * 0.16))
    text = "SPECIMEN 样本"
    pen.text(((width - face.getlength(text)) / 2, height * 0.38), text, 26, font=face)
    veil = veil.rotate(24, resample=PilImage.Resampling.BILINEAR)
    if keep_clear:
        x, y, box_width, box_height = (round(value * sheet.scale) for value in keep_clear)
        veil.paste(0, (x, y, x + box_width, y + box_height))
    sheet.image.paste((190, 60, 60), (0, 0), veil)


def round_corners(size: tuple[int, int], radius: float) -> Pixels:
    """Return the mask (0 or 255) of a card with rounded corners; size is (width, height)."""
    mask = np.zeros((size[1], size[0]), np.uint8)
    r = round(radius)
    cv2.rectangle(mask, (r, 0), (size[0] - 1 - r, size[1] - 1), 255, -1)
    cv2.rectangle(mask, (0, r), (size[0] - 1, size[1] - 1 - r), 255, -1)
    for cx in (r, size[0] - 1 - r):
        for cy in (r, size[1] - 1 - r):
            cv2.circle(mask, (cx, cy), r, 255, -1)
    return mask
