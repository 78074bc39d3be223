"""Photographs of cards that were never taken: pose, surface, light, lens, sensor, JPEG.

`photograph(card, level, seed)` returns the picture and the truth about it. Three levels:
`mild` is a careful picture, `medium` a hasty one, `strong` a bad one that a person can still read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import cv2
import numpy as np

from tools.specimens.backgrounds import SURFACES, surface
from tools.specimens.lens_and_sensor import CameraFaults, expose, jpeg
from tools.specimens.security_print import round_corners
from tools.specimens.typefaces import Pixels

Level = Literal["mild", "medium", "strong"]
Corners = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Severity:
    """Ranges from which a level draws. Angles in degrees; blur in pixels at a card width of 1011."""

    card_width_px: tuple[int, int]
    tilt: tuple[float, float]
    roll: tuple[float, float]
    any_roll_share: float  # share of pictures turned by a further 90, 180 or 270 degrees
    blur: tuple[float, float]
    motion: tuple[float, float]
    noise: tuple[float, float]
    jpeg_quality: tuple[int, int]
    uneven: tuple[float, float]
    shadow_share: float
    glare_share: float
    glare_on_fields: bool
    cast: float


SEVERITIES: Mapping[str, Severity] = {
    "mild": Severity(
        card_width_px=(1000, 1500),
        tilt=(0, 8),
        roll=(-7, 7),
        any_roll_share=0.0,
        blur=(0.2, 0.7),
        motion=(0, 0),
        noise=(1, 3),
        jpeg_quality=(88, 95),
        uneven=(0, 0.15),
        shadow_share=0.1,
        glare_share=0.0,
        glare_on_fields=False,
        cast=0.04,
    ),
    "medium": Severity(
        card_width_px=(800, 1300),
        tilt=(4, 18),
        roll=(-25, 25),
        any_roll_share=0.2,
        blur=(0.5, 1.3),
        motion=(0, 2),
        noise=(3, 7),
        jpeg_quality=(70, 86),
        uneven=(0.1, 0.35),
        shadow_share=0.5,
        glare_share=0.4,
        glare_on_fields=False,
        cast=0.09,
    ),
    "strong": Severity(
        card_width_px=(560, 1100),
        tilt=(10, 27),
        roll=(-45, 45),
        any_roll_share=0.5,
        blur=(0.9, 1.8),
        motion=(0, 4),
        noise=(6, 12),
        jpeg_quality=(48, 68),
        uneven=(0.2, 0.55),
        shadow_share=0.8,
        glare_share=0.7,
        glare_on_fields=True,
        cast=0.14,
    ),
}


@dataclass(frozen=True, slots=True)
class Photograph:
    """A picture and what is true about it.

    `corners`: the card's own top left, top right, bottom right, bottom left, in pixels of the picture.
    """

    image: Pixels = field(repr=False)
    fields: Mapping[str, Any] = field(repr=False)
    corners: Corners
    kind: str
    conditions: Mapping[str, Any]

    def truth(self) -> dict[str, Any]:
        """Return all but the pixels, ready for JSON."""
        return {
            "kind": self.kind,
            "fields": dict(self.fields),
            "corners": [[round(x, 1), round(y, 1)] for x, y in self.corners],
            "conditions": dict(self.conditions),
        }


def pose_corners(
    size: tuple[int, int],
    width_px: float,
    tilt: tuple[float, float],
    roll: float,
    centre: tuple[float, float],
) -> np.ndarray:
    """Project a card, turned by tilt (about x, about y) and roll in degrees, to four picture points."""
    aspect = size[1] / size[0]
    card = np.array(
        [[-0.5, -aspect / 2, 0], [0.5, -aspect / 2, 0], [0.5, aspect / 2, 0], [-0.5, aspect / 2, 0]]
    )
    ax, ay, az = np.radians([*tilt, roll])
    turn_x = np.array([[1, 0, 0], [0, np.cos(ax), -np.sin(ax)], [0, np.sin(ax), np.cos(ax)]])
    turn_y = np.array([[np.cos(ay), 0, np.sin(ay)], [0, 1, 0], [-np.sin(ay), 0, np.cos(ay)]])
    turn_z = np.array([[np.cos(az), -np.sin(az), 0], [np.sin(az), np.cos(az), 0], [0, 0, 1]])
    solid = card @ (turn_x @ turn_y @ turn_z).T
    distance = 2.2  # card widths between lens and card, as a hand holds a telephone
    flat = solid[:, :2] * (distance / (distance + solid[:, 2:]))
    return np.asarray(flat * width_px + np.asarray(centre), dtype=np.float32)


def lay(picture: Pixels, card: Pixels, corners: np.ndarray, mask: Pixels | None = None) -> Pixels:
    """Put a card on a surface with a thin shadow; large cards are first reduced so that nothing aliases."""
    height, width = card.shape[:2]
    mask = round_corners((width, height), width * 0.035) if mask is None else mask
    spread = float(np.linalg.norm(corners[1] - corners[0]))
    if spread < 0.8 * width:
        small = (round(spread * 1.15), round(spread * 1.15 * height / width))
        card = np.asarray(cv2.resize(card, small, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        mask = np.asarray(cv2.resize(mask, small, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        width, height = small
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
    move = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    size = picture.shape[1], picture.shape[0]
    laid = cv2.warpPerspective(card, move, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpPerspective(mask, move, size)[..., None] / np.float32(255)
    shadow = cv2.GaussianBlur(cover, (0, 0), max(1.0, spread / 140))[..., None]
    offset = max(1, round(spread / 160))
    shadow = np.roll(shadow, (offset, offset // 2), (0, 1))
    return np.asarray(picture * (1 - 0.45 * shadow) * (1 - cover) + laid * cover, dtype=np.uint8)


def _draw(rng: np.random.Generator, pair: tuple[float, float]) -> float:
    return float(rng.uniform(*pair))


def _size_around(corners: np.ndarray, rng: np.random.Generator) -> tuple[tuple[int, int], np.ndarray]:
    """Choose a picture in which the card leaves a margin, and move the corners into it."""
    low, high = corners.min(0), corners.max(0)
    extent = high - low
    margin = rng.uniform(0.05, 0.35, 4) * extent.max()
    size = np.ceil(extent + margin[:2] + margin[2:]).astype(int)
    return (int(size[0]), int(size[1])), corners - low + margin[:2].astype(np.float32)


def photograph(
    card: Pixels,
    level: Level,
    seed: int,
    *,
    fields: Mapping[str, Any] | None = None,
    kind: str = "",
    background: str | None = None,
    roll: float | None = None,
    card_width_px: int | None = None,
    corner_radius: float = 0.035,
) -> Photograph:
    """Photograph one card. Everything that is not given is drawn from the level's ranges by the seed.

    `corner_radius` is a share of the card's width: 0 for paper.
    """
    rng = np.random.default_rng([seed, 20])
    severity = SEVERITIES[level]
    width_px = card_width_px or int(rng.integers(*severity.card_width_px))
    tilt = tuple(_draw(rng, severity.tilt) * rng.choice((-1, 1)) for _ in range(2))
    quarter = 90.0 * int(rng.integers(1, 4)) if rng.random() < severity.any_roll_share else 0.0
    turned = roll if roll is not None else _draw(rng, severity.roll) + quarter
    corners = pose_corners((card.shape[1], card.shape[0]), width_px, (tilt[0], tilt[1]), turned, (0, 0))
    size, corners = _size_around(corners, rng)
    where = background or str(rng.choice(SURFACES))
    mask = round_corners((card.shape[1], card.shape[0]), card.shape[1] * corner_radius)
    picture = lay(surface(where, size, seed), card, corners, mask)
    faults = draw_faults(rng, severity, width_px)
    picture = jpeg(expose(picture, corners, faults, seed), faults.jpeg_quality)
    conditions = {
        "level": level,
        "background": where,
        "card_width_px": width_px,
        "roll_degrees": round(turned, 1),
        "tilt_degrees": [round(t, 1) for t in tilt],
        **faults.to_json(),
    }
    return Photograph(
        picture, fields or {}, tuple((float(x), float(y)) for x, y in corners), kind, conditions
    )


def draw_faults(rng: np.random.Generator, severity: Severity, width_px: float) -> CameraFaults:
    """Draw the faults of one exposure; blur shrinks with the card so that it stays readable."""
    share = width_px / 1011
    return CameraFaults(
        blur=_draw(rng, severity.blur) * max(share, 0.6),
        motion=_draw(rng, severity.motion) * max(share, 0.6),
        noise=_draw(rng, severity.noise),
        jpeg_quality=int(rng.integers(*severity.jpeg_quality)),
        uneven=_draw(rng, severity.uneven),
        shadow=bool(rng.random() < severity.shadow_share),
        glare=bool(rng.random() < severity.glare_share),
        glare_on_fields=severity.glare_on_fields,
        cast=severity.cast,
    )
