"""Decode a clip frame by frame with PyAV, within limits that hold even when the header lies.

(1) the bytes: not empty, not too many, and a container that we know by its first bytes; only that
    demultiplexer is ever started (playlists and other formats that open further addresses never are)
(2) the header: one video stream, an allowed codec, size and duration within the limits
(3) the packets, undecoded: their time stamps and number (a header may claim anything)
(4) each frame as it is decoded: size, time and number again
"""

import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from shiming.recognition.clips import refusals
from shiming.recognition.clips.limits import ClipLimits
from shiming.recognition.measurements import Image

#: Frames are shrunk to this before analysis; the mesh works on 192 px and a face fills a third of the frame.
ANALYSIS_SIDE_PX_MAX: Final = 640
#: Analysis needs no more frames a second than a blink does.
ANALYSIS_RATE_MAX: Final = 30.0
#: An MP4 with fewer of the frames that its index lists was cut off on its way.
COMPLETE_SHARE_MIN: Final = 0.9

_PICTURES: Final = (
    (rb"GIF8", "gif"),
    (rb"\x89PNG", "png"),
    (rb"\xff\xd8\xff", "jpeg"),
    (rb"BM.{4}\x00\x00", "bmp"),
    (rb"II\*\x00|MM\x00\*", "tiff"),
    (rb"RIFF.{4}WEBP", "webp"),
    (rb".{4}ftyp(heic|heix|mif1|msf1|avif|avis)", "heif"),
)
_CONTAINERS: Final = (
    (rb".{4}(ftyp|moov|mdat|wide|free|skip)", "mov"),
    (rb"\x1a\x45\xdf\xa3", "matroska"),
    (rb"RIFF.{4}AVI ", "avi"),
)
_SOUND_CODECS: Final = (
    "aac,opus,libopus,vorbis,libvorbis,mp3,mp3float,pcm_s16le,pcm_s16be,amrnb,amrwb,flac,ac3"
)
_VIDEO_DECODERS: Final = "h264,hevc,vp8,libvpx,vp9,libvpx-vp9,av1,libdav1d,mpeg4,mjpeg"


@dataclass(frozen=True, slots=True)
class ClipHeader:
    """What is known before the first frame is decoded; width and height of the upright picture."""

    width: int
    height: int
    frame_rate: float
    duration_s: float
    has_audio: bool
    codec: str


@dataclass(frozen=True, slots=True)
class ClipFrame:
    """One frame: seconds from the first frame; the picture, shrunk and upright, if it is to be analysed."""

    time_s: float
    picture: Image | None = field(repr=False)


class OpenClip:
    """A clip whose header and time stamps were found acceptable."""

    def __init__(self, container: Any, header: ClipHeader, limits: ClipLimits) -> None:
        self.header = header
        self._container = container
        self._limits = limits

    def frames(self) -> Iterator[ClipFrame]:
        """Yield every decoded frame in order of time; raises `BadInput` where a limit is passed."""
        try:
            yield from self._frames()
        except _decoder_errors() as error:
            raise refusals.unreadable(type(error).__name__) from error

    def _frames(self) -> Iterator[ClipFrame]:
        stream = self._container.streams.video[0]
        upright = UprightPictures()
        first_s: float | None = None
        next_s, last_s = 0.0, -1.0
        spacing_s = 1 / ANALYSIS_RATE_MAX
        for number, frame in enumerate(self._container.decode(stream)):
            stamp = float(frame.time) if frame.time is not None else number / self.header.frame_rate
            first_s = stamp if first_s is None else first_s
            time_s = stamp - first_s
            self._check(frame, time_s, number)
            # A quarter of a frame's grace: 29.97 and jittering stamps are not thinned out.
            wanted = time_s >= next_s - spacing_s / 4 and time_s > last_s
            if wanted:
                next_s, last_s = max(next_s + spacing_s, time_s), time_s
            yield ClipFrame(time_s=max(time_s, 0.0), picture=upright.of(frame) if wanted else None)

    def _check(self, frame: Any, time_s: float, number: int) -> None:
        _check_size(frame.width, frame.height, self._limits)
        if time_s > self._limits.duration_s_max or number >= self._limits.frames_max:
            raise refusals.too_long(time_s, self._limits.duration_s_max)


@contextlib.contextmanager
def opened(source: Path | bytes, limits: ClipLimits) -> Iterator[OpenClip]:
    """Open a clip for decoding; raises `BadInput` with a CLIP_... code if it is not acceptable."""
    content = _content(source, limits)
    container = _container(content)
    try:
        header = _header(container, limits)
        _check_time_stamps(container, limits)
    finally:
        container.close()
    container = _container(content)
    try:
        stream = container.streams.video[0]
        stream.thread_type = "FRAME"  # as in `inference`: one call, one core
        stream.codec_context.options = {"max_pixels": str(limits.side_px_max**2)}
        yield OpenClip(container, header, limits)
    finally:
        container.close()


def _content(source: Path | bytes, limits: ClipLimits) -> bytes:
    try:
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        if size == 0:
            raise refusals.empty()
        if size > limits.bytes_max:
            raise refusals.too_big(size, limits.bytes_max)
        return source if isinstance(source, bytes) else source.read_bytes()
    except OSError as error:
        raise refusals.unreadable(type(error).__name__) from error


def _container(content: bytes) -> Any:
    import av  # noqa: PLC0415 - loads the decoders; only when a clip is really read

    beginning = content[:16]
    for pattern, kind in _PICTURES:
        if re.match(pattern, beginning, re.DOTALL):
            raise refusals.is_picture(kind)
    known = [name for pattern, name in _CONTAINERS if re.match(pattern, beginning, re.DOTALL)]
    if not known:
        raise refusals.unreadable("unknown container")
    options = {"codec_whitelist": f"{_VIDEO_DECODERS},{_SOUND_CODECS}"}
    try:
        return av.open(io.BytesIO(content), format=known[0], options=options)
    except _decoder_errors() as error:
        raise refusals.unreadable(type(error).__name__) from error


def _decoder_errors() -> tuple[type[Exception], ...]:
    """Return what PyAV raises on damaged input; some of its errors are of no built-in kind."""
    from av.error import FFmpegError  # noqa: PLC0415 - as in `_container`

    return (FFmpegError, OSError, EOFError, ValueError, RuntimeError, LookupError, ArithmeticError)


def _header(container: Any, limits: ClipLimits) -> ClipHeader:
    streams = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not streams:
        raise refusals.no_video()
    context = streams[0].codec_context
    codec = context.codec.canonical_name if context is not None else "unknown"
    if codec not in limits.codecs:
        raise refusals.codec_unsupported(codec, limits.codecs)
    _check_size(context.width, context.height, limits)
    duration_s = _duration_s(container, streams[0])
    if duration_s > limits.duration_s_max:
        raise refusals.too_long(duration_s, limits.duration_s_max)
    rate = float(streams[0].average_rate or streams[0].guessed_rate or 0)
    return ClipHeader(
        width=context.width,
        height=context.height,
        frame_rate=rate if rate > 0 else ANALYSIS_RATE_MAX,
        duration_s=duration_s,
        has_audio=bool(container.streams.audio),
        codec=codec,
    )


def _is_cover(stream: Any) -> bool:
    """Say whether a video stream is only an attached picture."""
    return bool(getattr(stream.disposition, "value", 0) & 0x400)


def _duration_s(container: Any, stream: Any) -> float:
    of_container = (container.duration or 0) / 1_000_000
    of_stream = float(stream.duration * stream.time_base) if stream.duration else 0.0
    return float(max(of_container, of_stream))


def _check_size(width: int, height: int, limits: ClipLimits) -> None:
    if max(width, height) > limits.side_px_max or min(width, height) < limits.side_px_min:
        raise refusals.wrong_size(width, height)


def _check_time_stamps(container: Any, limits: ClipLimits) -> None:
    """Walk the packets without decoding them; cheap even where a header hides two hours."""
    stream = container.streams.video[0]
    count, first, last = 0, float("inf"), 0.0
    try:
        for packet in container.demux(stream):
            if packet.size == 0:
                continue
            count += 1
            stamp = packet.pts if packet.pts is not None else packet.dts
            if stamp is not None:
                time_s = float(stamp * packet.time_base)
                first, last = min(first, time_s), max(last, time_s)
            if last - min(first, last) > limits.duration_s_max or count > limits.frames_max:
                raise refusals.too_long(last - min(first, last), limits.duration_s_max)
    except _decoder_errors() as error:
        raise refusals.unreadable(type(error).__name__) from error
    if "mov" in container.format.name and count < COMPLETE_SHARE_MIN * (stream.frames or 0):
        raise refusals.unreadable("truncated: the header promises more frames")
    if count < limits.frames_min:
        raise refusals.too_short(last - min(first, last), count)


class UprightPictures:
    """Converts frames to upright BGR of the analysis size; keeps one scaler, as building it costs a frame."""

    def __init__(self) -> None:
        from av.video.reformatter import VideoReformatter  # noqa: PLC0415 - as in `_container`

        self._scaler = VideoReformatter()

    def of(self, frame: Any) -> Image:
        """Return the frame as BGR, shrunk to the analysis size, turned as its metadata says."""
        scale = min(1.0, ANALYSIS_SIDE_PX_MAX / max(frame.width, frame.height))
        width, height = (max(2, round(side * scale)) for side in (frame.width, frame.height))
        picture = self._scaler.reformat(frame, width, height, "bgr24", threads=1).to_ndarray()
        turn = _TURNS.get(round((frame.rotation or 0) / 90) % 4)
        return np.asarray(picture if turn is None else cv2.rotate(picture, turn), np.uint8)


#: Quarter turns counter-clockwise, as the display matrix gives them.
_TURNS: Final = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}
