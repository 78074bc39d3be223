"""What a person is asked to do in front of the camera, so that an old recording is of no use.

Drawn by the server, used once, for one session, for a short time. A *chosen* challenge was written by
hand for an evaluation or a training; whatever it leads to says so.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shiming.jurisdictions.model import DigitsMode, Gesture, Route


class ChallengeOrigin(StrEnum):
    """Who decided what is asked."""

    DRAWN = "drawn"
    CHOSEN = "chosen"


class Language(StrEnum):
    """In which the digits are spoken (ISO 639-3)."""

    MANDARIN = "cmn"
    ENGLISH = "eng"


@dataclass(frozen=True, slots=True)
class Challenge:
    """Gestures in their order and digits. `prompts_s`: when each gesture was asked for, clip time."""

    id: str | None  # None: written by hand, never recorded
    session_id: str | None
    origin: ChallengeOrigin
    route: Route
    steps: tuple[Gesture, ...]
    digits: str = field(repr=False)
    digits_mode: DigitsMode
    language: Language
    drawn_at: datetime
    expires_at: datetime
    prompts_s: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class ChallengeRecord:
    """What the server remembers of a challenge it gave out."""

    id: str
    session_id: str
    content_hash: str
    digits: str = field(repr=False)
    drawn_at: datetime
    used_at: datetime | None = None
