"""What was measured in a session, as plain numbers that a receipt can hold and a replay can decide on.

No name, number, image or embedding is in here: agreement of fields is recorded as agreement, dates as
distances from the day of the session.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from shiming.identity_proofing.model.challenge import ChallengeOrigin, Language
from shiming.identity_proofing.model.session import EvidenceKind
from shiming.identity_proofing.model.uploads import CaptureStamp
from shiming.jurisdictions.model import Channel, DigitsMode, Gesture, Route
from shiming.recognition.measurements import AttackSigns, ClipEvent, CopySigns, DocumentKind, ModelUse


@dataclass(frozen=True, slots=True)
class SideEvidence:
    """One side of a document: how well it could be read and whether it looks like the real thing."""

    kind: DocumentKind
    number_checksum: bool | None
    mrz_check_digits: bool | None
    cross_checks: Mapping[str, bool]
    fields_read: tuple[str, ...]
    portrait_present: bool
    cards_seen: int
    sharpness: float
    brightness: float
    contrast: float
    glare_share: float
    card_width_px: int
    cut_edges: tuple[str, ...]
    copy_signs: CopySigns
    models: tuple[ModelUse, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentEvidence:
    """The document as a whole. `days_to_expiry` is negative after expiry; None = validity was not read."""

    document_type: str
    front: SideEvidence
    back: SideEvidence | None
    days_to_expiry: int | None
    long_term: bool
    portrait_age_years: float | None
    age_years: int | None


@dataclass(frozen=True, slots=True)
class CardReadingEvidence:
    """What a reader read from the chip of a card. It goes before what was read from pictures of the card.

    `decoder`: who decoded the portrait on the chip, `unavailable` where nobody can; `device`: the enrolled
    device that signed the reading; `block_hash` binds it to the blocks as read, in this session only.
    """

    document_type: str
    number_checksum: bool | None
    cross_checks: Mapping[str, bool]
    fields_read: tuple[str, ...]
    days_to_expiry: int | None
    long_term: bool
    portrait_age_years: float | None
    age_years: int | None
    portrait_present: bool
    decoder: str
    reader: str
    device: str | None
    block_hash: str
    read_at: datetime


@dataclass(frozen=True, slots=True)
class FieldComparison:
    """Whether one attribute is the same in two places; None = one of them could not be read."""

    field: str
    between: str  # such as "document~declared"
    agrees: bool | None
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class FaceVotes:
    """How alike two pictures of one claimed person are, by two models; None = that model is absent."""

    similarity: float
    second_similarity: float | None
    models: tuple[ModelUse, ...] = ()


@dataclass(frozen=True, slots=True)
class ClipEvidence:
    """The live clip. Face figures are None when no face was found."""

    events: tuple[ClipEvent, ...]
    attack_signs: AttackSigns
    face_width_px: float
    face_sharpness: float | None
    present_share: float
    duration_s: float
    has_audio: bool
    models: tuple[ModelUse, ...] = ()


@dataclass(frozen=True, slots=True)
class DigitsEvidence:
    """Spoken digits: score of the claimed string. Tapped digits: whether they are the same."""

    mode: DigitsMode
    language: Language
    expected_length: int
    score: float | None = None
    voiced_units: int | None = None
    same: bool | None = None
    models: tuple[ModelUse, ...] = ()


@dataclass(frozen=True, slots=True)
class ChallengeEvidence:
    """Which challenge was answered, and what the server remembers about it."""

    id: str | None
    origin: ChallengeOrigin
    steps: tuple[Gesture, ...]
    prompts_s: tuple[float, ...] | None
    digits_length: int
    digits_mode: DigitsMode
    drawn_at: datetime
    expires_at: datetime
    received_at: datetime
    known: bool
    altered: bool
    used_before: bool
    other_session: bool


class AuthorityAnswer(StrEnum):
    """What the authority says of the attributes of the claimed person."""

    MATCH = "match"
    MISMATCH = "mismatch"
    UNKNOWN_PERSON = "unknown_person"
    CARD_EXPIRED = "card_expired"
    CARD_LOST = "card_lost"
    UNREACHABLE = "unreachable"
    NOT_ASKED = "not_asked"


class PortraitAnswer(StrEnum):
    """What the authority says of the face in the clip and its own portrait of the claimed person."""

    MATCH = "match"
    MISMATCH = "mismatch"
    NOT_COMPARED = "not_compared"


@dataclass(frozen=True, slots=True)
class AuthorityEvidence:
    """The authority's strict answer. `detail` is a stable word such as TIMEOUT, never personal."""

    answer: AuthorityAnswer
    portrait: PortraitAnswer
    transaction_id: str | None = None
    validity_confirmed: bool = False  # the dates of the document were among the attributes that match
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StaffReview:
    """One member of staff compared the person with the document by eye. Staff are references, not names.

    `ground` is a word of `ReviewGround`, never free text: what is written freely ends up naming somebody.
    """

    staff: str
    same_person: bool
    document_genuine: bool
    at: datetime
    ground: str = ""


@dataclass(frozen=True, slots=True)
class RefereeEvidence:
    """Who vouches for the applicant, by the reference of the session that proved them, never by name.

    `named_by`: the member of staff who named them; `receipt`: hash of the receipt of their proof.
    `other_person` is known once the applicant's document was decided on: None before, and without a number.
    """

    session: str
    category: str
    receipt: str
    proven_at: datetime
    named_at: datetime
    named_by: str
    other_person: bool | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that a decision may rest on."""

    session_id: str
    channel: Channel
    route: Route
    subject: str
    on: date
    attempts: Mapping[EvidenceKind, int] = field(default_factory=dict)
    document: DocumentEvidence | None = None
    comparisons: tuple[FieldComparison, ...] = ()
    clip: ClipEvidence | None = None
    face_clip_document: FaceVotes | None = None
    digits: DigitsEvidence | None = None
    challenge: ChallengeEvidence | None = None
    authority: AuthorityEvidence | None = None
    reviews: tuple[StaffReview, ...] = ()
    captures: Mapping[str, CaptureStamp] = field(default_factory=dict)  # by the kind of upload
    card_reading: CardReadingEvidence | None = None
    referee: RefereeEvidence | None = None


class DigitsReading(Protocol):
    """What was measured about spoken digits (`recognition.spoken_digits`). No score: nothing was heard."""

    @property
    def score(self) -> float | None: ...  # noqa: D102 - see the class

    @property
    def voiced_units(self) -> int: ...  # noqa: D102 - see the class

    @property
    def models(self) -> tuple[ModelUse, ...]: ...  # noqa: D102 - see the class
