"""Clips made in memory for tests."""

import io
import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
REAL_PEOPLE = Path(__file__).resolve().parents[3] / "shared" / "testdata" / "live"


def pictures(count: int, width: int = 96, height: int = 64) -> list[Image]:
    """Return pictures with a bright upper left corner and a moving bar."""
    made = []
    for number in range(count):
        image = np.full((height, width, 3), 40, np.uint8)
        image[: height // 2, : width // 2] = (250, 250, 250)
        image[-8:, number % width :][:, :6] = (0, 0, 255)
        made.append(image)
    return made


def a_clip(
    images: Sequence[Image],
    *,
    codec: str = "libx264",
    container: str = "mp4",
    rate: int = 25,
    times_s: Sequence[float] | None = None,
) -> bytes:
    """Return an encoded clip; `times_s` sets the time stamps."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream: Any = output.add_stream(codec, rate=rate)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = {"mjpeg": "yuvj420p", "gif": "rgb8", "png": "rgb24"}.get(codec, "yuv420p")
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        if codec == "libx264":
            stream.options = {"preset": "ultrafast", "bf": "0"}
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.time_base = Fraction(1, 1000)
            frame.pts = round(1000 * (times_s[number] if times_s else number / rate))
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return buffer.getvalue()


def only_sound() -> bytes:
    """Return an MP4 with a second of silence and no picture."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output:
        stream: Any = output.add_stream("aac", rate=16000)
        for start in range(0, 16000, 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 16000, start
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return buffer.getvalue()


def rotated_by_header(clip: bytes, matrix: tuple[int, int, int, int]) -> bytes:
    """Return an MP4 whose track header asks the player to turn the picture: (a, b, c, d) of the matrix."""
    at = clip.index(b"tkhd") + 4 + 40
    a, b, c, d = (value << 16 for value in matrix)
    return clip[:at] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + clip[at + 36 :]


def with_claimed_duration(clip: bytes, units: int) -> bytes:
    """Return an MP4 whose headers (not its edit list) claim another duration than the samples have."""
    content = bytearray(clip)
    for box, offset in ((b"mvhd", 16), (b"tkhd", 20), (b"mdhd", 16)):
        at = content.index(box) + 4 + offset
        content[at : at + 4] = struct.pack(">I", units)
    return bytes(content)
