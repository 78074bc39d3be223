"""What light, lens, sensor and file format do to a picture."""

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from tools.specimens.typefaces import Pixels


@dataclass(frozen=True, slots=True)
class CameraFaults:
    """Faults of one exposure. Blur and motion in pixels of the picture, noise in grey levels."""

    blur: float
    motion: float
    noise: float
    jpeg_quality: int
    uneven: float  # share of light lost at the dark side
    shadow: bool
    glare: bool
    glare_on_fields: bool
    cast: float  # largest change of a colour channel

    def to_json(self) -> dict[str, Any]:
        """Return all faults, numbers rounded."""
        return {key: round(v, 2) if isinstance(v, float) else v for key, v in asdict(self).items()}


def _light(size: tuple[int, int], uneven: float, rng: np.random.Generator) -> np.ndarray:
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    turn = rng.uniform(0, 2 * np.pi)
    ramp = (x / width - 0.5) * np.cos(turn) + (y / height - 0.5) * np.sin(turn)
    return np.asarray(1 - uneven * (0.5 + ramp / 1.42), dtype=np.float32)


def _shadow(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return a hand's or telephone's shadow: a dark half plane with a soft, wavy edge."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    turn = rng.uniform(0, 2 * np.pi)
    along = (x / width - 0.5) * -np.sin(turn) + (y / height - 0.5) * np.cos(turn)
    across = (x / width - 0.5) * np.cos(turn) + (y / height - 0.5) * np.sin(turn)
    edge = across - rng.uniform(-0.2, 0.3) + 0.08 * np.sin(along * rng.uniform(5, 12) + rng.uniform(0, 6))
    softness = rng.uniform(0.01, 0.06)
    depth = rng.uniform(0.25, 0.5)
    return np.asarray(1 - depth / (1 + np.exp(-edge / softness)), dtype=np.float32)


def _glare(
    size: tuple[int, int], corners: np.ndarray, rng: np.random.Generator, on_fields: bool
) -> np.ndarray:
    """One or two bright spots; off the fields they lie near the border of the card."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    spot = np.zeros((height, width), np.float32)
    scale = float(np.linalg.norm(corners[1] - corners[0]))
    for _ in range(int(rng.integers(1, 3))):
        # along the upper and the lower border of the layouts there is no field
        u, v = rng.uniform(0.1, 0.9), float(rng.choice((0.03, 0.97)))
        if on_fields and rng.random() < 0.5:
            v = rng.uniform(0.1, 0.9)
        top = corners[0] * (1 - u) + corners[1] * u
        bottom = corners[3] * (1 - u) + corners[2] * u
        centre = top * (1 - v) + bottom * v
        turn, long, short = (
            rng.uniform(0, np.pi),
            rng.uniform(0.03, 0.09) * scale,
            rng.uniform(0.012, 0.03) * scale,
        )
        dx, dy = x - centre[0], y - centre[1]
        a = (dx * np.cos(turn) + dy * np.sin(turn)) / long
        b = (-dx * np.sin(turn) + dy * np.cos(turn)) / short
        spot += rng.uniform(0.5, 1.1) * np.exp(-(a * a + b * b))
    return spot


def _motion_kernel(length: float, rng: np.random.Generator) -> np.ndarray:
    size = int(np.ceil(length)) * 2 + 3
    kernel = np.zeros((size, size), np.float32)
    turn = rng.uniform(0, np.pi)
    for step in np.linspace(-length / 2, length / 2, 32):
        kernel[round(size // 2 + step * np.sin(turn)), round(size // 2 + step * np.cos(turn))] += 1
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)


def expose(picture: Pixels, corners: np.ndarray, faults: CameraFaults, seed: int) -> Pixels:
    """Apply light, glare, blur, colour cast and noise."""
    rng = np.random.default_rng([seed, 90])
    size = picture.shape[1], picture.shape[0]
    light = _light(size, faults.uneven, rng) * (_shadow(size, rng) if faults.shadow else 1.0)
    seen = picture.astype(np.float32) * light[..., None]
    if faults.glare:
        spot = _glare(size, corners, rng, faults.glare_on_fields)[..., None]
        seen = seen + (255 - seen) * np.clip(spot, 0, 1)
    if faults.blur > 0.15:
        seen = cv2.GaussianBlur(seen, (0, 0), faults.blur)
    if faults.motion > 0.5:
        seen = cv2.filter2D(seen, -1, _motion_kernel(faults.motion, rng))
    seen = seen * (1 + rng.uniform(-faults.cast, faults.cast, 3).astype(np.float32))
    # a sensor's noise is partly smoothed by the telephone's own processing
    noise = cv2.GaussianBlur(rng.normal(0, faults.noise, seen.shape).astype(np.float32), (0, 0), 0.6) * 1.6
    return np.asarray(np.clip(seen + noise, 0, 255), dtype=np.uint8)


def jpeg(picture: Pixels, quality: int) -> Pixels:
    """Return the picture as it looks after a JPEG file of this quality."""
    _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), dtype=np.uint8)
