"""Files that cannot be used, each small, each a typed refusal. The file name is the case."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image as PilImage

from tools.specimens.clip_files import write_clip
from tools.specimens.photo_attacks import childs_drawing
from tools.specimens.speech import Sound
from tools.specimens.typefaces import Pixels


def _rgb(picture: Pixels, width: int = 0) -> PilImage.Image:
    image = PilImage.fromarray(np.ascontiguousarray(picture[..., ::-1]))
    if width:
        image = image.resize((width, round(image.height * width / image.width)), PilImage.Resampling.LANCZOS)
    return image


def _saved(image: PilImage.Image, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, **options)  # type: ignore[arg-type]  # Pillow types its options one by one
    return file.getvalue()


def hundred_megapixels() -> bytes:
    """Return a PNG of 10000 x 10000 white pixels in some 12 kB."""
    side = 10_000
    squeeze = zlib.compressobj(9)
    row = b"\0" + b"\xff" * (side // 8)
    body = b"".join(squeeze.compress(row) for _ in range(side)) + squeeze.flush()

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def animated_gif(picture: Pixels) -> bytes:
    """Return a GIF of three frames."""
    frames = [_rgb(np.roll(picture, 9 * k, axis=1), 240).quantize(32) for k in range(3)]
    return _saved(frames[0], format="GIF", save_all=True, append_images=frames[1:], duration=200, loop=0)


def exif_rotated(picture: Pixels) -> bytes:
    """Return a JPEG whose pixels lie on their side and whose EXIF orientation (6) says so."""
    exif = PilImage.Exif()
    exif[0x0112] = 6
    image = _rgb(picture).transpose(PilImage.Transpose.ROTATE_90)
    return _saved(image, format="JPEG", quality=85, exif=exif)


def cmyk(picture: Pixels) -> bytes:
    """Return a CMYK JPEG."""
    return _saved(_rgb(picture, 900).convert("CMYK"), format="JPEG", quality=70)


def sixteen_bit(picture: Pixels) -> bytes:
    """Return a PNG of 16 bits a channel."""
    small = cv2.resize(picture, None, fx=0.45, fy=0.45, interpolation=cv2.INTER_AREA)
    coarse = (small.astype(np.uint16) // 16) * 4096  # few levels, so that the file stays small
    _, packed = cv2.imencode(".png", coarse, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return packed.tobytes()


def transparent(picture: Pixels) -> bytes:
    """Return a PNG with an alpha channel, transparent at the border."""
    image = _rgb(picture, 460).quantize(24).convert("RGBA")
    alpha = np.zeros((image.height, image.width), np.uint8)
    alpha[12:-12, 12:-12] = 255
    image.putalpha(PilImage.fromarray(alpha))
    return _saved(image, format="PNG", optimize=True)


def ten_faces(portrait: Pixels) -> bytes:
    """Return a picture of ten faces in two rows."""
    tile = cv2.resize(portrait, (200, 246), interpolation=cv2.INTER_AREA)
    rows = [np.hstack([tile if (k + r) % 2 else tile[:, ::-1] for k in range(5)]) for r in range(2)]
    return _saved(_rgb(np.asarray(np.vstack(rows), np.uint8)), format="JPEG", quality=82)


def no_face() -> bytes:
    """Return a landscape without anybody."""
    y, x = np.mgrid[0:480, 0:640].astype(np.float32)
    sky = np.stack([235 - y / 8, 190 - y / 6, 140 - y / 8], axis=-1)
    hill = y > 300 + 40 * np.sin(x / 90) + 15 * np.sin(x / 31)
    sky[hill] = np.array((70, 130, 80), np.float32)
    return _saved(_rgb(np.asarray(np.clip(sky, 0, 255), np.uint8)), format="JPEG", quality=85)


def two_hour_clip(path: Path) -> None:
    """Write a clip of two hours: 64 x 64, one frame in 20 seconds."""
    picture = np.full((64, 64, 3), 90, np.uint8)
    write_clip(path, (picture for _ in range(360)), frame_rate=0.05, crf=40)


def truncated(clip: bytes) -> bytes:
    """Return the first third of a clip."""
    return clip[: len(clip) // 3]


def huge_declared_size(clip: bytes) -> bytes:
    """Return a clip whose headers declare 65535 x 65535 pixels."""
    changed = bytearray(clip)
    at = changed.find(b"avc1", changed.find(b"stsd"))
    changed[at + 28 : at + 32] = struct.pack(">HH", 65535, 65535)
    track = changed.find(b"tkhd")
    changed[track + 80 : track + 88] = struct.pack(">II", 65535 << 16, 65535 << 16)
    return bytes(changed)


def huge_picture_clip(path: Path) -> None:
    """Write a clip of a few kilobytes that really decodes to frames of 8192 x 4320 pixels."""
    picture = np.full((4320, 8192, 3), 127, np.uint8)
    write_clip(path, (picture for _ in range(2)), crf=45)


def hostile_metadata(frames: list[Pixels], path: Path) -> None:
    """Write a clip whose metadata hold markup, shell words and a long text."""
    with av.open(str(path), "w") as container:
        container.metadata.update(
            {"title": "<script>alert(1)</script>", "comment": "$(rm -rf /) `id` %n%s", "artist": "A" * 4000}
        )
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))


def sound_only(path: Path, sound: Sound) -> None:
    """Write an MP4 that has sound and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        block = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[None]), format="fltp", layout="mono")
        block.sample_rate = 16_000
        fifo = av.AudioFifo()
        fifo.write(block)
        while (part := fifo.read(1024, partial=True)) is not None:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def image_cases(card_photo: Pixels, portrait: Pixels) -> dict[str, Callable[[], bytes]]:
    """Return the makers of all still cases by file name."""
    return {
        "not_an_image.jpg": lambda: b"This is a letter, not a picture.\n" * 20,
        "zero_bytes.jpg": lambda: b"",
        "hundred_megapixels.png": hundred_megapixels,
        "animated.gif": lambda: animated_gif(card_photo),
        "exif_rotated.jpg": lambda: exif_rotated(card_photo),
        "cmyk.jpg": lambda: cmyk(card_photo),
        "sixteen_bit.png": lambda: sixteen_bit(card_photo),
        "transparent.png": lambda: transparent(card_photo),
        "truncated.jpg": lambda: _saved(_rgb(card_photo), format="JPEG", quality=80)[:9000],
        "one_pixel.png": lambda: _saved(PilImage.new("RGB", (1, 1)), format="PNG"),
        "no_face.jpg": no_face,
        "ten_faces.jpg": lambda: ten_faces(portrait),
        "childs_drawing.jpg": lambda: _saved(_rgb(childs_drawing()), format="JPEG", quality=80),
    }
