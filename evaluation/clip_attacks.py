"""Attack clips made of genuine ones: quick simulations for the evaluation, not recaptures of real media.

Every maker takes the frames of genuine clips (BGR, same size) and returns frames; deterministic. A flat
photo is turned in front of a pinhole camera, a bent one is laid on a cylinder, a screen adds its pixel
raster, moire and a bezel. No claim about ISO 30107-3 follows from any of them.
"""

import io
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Frames = list[Image]


def frames_of(clip: Path, seconds_max: float = 8.0, start_s: float = 0.0) -> tuple[Frames, float]:
    """Return the frames of the first seconds and the frame rate."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        rate = float(stream.average_rate or 30)
        first, last = round(start_s * rate), round((start_s + seconds_max) * rate)
        frames: Frames = []
        for number, frame in enumerate(container.decode(stream)):
            if number >= last:
                break
            if number >= first:
                frames.append(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
    return frames, rate


def encoded(frames: Sequence[Image], rate: float, *, crf: int = 20) -> bytes:
    """Return an MP4 (H.264) of the frames."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=Fraction(rate).limit_denominator(1001))
        stream.height, stream.width = frames[0].shape[0] // 2 * 2, frames[0].shape[1] // 2 * 2
        stream.pix_fmt, stream.options = "yuv420p", {"crf": str(crf), "preset": "veryfast"}
        stream.codec_context.thread_count = 1
        for image in frames:
            frame = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(image[: stream.height, : stream.width]), format="bgr24"
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def swing(count: int, degrees_max: float) -> list[float]:
    """Return the yaw of a held photo: still, left, right, back."""
    phase = np.linspace(0, 1, count)
    path = np.interp(phase, [0, 0.15, 0.35, 0.5, 0.7, 0.9, 1], [0, 0, 1, 0, -1, 0, 0])
    return [float(value) * degrees_max for value in path]


def _noisy(image: Image, random: np.random.Generator) -> Image:
    """Add camera noise, so that a held picture is not a frozen one."""
    noise = random.normal(0, 2.0, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def flat_photo(frames: Frames, degrees_max: float = 40.0, seed: int = 0) -> Frames:
    """Return a flat print of the first frame, turned by hand."""
    random = np.random.default_rng(seed)
    return [_noisy(_turned_plane(frames[0], degrees), random) for degrees in swing(len(frames), degrees_max)]


def bent_photo(frames: Frames, degrees_max: float = 40.0, seed: int = 0) -> Frames:
    """Return a print of the first frame bent round a cylinder, turned by hand."""
    random = np.random.default_rng(seed)
    return [
        _noisy(_turned_cylinder(frames[0], degrees), random) for degrees in swing(len(frames), degrees_max)
    ]


def frozen(frames: Frames, seconds: float, rate: float) -> Frames:
    """Return the clip with its middle frame held."""
    middle, held = len(frames) // 2, round(seconds * rate)
    return frames[:middle] + [frames[middle]] * held + frames[middle + held :]


def loop(frames: Frames, seconds: float, rate: float) -> Frames:
    """Return the first seconds twice."""
    part = frames[: round(seconds * rate)]
    return part + part


def splice(frames: Frames, others: Frames) -> Frames:
    """Return half a clip of one person and half of another, at the first one's size."""
    half = min(len(frames), len(others)) // 2
    size = frames[0].shape[1], frames[0].shape[0]
    return frames[:half] + [
        np.asarray(cv2.resize(image, size), np.uint8) for image in others[half : 2 * half]
    ]


def screen(frames: Frames, strength: float = 1.0, *, bezel: bool = True, seed: int = 0) -> Frames:
    """Return the clip played on a screen and filmed: raster, moire, glare, a dark bezel."""
    height, width = frames[0].shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    raster = 1 - 0.10 * strength * (np.sin(x * 2.6) * np.sin(y * 2.6))
    moire = 1 + 0.08 * strength * np.sin(2 * math.pi * (x * 0.031 + y * 0.012 + 0.4 * np.sin(y * 0.011)))
    glare = 40 * strength * np.exp(-(((x - width * 0.75) / 90) ** 2 + ((y - height * 0.2) / 60) ** 2))
    random = np.random.default_rng(seed)
    shown: Frames = []
    for image in frames:
        bright = image * (raster * moire)[..., None] + glare[..., None]
        picture = _noisy(np.clip(bright, 0, 255).astype(np.uint8), random)
        shown.append(_with_bezel(picture) if bezel else picture)
    return shown


def _with_bezel(image: Image) -> Image:
    height, width = image.shape[:2]
    room = np.full_like(image, 150)
    inner = cv2.resize(image, (round(width * 0.8), round(height * 0.8)), interpolation=cv2.INTER_AREA)
    top, left = round(height * 0.1), round(width * 0.1)
    room[top - 14 : top + inner.shape[0] + 14, left - 14 : left + inner.shape[1] + 14] = 20
    room[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return np.asarray(room, np.uint8)


def _turned_plane(image: Image, degrees: float) -> Image:
    height, width = image.shape[:2]
    focal = 1.2 * width
    turn = math.radians(degrees)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float64) * [width / 2, height / 2]
    depth = focal + corners[:, 0] * math.sin(turn)
    seen = np.stack([corners[:, 0] * math.cos(turn), corners[:, 1]], axis=1) * (focal / depth)[:, None]
    centre = np.array([width / 2, height / 2])
    matrix = cv2.getPerspectiveTransform(
        (corners + centre).astype(np.float32), (seen * 0.9 + centre).astype(np.float32)
    )
    return np.asarray(
        cv2.warpPerspective(image, matrix, (width, height), borderValue=(120, 125, 130)), np.uint8
    )


def _turned_cylinder(image: Image, degrees: float, arc_degrees: float = 80.0) -> Image:
    """Look along each column's ray for the front of a vertical cylinder that carries the print."""
    height, width = image.shape[:2]
    focal, arc = 1.2 * width, math.radians(arc_degrees)
    radius = width / arc
    distance = focal + radius
    columns = (np.arange(width) - width / 2) / (focal * 0.9)
    b = columns**2 + 1
    root = np.maximum(distance**2 - b * (distance**2 - radius**2), 0)
    depth = (distance - np.sqrt(root)) / b
    angle = np.arcsin(np.clip(columns * depth / radius, -1, 1)) + math.radians(degrees)
    source_x = angle * radius + width / 2
    outside = (root <= 0) | (np.abs(angle) > arc / 2)
    rows = (np.arange(height) - height / 2)[:, None] / (focal * 0.9) * depth[None, :]
    map_x = np.broadcast_to(np.where(outside, -10, source_x)[None, :], (height, width)).astype(np.float32)
    map_y = (rows + height / 2).astype(np.float32)
    return np.asarray(cv2.remap(image, map_x, map_y, cv2.INTER_LINEAR, borderValue=(120, 125, 130)), np.uint8)


#: Attacks on one clip by name: (frames, rate) -> frames. `splice` needs a second person and stands apart.
SINGLE_CLIP_ATTACKS: dict[str, Callable[[Frames, float], Frames]] = {
    "flat_photo": lambda frames, _rate: flat_photo(frames),
    "bent_photo": lambda frames, _rate: bent_photo(frames),
    "frozen": lambda frames, rate: frozen(frames, 1.5, rate),
    "loop": lambda frames, rate: loop(frames, 2.0, rate),
    "screen_moire_bezel": lambda frames, _rate: screen(frames),
    "screen_clean": lambda frames, _rate: screen(frames, 0.25, bezel=False),
}
