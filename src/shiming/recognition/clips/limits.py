"""What a clip may be at most, so that a hostile or mistaken upload costs little."""

from dataclasses import dataclass
from typing import Final

MEBIBYTE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class ClipLimits:
    """Limits of one clip. A proofing clip lasts 5 to 20 s; a minute leaves room for slow people."""

    duration_s_max: float = 60.0
    duration_s_min: float = 0.5
    bytes_max: int = 64 * MEBIBYTE
    side_px_max: int = 1920
    side_px_min: int = 64
    frames_min: int = 8
    frame_rate_max: float = 120.0  # with the duration, the most frames that are ever decoded
    face_within_s: float = 5.0  # a clip that shows no face for so long from its start is not read further
    codecs: frozenset[str] = frozenset({"h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mjpeg"})

    @property
    def frames_max(self) -> int:
        """Return the most frames that a clip may hold."""
        return int(self.duration_s_max * self.frame_rate_max)
