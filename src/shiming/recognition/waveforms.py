"""Sound in: any common audio or clip file becomes one mono waveform at 16 kHz, within named limits.

Reads WAV, MP3, OGG/Opus, WebM, MP4/M4A, FLAC, AMR and the like through PyAV. Playlists and other formats that
open further files are not read. Decoding stops at the limit, so a file cannot cost more than the limit.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from shiming.vocabulary.errors import BadInput, Text

SAMPLE_RATE = 16_000
CLIPPED_FROM = 0.995  # of full scale
CANCELLED_BELOW = 0.25  # power of the mix against the louder channel: opposite phase, or one channel silent
# Formats that hold their own sound; none of them names other files or hosts.
FORMATS = "wav,w64,aiff,caf,au,mp3,aac,flac,ogg,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,amr,mpegts,avi,asf"
CHANNELS_MAX = 8
RATE_HZ_MAX = 192_000

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class WaveformLimits:
    """Two minutes is far more than six digits need and bounds memory at about 100 MB while decoding."""

    duration_s_max: float = 120.0
    bytes_max: int = 50_000_000
    packets_max: int = 200_000


DEFAULT_LIMITS = WaveformLimits()


@dataclass(frozen=True, slots=True)
class Waveform:
    """Mono sound at 16 kHz, full scale 1. `clipped_share`: share of the file's samples at full scale."""

    samples: Samples = field(repr=False)
    source_rate_hz: int
    source_channels: int
    clipped_share: float

    @property
    def duration_s(self) -> float:
        """Return the length in seconds."""
        return len(self.samples) / SAMPLE_RATE

    @classmethod
    def of_samples(cls, samples: Samples) -> "Waveform":
        """Wrap samples that are mono at 16 kHz already."""
        return cls(np.asarray(samples, np.float32), SAMPLE_RATE, 1, clipped_share(samples))


def read_waveform(source: str | Path | bytes, limits: WaveformLimits = DEFAULT_LIMITS) -> Waveform:
    """Decode the first sound track of a file or of bytes.

    Raises `BadInput`: AUDIO_NOT_FOUND, AUDIO_TOO_LARGE, AUDIO_UNREADABLE, AUDIO_ABSENT, AUDIO_TOO_LONG.
    """
    content = read_content(source, limits)
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "none"}
    try:
        with av.open(BytesIO(content), mode="r", options=options, timeout=5.0) as container:
            return decode(container, limits)
    except (av.error.FFmpegError, ValueError, OSError, EOFError, MemoryError) as error:
        raise unreadable() from error


def read_content(source: str | Path | bytes, limits: WaveformLimits) -> bytes:
    """Return the file's bytes; a file beyond the limit is not read."""
    if isinstance(source, bytes):
        size, content = len(source), source
    else:
        path = Path(source)
        if not path.is_file():
            raise BadInput(
                "AUDIO_NOT_FOUND",
                Text(zh="找不到音频文件。", en="The sound file was not found."),
                Text(zh="请检查文件路径。", en="Check the path of the file."),
            )
        size = path.stat().st_size
        content = path.read_bytes() if size <= limits.bytes_max else b""
    if size > limits.bytes_max:
        raise BadInput(
            "AUDIO_TOO_LARGE",
            Text(zh="音频文件过大。", en="The sound file is too large."),
            Text(zh="请重新录制较短的一段。", en="Record a shorter piece."),
            {"bytes": size, "bytes_max": limits.bytes_max},
        )
    if size == 0:
        raise unreadable()
    return content


def decode(container: Any, limits: WaveformLimits) -> Waveform:
    """Return the first sound track of an open container."""
    if not container.streams.audio:
        raise absent()
    stream = container.streams.audio[0]
    stated_s = (container.duration or 0) / av.time_base
    if stated_s > limits.duration_s_max:
        raise too_long(stated_s, limits)
    rate, channels = (
        int(getattr(stream, name, None) or 0) for name in ("rate", "channels")
    )  # absent: damaged
    if not (0 < rate <= RATE_HZ_MAX and 0 < channels <= CHANNELS_MAX):
        raise unreadable()
    blocks = tuple(float_blocks(container, stream, limits))
    if not blocks or sum(block.shape[1] for block in blocks) == 0:
        raise absent()
    sound = np.nan_to_num(np.concatenate(blocks, axis=1), copy=False, posinf=0.0, neginf=0.0)
    return Waveform(resampled(downmixed(sound), rate), rate, channels, clipped_share(sound))


def float_blocks(container: Any, stream: Any, limits: WaveformLimits) -> Iterator[Samples]:
    """Yield (channels, samples) blocks at the track's own rate; damaged packets are skipped."""
    to_float = av.AudioResampler(format="fltp")
    decoded, rate = 0, int(stream.rate)
    for count, packet in enumerate(container.demux(stream)):
        if count > limits.packets_max:
            raise too_long(decoded / rate, limits)
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue
        for frame in frames:
            for part in to_float.resample(frame):
                block = part.to_ndarray().astype(np.float32, copy=False)
                decoded += block.shape[1]
                if decoded > limits.duration_s_max * rate:
                    raise too_long(decoded / rate, limits)
                yield block


def clipped_share(sound: Samples) -> float:
    """Return the share of samples at full scale."""
    return float((np.abs(sound) >= CLIPPED_FROM).sum() / max(1, sound.size))


def downmixed(channels: Samples) -> Samples:
    """Return the mean of the channels, or the loudest one where the mean cancels."""
    mean = np.asarray(channels.mean(axis=0), np.float32)
    power = np.square(channels).mean(axis=1)
    if float(np.square(mean).mean()) >= CANCELLED_BELOW * float(power.max(initial=0.0)):
        return mean
    return np.asarray(channels[int(power.argmax())], np.float32)


def resampled(samples: Samples, rate: int) -> Samples:
    """Return the samples at 16 kHz, within full scale."""
    if rate == SAMPLE_RATE:
        return np.clip(samples, -1.0, 1.0)
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), format="flt", layout="mono")
    frame.sample_rate = rate
    parts = [part.to_ndarray().ravel() for part in (*resampler.resample(frame), *resampler.resample(None))]
    return np.asarray(np.clip(np.concatenate(parts), -1.0, 1.0), np.float32)


def unreadable() -> BadInput:
    """Say that this is not sound that can be read."""
    return BadInput(
        "AUDIO_UNREADABLE",
        Text(zh="无法读取音频。", en="The sound cannot be read."),
        Text(
            zh="请使用常见格式（WAV、MP3、OGG、MP4）重新录制。", en="Record it again as WAV, MP3, OGG or MP4."
        ),
    )


def absent() -> BadInput:
    """Say that there is no sound in the file."""
    return BadInput(
        "AUDIO_ABSENT",
        Text(zh="文件中没有声音。", en="The file has no sound."),
        Text(zh="请允许使用麦克风后重新录制。", en="Allow the microphone and record again."),
    )


def too_long(seconds: float, limits: WaveformLimits) -> BadInput:
    """Say that the sound is longer than the limit."""
    return BadInput(
        "AUDIO_TOO_LONG",
        Text(zh="录音过长。", en="The recording is too long."),
        Text(zh="请只读出屏幕上的数字。", en="Read out only the digits on the screen."),
        {"seconds": round(seconds, 1), "duration_s_max": limits.duration_s_max},
    )
