"""The principal of a proxy says: this line is not mine."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shiming.registrations.model.orders import RepresentativeRole
from shiming.registrations.model.registration import ProvenSession
from shiming.vocabulary.refusals import Refusal


class RepudiationState(StrEnum):
    """Where the dispute stands."""

    OPEN = "open"
    UPHELD = "upheld"  # the line was not theirs, and has ended
    REJECTED = "rejected"


class Means(StrEnum):
    """How the principal showed who they are."""

    SESSION = "session"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Repudiation:
    """One dispute of one line."""

    repudiation_id: str
    line_id: str
    operator: str
    subject: str
    means: Means
    state: RepudiationState
    stated_at: datetime
    decided_at: datetime | None = None
    decided_by: str | None = None


@dataclass(frozen=True, slots=True)
class CodeGiven:
    """What is known of a one-time code that was given."""

    right: bool
    attempts: int  # wrong ones before this


@dataclass(frozen=True, slots=True)
class RepudiationFacts:
    """What a repudiation is decided on."""

    operator: str
    line_id: str
    holder: str
    line_ended: bool
    registered_at: datetime
    role: RepresentativeRole | None  # of who acted at the registration
    former: Repudiation | None = None
    session: ProvenSession | None = None
    session_named: bool = False
    code: CodeGiven | None = None


@dataclass(frozen=True, slots=True)
class LineRepudiated:
    """The line is stopped and its evidence sealed until the dispute is decided."""

    repudiation: Repudiation
    evidence: tuple[str, ...] = field(default=())
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class RepudiationRefused:
    """Nothing was changed, for all these reasons."""

    refusals: tuple[Refusal, ...]
