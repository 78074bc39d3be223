"""Presentation attacks on the live clip, made of a clip or of a photograph.

Each function takes and gives frames (BGR); sound is added by the caller. They are materials for tests
of the product's defences and are as honest as cheap attacks are: no injection, no face swap.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from tools.specimens.backgrounds import surface
from tools.specimens.photo_attacks import pixel_grid
from tools.specimens.typefaces import Pixels

Frames = list[Pixels]


def _path(rng: np.random.Generator, count: int, waves: int = 4) -> np.ndarray:
    """Return a smooth wandering -1..1 of this many frames."""
    t = np.linspace(0, 1, count)
    total = np.zeros(count)
    for _ in range(waves):
        total += rng.uniform(0.3, 1) * np.sin(2 * np.pi * (rng.uniform(0.5, 3) * t + rng.uniform()))
    return np.asarray(total / np.abs(total).max())


def _tremor(rng: np.random.Generator, count: int) -> np.ndarray:
    steps = rng.normal(0, 1, (count, 2))
    return np.asarray(cv2.GaussianBlur(steps.astype(np.float32), (0, 0), 1.2))


def _bend(photo: Pixels, curve: float) -> Pixels:
    """Bend a photo around a vertical cylinder; curve is half the angle it covers, in radians."""
    if abs(curve) < 0.02:
        return photo
    height, width = photo.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    u = (x / (width - 1) * 2 - 1) * np.sin(abs(curve))
    angle = np.arcsin(np.clip(u, -1, 1))
    depth = (np.cos(angle) - np.cos(curve)) * 0.25 * np.sign(curve)
    map_x = (angle / abs(curve) + 1) / 2 * (width - 1)
    map_y = (y - height / 2) / (1 + depth) + height / 2
    shade = (0.78 + 0.22 * np.cos(angle))[..., None]
    bent = cv2.remap(
        photo,
        map_x.astype(np.float32),
        map_y.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(bent * shade, dtype=np.uint8)


def held_photo(
    photo: Pixels,
    *,
    seconds: float = 8.0,
    fps: float = 25,
    size: int = 512,
    seed: int = 0,
    turn_degrees: float = 35.0,
    bend: float = 0.0,
) -> Frames:
    """Hold a printed photo (portrait format) before the camera, shake it, turn it about its vertical axis.

    `bend` > 0 also bends it like a cylinder, to and fro, up to this half angle in radians.
    """
    rng = np.random.default_rng([seed, 71])
    count = round(seconds * fps)
    room = surface("plain", (size, size), seed)
    border = max(2, photo.shape[1] // 40)
    paper = cv2.copyMakeBorder(
        photo, border, border, border, border, cv2.BORDER_CONSTANT, value=(240, 242, 243)
    )
    turns, tilts, rolls = (_path(rng, count) for _ in range(3))
    drift, tremor = np.stack([_path(rng, count), _path(rng, count)], axis=1), _tremor(rng, count)
    frames = []
    for index in range(count):
        sheet = _bend(np.asarray(paper, np.uint8), bend * float(turns[index]))
        yaw, pitch, roll = np.radians([turn_degrees * turns[index], 8 * tilts[index], 4 * rolls[index]])
        aspect = sheet.shape[0] / sheet.shape[1]
        corners = np.array([[-1, -aspect], [1, -aspect], [1, aspect], [-1, aspect]]) * 0.5
        x = corners[:, 0] * np.cos(yaw)
        z = -corners[:, 0] * np.sin(yaw) + corners[:, 1] * np.sin(pitch)
        y = corners[:, 1] * np.cos(pitch)
        near = 2.0 / (2.0 + z)
        turned = np.stack([x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll)], axis=1)
        centre = size / 2 + drift[index] * size * 0.03 + tremor[index] * size * 0.002
        target = (turned * near[:, None] * size * 0.74 + centre).astype(np.float32)
        source = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * (sheet.shape[1], sheet.shape[0])
        move = cv2.getPerspectiveTransform(source.astype(np.float32), target)
        laid = cv2.warpPerspective(sheet, move, (size, size), flags=cv2.INTER_AREA)
        cover = (
            cv2.warpPerspective(np.full(sheet.shape[:2], 255, np.uint8), move, (size, size))[..., None] / 255
        )
        frames.append(_sensor(room * (1 - cover) + laid * cover * (1 + 0.1 * np.sin(yaw)), rng))
    return frames


def _sensor(picture: np.ndarray, rng: np.random.Generator, noise: float = 2.0) -> Pixels:
    return np.asarray(np.clip(picture + rng.normal(0, noise, picture.shape), 0, 255), dtype=np.uint8)


def bent_photo(photo: Pixels, *, seed: int = 0, seconds: float = 8.0, size: int = 512) -> Frames:
    """Hold a photo, bend and turn it."""
    return held_photo(photo, seed=seed, seconds=seconds, size=size, bend=0.75, turn_degrees=25)


def frozen(frames: Sequence[Pixels], start_s: float, hold_s: float, *, fps: float = 25) -> Frames:
    """Hold one frame for a time; the clip keeps its length."""
    first, count = round(start_s * fps), round(hold_s * fps)
    return [frames[first if first <= index < first + count else index] for index in range(len(frames))]


def loop(
    frames: Sequence[Pixels], start_s: float, length_s: float, *, times: int = 2, fps: float = 25
) -> Frames:
    """Show a piece of the clip several times instead of what followed it; the clip keeps its length."""
    first, count = round(start_s * fps), round(length_s * fps)
    piece = list(frames[first : first + count])
    return [*frames[:first], *(piece * times), *frames[first + times * count :]][: len(frames)]


def boomerang(frames: Sequence[Pixels]) -> Frames:
    """Play the first half forwards, then backwards."""
    half = list(frames[: len(frames) // 2])
    return half + half[::-1]


def mirrored(frames: Sequence[Pixels]) -> Frames:
    """Mirror the clip: left and right are swapped."""
    return [np.ascontiguousarray(frame[:, ::-1]) for frame in frames]


def splice(first: Sequence[Pixels], second: Sequence[Pixels], at_s: float, *, fps: float = 25) -> Frames:
    """Begin with one person and go on with another from `at_s` (hard cut, the second scaled to the first)."""
    cut = round(at_s * fps)
    height, width = first[0].shape[:2]
    rest = [
        np.asarray(cv2.resize(f, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        for f in second[cut:]
    ]
    return [*first[:cut], *rest]


def second_face(
    frames: Sequence[Pixels], other: Sequence[Pixels], start_s: float, end_s: float, *, fps: float = 25
) -> Frames:
    """Show another person's head, half as large, at the side for a while."""
    result = []
    for index, frame in enumerate(frames):
        if not start_s <= index / fps < end_s:
            result.append(frame)
            continue
        size = frame.shape[0] // 2
        guest = other[index % len(other)]
        side = min(guest.shape[:2])
        left, top = (guest.shape[1] - side) // 2, (guest.shape[0] - side) // 2
        small = cv2.resize(
            guest[top : top + side, left : left + side], (size, size), interpolation=cv2.INTER_AREA
        )
        changed = frame.copy()
        changed[-size:, :size] = small
        result.append(changed)
    return result


def screen_replay(
    frames: Sequence[Pixels], *, seed: int = 0, strength: float = 1.0, bezel: bool = True
) -> Frames:
    """Film a screen that plays the clip: pixel grid (hence moire), bezel, gamma, a reflection."""
    rng = np.random.default_rng([seed, 72])
    height, width = frames[0].shape[:2]
    tremor = _tremor(rng, len(frames))
    turn = float(rng.uniform(-2, 2))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    glare = np.exp(
        -(((x - 0.75 * width) / (0.16 * width)) ** 2 + ((y - 0.25 * height) / (0.1 * height)) ** 2)
    )
    result = []
    for index, frame in enumerate(frames):
        large = np.asarray(
            cv2.resize(frame, (width * 2, height * 2), interpolation=cv2.INTER_CUBIC), np.uint8
        )
        shown = large * (1 - strength * 0.8) + pixel_grid(large, 3.1, seed) * (strength * 0.8)
        rim = round(width * 0.05) if bezel else 1
        display = cv2.copyMakeBorder(shown, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=(22, 20, 20))
        display = np.asarray(display, np.float32)
        ratio = (0.96 if bezel else 1.06) * width / display.shape[1]
        move = cv2.getRotationMatrix2D((display.shape[1] / 2, display.shape[0] / 2), turn, ratio)
        shake = tremor[index] * 0.8
        move[:, 2] += np.array([width, height]) / 2 - np.array(display.shape[1::-1]) / 2 + shake
        seen = cv2.warpAffine(
            display, move, (width, height), flags=cv2.INTER_LINEAR, borderValue=(60, 58, 55)
        )
        seen = seen + (255 - seen) * (0.35 * strength * glare)[..., None]
        result.append(_sensor(seen, rng))
    return result
