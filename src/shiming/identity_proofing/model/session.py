"""A proofing session: which step it stands at, how long it lives, and what was tried already.

    created -> document -> live_evidence -> authority -> decided        side exits: expired, abandoned

A step may be repeated while the pack leaves attempts; the same evidence sent twice counts once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shiming.jurisdictions.model import Channel, Route


class SessionState(StrEnum):
    """Where a session stands: the last step that was taken."""

    CREATED = "created"
    DOCUMENT = "document"
    LIVE_EVIDENCE = "live_evidence"
    AUTHORITY = "authority"
    DECIDED = "decided"
    EXPIRED = "expired"
    ABANDONED = "abandoned"

    @property
    def is_final(self) -> bool:
        """Nothing happens to such a session any more."""
        return self in {SessionState.DECIDED, SessionState.EXPIRED, SessionState.ABANDONED}


class EvidenceKind(StrEnum):
    """What a person may be asked to give, and to give again."""

    CARD_READING = "card_reading"
    DOCUMENT = "document"
    CLIP = "clip"
    DIGITS = "digits"


@dataclass(frozen=True, slots=True)
class Session:
    """One person's attempt to prove who they are. Holds references and counts, nothing personal."""

    id: str
    pack_id: str
    pack_version: str
    pack_hash: str
    channel: Channel
    route: Route
    subject: str
    opened_at: datetime
    expires_at: datetime
    state: SessionState = SessionState.CREATED
    attempts: Mapping[EvidenceKind, int] = field(default_factory=dict)
    fingerprints: Mapping[EvidenceKind, str] = field(
        default_factory=dict
    )  # of the last evidence of each kind
    authority_asked: bool = False
    routes: tuple[Route, ...] = ()  # that were gone before the one of now
    waiting_since: datetime | None = None  # people have to look at it since then

    def attempts_at(self, kind: EvidenceKind) -> int:
        """Return how often different evidence of this kind was given."""
        return self.attempts.get(kind, 0)


@dataclass(frozen=True, slots=True)
class EvidenceGiven:
    """A person handed something in; the fingerprint (a hash) tells a repeated request from a new attempt."""

    kind: EvidenceKind
    fingerprint: str


@dataclass(frozen=True, slots=True)
class AuthorityAsked:
    """The authority was asked, whatever it said."""


@dataclass(frozen=True, slots=True)
class DecisionTaken:
    """A decision was reached; `final` is False for one that asks the person to try again, or `for_people`."""

    final: bool
    for_people: bool = False


@dataclass(frozen=True, slots=True)
class SessionLeft:
    """The person went away."""


SessionEvent = EvidenceGiven | AuthorityAsked | DecisionTaken | SessionLeft


@dataclass(frozen=True, slots=True)
class StepRefused:
    """The event does not fit the session; `code` says why and `session` is what it has become."""

    code: str
    session: Session
