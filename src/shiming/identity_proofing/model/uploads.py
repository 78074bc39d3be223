"""An upload that arrives in chunks: what it is, how much of it is here, and where it was captured."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

#: What a client may say of the place of a capture: kept only where the rules ask for it.
PLACE_NAMES = frozenset({"latitude", "longitude", "accuracy_m"})


class UploadKind(StrEnum):
    """What an upload is handed in as."""

    CLIP = "clip"
    DIGITS = "digits"
    DOCUMENT = "document"
    DOCUMENT_BACK = "document_back"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was captured, degrees and metres, rounded as far as a shop needs: about 100 m."""

    latitude: float
    longitude: float
    accuracy_m: int | None = None


@dataclass(frozen=True, slots=True)
class CaptureStamp:
    """What the device says about a capture. `place` only where the rules ask for it.

    `signed`: `device` is the reference of an enrolled device whose key signed every byte, not what was said.
    """

    device: str | None = None
    captured_at: datetime | None = None
    place: Place | None = None
    signed: bool = False


@dataclass(frozen=True, slots=True)
class NewUpload:
    """What somebody wants to send; `bytes_stated` is None while they cannot know."""

    kind: UploadKind
    media_type: str
    bytes_stated: int | None
    stamp: CaptureStamp = CaptureStamp()
    said: tuple[str, ...] = field(default=(), repr=False)  # pairs of Upload-Metadata, as they were sent


@dataclass(frozen=True, slots=True)
class HeldUpload:
    """An upload of a session and how much of it has arrived."""

    id: str
    session_id: str
    kind: UploadKind
    media_type: str
    bytes_stated: int | None
    bytes_held: int
    stamp: CaptureStamp
    expires_at: datetime

    @property
    def is_whole(self) -> bool:
        """Say whether everything has arrived."""
        return self.bytes_stated == self.bytes_held
