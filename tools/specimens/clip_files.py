"""Reads and writes clips: H.264 video and AAC sound in MP4."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tools.specimens.speech import SAMPLE_RATE, Sound
from tools.specimens.typefaces import Pixels


@dataclass(frozen=True, slots=True)
class Clip:
    """Frames (BGR), their rate and the sound (mono, 16 kHz) if there is one."""

    frames: tuple[Pixels, ...] = field(repr=False)
    frame_rate: float
    sound: Sound | None = field(repr=False, default=None)

    @property
    def seconds(self) -> float:
        """Return the length of the video."""
        return len(self.frames) / self.frame_rate


def write_clip(
    path: Path, frames: Iterable[Pixels], *, frame_rate: float = 25, sound: Sound | None = None, crf: int = 23
) -> None:
    """Write an MP4. `crf` 18 is nearly the original, 30 is coarse."""
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        video = container.add_stream("libx264", rate=Fraction(frame_rate).limit_denominator(1001))
        video.pix_fmt = "yuv420p"
        video.options = {"crf": str(crf), "preset": "slow", "threads": "1"}
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono") if sound is not None else None
        if audio is not None:
            audio.bit_rate = 48_000
        for index, picture in enumerate(frames):
            if index == 0:
                video.height, video.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None and sound is not None:
            block = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(sound[None]), format="fltp", layout="mono"
            )
            block.sample_rate = SAMPLE_RATE
            fifo = av.AudioFifo()
            fifo.write(block)
            while (part := fifo.read(1024, partial=True)) is not None:
                container.mux(audio.encode(part))
            container.mux(audio.encode(None))


def read_clip(path: Path, *, seconds_max: float = 60.0) -> Clip:
    """Read a clip into memory."""
    frames: list[Pixels] = []
    blocks: list[Sound] = []
    with av.open(str(path)) as container:
        rate = float(container.streams.video[0].average_rate or 25)
        for frame in container.decode(container.streams.video[0]):
            frames.append(np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8))
            if len(frames) >= seconds_max * rate:
                break
    with av.open(str(path)) as container:
        if container.streams.audio:
            resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
            for packet in container.decode(container.streams.audio[0]):
                blocks += [part.to_ndarray()[0].astype(np.float32) for part in resampler.resample(packet)]
    sound = np.concatenate(blocks) if blocks else None
    return Clip(tuple(frames), rate, sound)
