"""A few frames of a clip for people to look at, spread over its length; nothing is measured."""

from collections.abc import Sequence
from pathlib import Path

from shiming.recognition.clips.decoding import opened
from shiming.recognition.clips.limits import ClipLimits
from shiming.recognition.measurements import Image


def pick_frames(source: Path | bytes, shares: Sequence[float], limits: ClipLimits) -> tuple[Image, ...]:
    """Return the frame at each share (0 to 1, rising) of a clip's length, upright BGR pixels.

    A clip that is shorter than its header says gives its last frame instead. Raises BadInput as `opened`.
    """
    picked: list[Image] = []
    last: Image | None = None
    with opened(source, limits) as clip:
        wanted = [share * clip.header.duration_s for share in shares]
        for frame in clip.frames():
            last = last if frame.picture is None else frame.picture
            while last is not None and len(picked) < len(wanted) and frame.time_s >= wanted[len(picked)]:
                picked.append(last)
            if len(picked) == len(wanted):
                break
    missing = len(shares) - len(picked)
    return (*picked, *([last] * missing if last is not None else []))
