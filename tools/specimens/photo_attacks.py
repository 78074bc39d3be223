"""Pictures that are not what they should be: screens, copies, cut or doubled cards, wrong things."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.specimens.backgrounds import surface
from tools.specimens.lens_and_sensor import CameraFaults, expose, jpeg
from tools.specimens.photography import (
    SEVERITIES,
    Level,
    Photograph,
    draw_faults,
    lay,
    photograph,
    pose_corners,
)
from tools.specimens.typefaces import Pixels

_CALM = CameraFaults(0.4, 0.0, 2.0, 90, 0.1, shadow=False, glare=False, glare_on_fields=False, cast=0.04)


def pixel_grid(picture: Pixels, pitch: float, seed: int, gamma: float = 1.12) -> Pixels:
    """Return the picture as a screen shows it: red, green, blue stripes and dark lines of this pitch (px)."""
    light = np.float32(255) * (np.arange(256, dtype=np.float32) / 255) ** gamma
    shown = light[picture] * _grid(picture.shape[0], picture.shape[1], pitch)
    shown *= 1 + np.random.default_rng([seed, 61]).uniform(0.0, 0.05)
    return np.asarray(np.clip(shown, 0, 255), dtype=np.uint8)


@lru_cache(maxsize=2)
def _grid(height: int, width: int, pitch: float) -> NDArray[np.float32]:
    y, x = np.arange(height)[:, None], np.arange(width)[None]
    grid = np.zeros((height, width, 3), np.float32)
    rows = 0.72 + 0.4 * (0.5 + 0.5 * np.cos(2 * np.pi * y / pitch))
    for channel, phase in enumerate((2 / 3, 1 / 3, 0.0)):  # BGR
        stripe = 0.5 + 0.5 * np.cos(2 * np.pi * (x / pitch - phase))
        grid[..., channel] = (0.55 + 0.75 * stripe) * rows
    grid[..., 0] *= 1.07  # screens are bluer than paper
    return grid


def on_a_screen(picture: Pixels, seed: int, *, bezel: bool = True) -> Pixels:
    """Return a screen that shows the picture: pixel grid, black margin, bezel."""
    rng = np.random.default_rng([seed, 62])
    shown = pixel_grid(picture, float(rng.uniform(2.6, 3.4)), seed)
    width = shown.shape[1]
    margin = round(width * rng.uniform(0.01, 0.06))
    shown = np.asarray(
        cv2.copyMakeBorder(shown, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(14, 11, 10)),
        np.uint8,
    )
    if bezel:
        rim = round(width * 0.035)
        shown = np.asarray(
            cv2.copyMakeBorder(shown, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=(38, 36, 35)), np.uint8
        )
    return shown


def screen_replay(card: Pixels, level: Level, seed: int, **about: Any) -> Photograph:
    """Photograph a screen that shows a photograph of the card."""
    shown = photograph(card, "mild", seed, card_width_px=1000, **about)
    display = on_a_screen(shown.image, seed)
    rng = np.random.default_rng([seed, 63])
    # the camera's pixels are a little coarser than the screen's: moire
    taken = photograph(
        display,
        level,
        seed + 1,
        card_width_px=round(display.shape[1] * float(rng.uniform(0.55, 0.8))),
        background="desk",
    )
    inset = (display.shape[1] - shown.image.shape[1]) // 2
    source = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * (display.shape[1], display.shape[0])
    move = cv2.getPerspectiveTransform(source.astype(np.float32), np.array(taken.corners, np.float32))
    corners = cv2.perspectiveTransform((np.array([shown.corners], np.float32) + inset), move)[0]
    return replace(
        taken,
        fields=shown.fields,
        kind=shown.kind,
        corners=tuple((float(x), float(y)) for x, y in corners),
        conditions=dict(taken.conditions) | {"attack": "screen_replay"},
    )


def photocopy(card: Pixels, seed: int) -> Pixels:
    """Return a sheet of paper with a grey copy of the card: toner noise, lost mid-tones, paper's edges."""
    rng = np.random.default_rng([seed, 64])
    plain = cv2.cvtColor(card, cv2.COLOR_BGR2GRAY).astype(np.float32)
    grey = np.asarray(cv2.GaussianBlur(plain, (0, 0), card.shape[1] / 1400), dtype=np.float32)
    toner = 255 / (1 + np.exp(-(grey - 135) / 26))
    speckle = np.asarray(rng.normal(0, 26, grey.shape), dtype=np.float32)
    toner = toner + cv2.GaussianBlur(speckle, (0, 0), 0.8)
    toner[rng.random(grey.shape) < 0.0006] = 40
    border = round(card.shape[1] * 0.18)
    paper = np.full((grey.shape[0] + 2 * border, grey.shape[1] + 2 * border), 243, np.float32)
    paper[border:-border, border:-border] = np.minimum(toner, 243)
    paper += rng.normal(0, 2, paper.shape)
    return np.asarray(np.repeat(np.clip(paper, 0, 255)[..., None], 3, axis=2), dtype=np.uint8)


def photograph_of_copy(card: Pixels, level: Level, seed: int, **about: Any) -> Photograph:
    """Photograph a photocopy that lies on a table."""
    paper = photocopy(card, seed)
    width = round(800 * paper.shape[1] / card.shape[1])
    taken = photograph(paper, level, seed, card_width_px=width, corner_radius=0.001, **about)
    outer = np.array(taken.corners)
    share = (paper.shape[1] - card.shape[1]) / 2 / paper.shape[1]
    share_y = (paper.shape[0] - card.shape[0]) / 2 / paper.shape[0]
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    move = cv2.getPerspectiveTransform(square, outer.astype(np.float32))
    inner = np.array(
        [[share, share_y], [1 - share, share_y], [1 - share, 1 - share_y], [share, 1 - share_y]], np.float32
    )
    corners = cv2.perspectiveTransform(inner[None], move)[0]
    return replace(
        taken,
        corners=tuple((float(x), float(y)) for x, y in corners),
        conditions=dict(taken.conditions) | {"attack": "photocopy"},
    )


def cut_off(picture: Photograph, share: float = 0.18, side: str = "right") -> Photograph:
    """Return the picture cut so that this share of the card's extent is missing at one side."""
    corners = np.array(picture.corners)
    low, high = corners.min(0), corners.max(0)
    missing = (high - low) * share
    height, width = picture.image.shape[:2]
    left = round(low[0] + missing[0]) if side == "left" else 0
    right = round(high[0] - missing[0]) if side == "right" else width
    top = round(low[1] + missing[1]) if side == "top" else 0
    bottom = round(high[1] - missing[1]) if side == "bottom" else height
    return replace(
        picture,
        image=np.ascontiguousarray(picture.image[top:bottom, left:right]),
        corners=tuple((x - left, y - top) for x, y in picture.corners),
        conditions=dict(picture.conditions) | {"cut_off": side},
    )


def two_cards(
    first: Pixels, second: Pixels, seed: int, *, fields: Mapping[str, Any] | None = None
) -> Photograph:
    """Photograph two cards that lie side by side; the truth is that of the first (upper) one."""
    rng = np.random.default_rng([seed, 65])
    width, height = 1180, 1500
    picture = surface(str(rng.choice(("desk", "cloth", "stone"))), (width, height), seed)
    all_corners = []
    for index, card in enumerate((first, second)):
        centre = width / 2 + rng.uniform(-45, 45), height * (0.27 + 0.46 * index)
        shape = card.shape[1], card.shape[0]
        corners = pose_corners(shape, 860, (4, -3), float(rng.uniform(-6, 6)), centre)
        picture = lay(picture, card, corners)
        all_corners.append(corners)
    picture = jpeg(expose(picture, all_corners[0], draw_faults(rng, SEVERITIES["mild"], 860), seed), 88)
    found = tuple((float(x), float(y)) for x, y in all_corners[0])
    return Photograph(picture, fields or {}, found, "two_cards", {"cards": 2})


def childs_drawing(seed: int = 0, size: tuple[int, int] = (1000, 720)) -> Pixels:
    """Return a child's drawing: a house, a sun, a person, on paper."""
    rng = np.random.default_rng([seed, 66])
    sheet = np.full((size[1], size[0], 3), 244, np.uint8)

    def crayon(points: list[tuple[int, int]], colour: tuple[int, int, int], width: int = 7) -> None:
        path = np.array(points, np.float64)
        for _ in range(3):
            wobble = path + rng.normal(0, 4, path.shape)
            cv2.polylines(sheet, [wobble.astype(np.int32)], isClosed=False, color=colour, thickness=width)

    crayon([(150, 600), (150, 350), (420, 350), (420, 600), (150, 600)], (40, 60, 200))
    crayon([(130, 350), (285, 190), (440, 350)], (30, 90, 160), 9)
    crayon([(260, 600), (260, 480), (330, 480), (330, 600)], (60, 30, 110))
    turn = np.linspace(0, 2 * np.pi, 40)
    crayon([(int(840 + 70 * np.cos(a)), int(130 + 70 * np.sin(a))) for a in turn], (20, 200, 250), 9)
    for a in turn[::4]:
        crayon([(int(840 + r * np.cos(a)), int(130 + r * np.sin(a))) for r in (85, 130)], (20, 190, 250))
    crayon([(int(650 + 45 * np.cos(a)), int(380 + 45 * np.sin(a))) for a in turn], (60, 60, 60))
    crayon([(650, 425), (650, 540), (610, 640)], (60, 60, 60))
    crayon([(650, 540), (690, 640)], (60, 60, 60))
    crayon([(590, 480), (710, 470)], (60, 60, 60))
    for x in (635, 667):
        cv2.circle(sheet, (x, 370), 5, (60, 60, 60), -1)
    crayon([(630, 395), (650, 406), (672, 394)], (40, 40, 180), 4)
    crayon([(20, 650), (980, 655)], (60, 160, 60), 12)
    return jpeg(expose(sheet, np.array([[0, 0], [1000, 0], [1000, 720], [0, 720]]), _CALM, seed), 85)
