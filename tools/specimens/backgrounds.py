"""Surfaces on which a card may lie, drawn from noise: desk, cloth, stone, plain, clutter."""

import cv2
import numpy as np

from tools.specimens.typefaces import Pixels, han

SURFACES = ("desk", "cloth", "stone", "plain", "clutter")
Size = tuple[int, int]  # width, height


def _noise(rng: np.random.Generator, size: Size, cell: tuple[float, float]) -> np.ndarray:
    """Return smooth noise -1..1; a cell is the grain in pixels along x and y."""
    small = rng.normal(size=(max(2, int(size[1] / cell[1])), max(2, int(size[0] / cell[0]))))
    return cv2.resize(small.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)


def _coloured(base_bgr: np.ndarray, shade: np.ndarray) -> Pixels:
    return np.asarray(np.clip(base_bgr * (1 + shade[..., None]), 0, 255), dtype=np.uint8)


def _desk(rng: np.random.Generator, size: Size) -> Pixels:
    base = rng.uniform((40, 70, 105), (120, 165, 205))
    bend = _noise(rng, size, (size[0] / 2, size[1] / 5)) * 14
    rows = np.arange(size[1], dtype=np.float32)[:, None] + bend
    rings = np.sin(rows * rng.uniform(0.08, 0.2)) * 0.05
    grain = _noise(rng, size, (140, 2.5)) * 0.06 + _noise(rng, size, (30, 1.5)) * 0.03
    return _coloured(base, rings + grain + _noise(rng, size, (400, 90)) * 0.06)


def _cloth(rng: np.random.Generator, size: Size) -> Pixels:
    base = rng.uniform(30, 210, 3)
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    pitch = rng.uniform(4, 9)
    weave = np.sin(2 * np.pi * x / pitch) * np.sin(2 * np.pi * y / pitch) * 0.12
    folds = _noise(rng, size, (260, 420)) * 0.16
    if rng.random() < 0.5:
        stripes = (np.sin(2 * np.pi * (x + y * rng.uniform(-1, 1)) / rng.uniform(60, 200)) > 0.4) * 0.35
        folds = folds - stripes
    return _coloured(base, weave + folds)


def _stone(rng: np.random.Generator, size: Size) -> Pixels:
    base = rng.uniform(90, 215) + rng.uniform(-15, 15, 3)
    veins = np.abs(_noise(rng, size, (180, 160)) + 0.3 * _noise(rng, size, (40, 40)))
    return _coloured(base, -0.25 * np.exp(-veins * 9) + _noise(rng, size, (5, 5)) * 0.03)


def _plain(rng: np.random.Generator, size: Size) -> Pixels:
    base = rng.uniform(25, 235) + rng.uniform(-25, 25, 3)
    return _coloured(base, _noise(rng, size, (300, 300)) * 0.04 + _noise(rng, size, (2, 2)) * 0.015)


def _paper_with_text(rng: np.random.Generator, width: int, height: int) -> Pixels:
    from PIL import Image, ImageDraw  # noqa: PLC0415 - only clutter needs it

    page = Image.new("RGB", (width, height), (int(rng.integers(215, 250)),) * 3)
    pen = ImageDraw.Draw(page)
    letter = int(rng.integers(16, 30))
    words = "会议记录 电费通知 2024 年第三季度 合计 收据 note invoice 地址 电话 请于 日前 办理 "
    for y in range(letter, height - letter, int(letter * 1.7)):
        start = int(rng.integers(len(words)))
        pen.text((letter, y), (words[start:] + words)[: width // letter], (60, 60, 66), font=han(letter))
    return np.asarray(page, dtype=np.uint8)[..., ::-1]


def _clutter(rng: np.random.Generator, size: Size) -> Pixels:
    picture = _desk(rng, size) if rng.random() < 0.6 else _plain(rng, size)
    for _ in range(int(rng.integers(5, 11))):
        width, height = (int(v) for v in rng.integers(size[0] // 10, size[0] // 2, 2))
        what = rng.random()
        if what < 0.4:
            thing = _paper_with_text(rng, width, height)
        else:
            thing = np.full((height, width, 3), rng.uniform(10, 240, 3), np.uint8)
        _drop(picture, thing, rng, ellipse=what > 0.85)
    return picture


def _drop(picture: Pixels, thing: Pixels, rng: np.random.Generator, *, ellipse: bool) -> None:
    height, width = thing.shape[:2]
    centre = rng.uniform((0, 0), (picture.shape[1], picture.shape[0]))
    move = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.uniform(0, 360)), 1)
    move[:, 2] += centre - (width / 2, height / 2)
    mask = np.full((height, width), 255, np.uint8)
    if ellipse:
        mask[:] = 0
        cv2.ellipse(mask, (width // 2, height // 2), (width // 2, height // 2), 0, 0, 360, 255, -1)
    size = picture.shape[1], picture.shape[0]
    cover = cv2.warpAffine(mask, move, size)[..., None] / np.float32(255)
    shadow = cv2.GaussianBlur(cover, (0, 0), 9)[..., None]
    shadow = np.roll(shadow, (6, 5), (0, 1))
    laid = cv2.warpAffine(thing, move, size)
    picture[:] = (picture * (1 - 0.35 * shadow) * (1 - cover) + laid * cover).astype(np.uint8)


def surface(kind: str, size: Size, seed: int) -> Pixels:
    """Return a surface of this kind and size (width, height), BGR."""
    makers = {"desk": _desk, "cloth": _cloth, "stone": _stone, "plain": _plain, "clutter": _clutter}
    return makers[kind](np.random.default_rng([seed, 77]), size)
