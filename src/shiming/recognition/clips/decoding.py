"""Decode a clip frame by frame with PyAV, within limits that hold even when the header lies.

(1) the bytes: not empty, not too many, and a container that we know by its first bytes; only that
    demultiplexer is ever started (playlists and other formats that open further addresses never are)
(2) the header: one video stream, an allowed codec, size and duration within the limits
(3) the packets, undecoded: their time stamps and number (a header may claim anything)
(4) each frame as it is decoded: size, time and number again

A clip that still arrives (`arriving`) is read once: (3) is done packet by packet, before each is decoded.
"""

import contextlib
import io
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

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
_BEGINNING_BYTES: Final = 16
_SOUND_CODECS: Final = (
    "aac,opus,libopus,vorbis,libvorbis,mp3,mp3float,pcm_s16le,pcm_s16be,amrnb,amrwb,flac,ac3"
)
_VIDEO_DECODERS: Final = "h264,hevc,vp8,libvpx,vp9,libvpx-vp9,av1,libdav1d,mpeg4,mjpeg"


class ArrivingFile(Protocol):
    """A file that is still being written: `read` waits for bytes and returns none at the end."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, at least one before the end."""
        ...


#: Entered around the work on each packet, never while waiting for bytes; lets others have the processor.
Pace = Callable[[], AbstractContextManager[object]]


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

    def __init__(
        self,
        container: Any,
        header: ClipHeader,
        limits: ClipLimits,
        *,
        stamps: "_TimeStamps | None" = None,  # None: they were walked before
        pace: Pace = contextlib.nullcontext,
    ) -> None:
        self.header = header
        self.pace = pace
        self._container = container
        self._limits = limits
        self._stamps = stamps

    def frames(self) -> Generator[ClipFrame]:
        """Yield every decoded frame in order of time; raises `BadInput` where a limit is passed."""
        try:
            yield from self._frames()
        except _decoder_errors() as error:
            raise refusals.unreadable(type(error).__name__) from error

    def _frames(self) -> Iterator[ClipFrame]:
        upright = UprightPictures()
        first_s: float | None = None
        next_s, last_s = 0.0, -1.0
        spacing_s = 1 / ANALYSIS_RATE_MAX
        for number, frame in enumerate(self._decoded()):
            stamp = float(frame.time) if frame.time is not None else number / self.header.frame_rate
            first_s = stamp if first_s is None else first_s
            time_s = stamp - first_s
            self._check(frame, time_s, number)
            # A quarter of a frame's grace: 29.97 and jittering stamps are not thinned out.
            wanted = time_s >= next_s - spacing_s / 4 and time_s > last_s
            if wanted:
                next_s, last_s = max(next_s + spacing_s, time_s), time_s
            yield ClipFrame(time_s=max(time_s, 0.0), picture=upright.of(frame) if wanted else None)

    def _decoded(self) -> Iterator[Any]:
        stream = self._container.streams.video[0]
        for packet in self._container.demux(stream):
            if self._stamps is not None:
                self._stamps.take(packet)
            with self.pace():
                yield from packet.decode()
        if self._stamps is not None:
            self._stamps.require_complete(self._container)

    def _check(self, frame: Any, time_s: float, number: int) -> None:
        _check_size(frame.width, frame.height, self._limits)
        if time_s > self._limits.duration_s_max or number >= self._limits.frames_max:
            raise refusals.too_long(time_s, self._limits.duration_s_max)


@contextlib.contextmanager
def opened(source: Path | bytes, limits: ClipLimits) -> Iterator[OpenClip]:
    """Open a clip for decoding; raises `BadInput` with a CLIP_... code if it is not acceptable."""
    content = _content(source, limits)
    container = _container(io.BytesIO(content), content[:_BEGINNING_BYTES])
    try:
        header = _header(container, limits)
        _check_time_stamps(container, limits)
    finally:
        container.close()
    container = _container(io.BytesIO(content), content[:_BEGINNING_BYTES])
    try:
        _prepare_decoder(container, limits, threads="FRAME")  # as in `inference`: one call, one core
        yield OpenClip(container, header, limits)
    finally:
        container.close()


@contextlib.contextmanager
def arriving(file: ArrivingFile, limits: ClipLimits, pace: Pace) -> Iterator[OpenClip]:
    """Open a clip that is still being written, for one pass; raises as `opened` does.

    Of an MP4 whose index comes last nothing can be decoded before its end: CLIP_UNREADABLE, and the whole
    file has to be measured once it is here.
    """
    bounded = _Bounded(file, limits.bytes_max)
    container = _container(bounded, bounded.beginning())
    try:
        header = _header(container, limits)
        _prepare_decoder(container, limits, threads="NONE")  # threads hold back as many frames as they are
        yield OpenClip(container, header, limits, stamps=_TimeStamps(limits), pace=pace)
    finally:
        container.close()


class _Bounded:
    """An arriving file that is read from its first byte on, and not beyond the limit."""

    def __init__(self, file: ArrivingFile, bytes_max: int) -> None:
        self._file, self._bytes_max = file, bytes_max
        self._taken, self._again = 0, b""

    def beginning(self) -> bytes:
        """Return the first bytes, which are read again."""
        while len(self._again) < _BEGINNING_BYTES:
            more = self._file.read(_BEGINNING_BYTES - len(self._again))
            if not more:
                break
            self._again += more
        if not self._again:
            raise refusals.empty()
        return self._again

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        if self._again:
            piece, self._again = self._again[:size], self._again[size:]
        else:
            piece = self._file.read(size)
        self._taken += len(piece)
        if self._taken > self._bytes_max:
            raise refusals.too_big(self._taken, self._bytes_max)
        return piece


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


def _container(file: Any, beginning: bytes) -> Any:
    import av  # noqa: PLC0415 - loads the decoders; only when a clip is really read

    for pattern, kind in _PICTURES:
        if re.match(pattern, beginning, re.DOTALL):
            raise refusals.is_picture(kind)
    known = [name for pattern, name in _CONTAINERS if re.match(pattern, beginning, re.DOTALL)]
    if not known:
        raise refusals.unreadable("unknown container")
    options = {"codec_whitelist": f"{_VIDEO_DECODERS},{_SOUND_CODECS}"}
    try:
        return av.open(file, format=known[0], options=options)
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


def _prepare_decoder(container: Any, limits: ClipLimits, threads: str) -> None:
    stream = container.streams.video[0]
    stream.thread_type = threads
    stream.codec_context.options = {"max_pixels": str(limits.side_px_max**2)}


class _TimeStamps:
    """Number and time stamps of the packets, which a header cannot lie about."""

    def __init__(self, limits: ClipLimits) -> None:
        self._limits = limits
        self._count, self._first, self._last = 0, float("inf"), 0.0

    def take(self, packet: Any) -> None:
        """Count a packet; raise `BadInput` beyond the limits."""
        if packet.size == 0:
            return
        self._count += 1
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is not None:
            time_s = float(stamp * packet.time_base)
            self._first, self._last = min(self._first, time_s), max(self._last, time_s)
        if self._seconds > self._limits.duration_s_max or self._count > self._limits.frames_max:
            raise refusals.too_long(self._seconds, self._limits.duration_s_max)

    def require_complete(self, container: Any) -> None:
        """Raise `BadInput` for a clip that was cut off or is too short."""
        promised = container.streams.video[0].frames or 0
        if "mov" in container.format.name and self._count < COMPLETE_SHARE_MIN * promised:
            raise refusals.unreadable("truncated: the header promises more frames")
        if self._count < self._limits.frames_min:
            raise refusals.too_short(self._seconds, self._count)

    @property
    def _seconds(self) -> float:
        return self._last - min(self._first, self._last)


def _check_time_stamps(container: Any, limits: ClipLimits) -> None:
    """Walk the packets without decoding them; cheap even where a header hides two hours."""
    stamps = _TimeStamps(limits)
    try:
        for packet in container.demux(container.streams.video[0]):
            stamps.take(packet)
    except _decoder_errors() as error:
        raise refusals.unreadable(type(error).__name__) from error
    stamps.require_complete(container)


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
