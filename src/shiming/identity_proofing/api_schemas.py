"""What the routes of proofing take and show. Nothing of a person is in it; the model stays free to change."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shiming.identity_proofing.model.challenge import Language
from shiming.identity_proofing.model.session import EvidenceKind, Session
from shiming.identity_proofing.receipts.issuing import receipt_hash
from shiming.identity_proofing.use_cases.stepwise import SessionStatus
from shiming.infrastructure.canonical_json import parse_object
from shiming.jurisdictions.model import Channel, Route

Pack = Annotated[
    str,
    Field(pattern=r"^([a-z][a-z0-9_-]{0,39})?$", description="Policy pack; the installation's own if empty."),
]
Operator = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$")]
Outcome = Literal["Verified", "NotVerified", "NeedsReview", "Retry"]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewSession(_Asked):
    """How somebody applies."""

    channel: Channel
    route: Route = Route.STANDARD
    category: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")] = "adult"
    operator: Operator | None = Field(None, description="The caller's own operator if not given.")
    pack: Pack = ""


class NewChallenge(_Asked):
    """Another route may be taken from here on."""

    route: Route | None = None
    language: Language = Language.MANDARIN


class NewReview(_Asked):
    """What was seen by eye."""

    same_person: bool
    document_genuine: bool


class NamedReferee(_Asked):
    """Who vouches, by the reference of the session that proved them."""

    session: Annotated[str, Field(max_length=40, examples=["SES-0082-0C20-A1G7-D"])]


class TextShown(BaseModel):
    """A sentence in both languages."""

    zh: str
    en: str


class StepShown(BaseModel):
    """One gesture and how to ask for it."""

    gesture: str
    instruction: TextShown


class ChallengeDocument(BaseModel):
    """A challenge; it comes back as it is with the clip or the digits that answer it."""

    id: str
    session: str
    origin: str
    route: str
    steps: list[StepShown]
    digits: str
    digits_mode: str
    digits_language: str
    digits_instruction: TextShown
    drawn_at: str
    expires_at: str
    prompts_s: list[float] | None = None


class Attempts(BaseModel):
    """How often evidence of a kind was given, and how often it may still be."""

    given: int
    left: int


class ChallengeAnswered(BaseModel):
    """What was seen of the challenge that was answered last; any of the flags leads to a refusal."""

    id: str | None
    unknown: bool
    altered: bool
    replayed: bool
    of_other_session: bool
    stale: bool


class DecisionMade(BaseModel):
    """The latest decision in short."""

    outcome: Outcome
    level: str | None
    decided_at: datetime | None
    reasons: list[dict[str, Any]]
    receipt_hash: str | None


class SessionShown(BaseModel):
    """How a session stands."""

    id: str
    state: str
    channel: Channel
    route: Route
    category: str
    operator: str | None
    pack: str
    opened_at: datetime
    expires_at: datetime
    attempts: dict[EvidenceKind, Attempts]
    given: list[str]
    challenge: ChallengeAnswered | None
    decision: DecisionMade | None


class DecisionShown(BaseModel):
    """A decision: what it is, why, and what can be done next."""

    session: str
    state: str
    outcome: Outcome
    level: str | None
    reasons: list[dict[str, Any]]
    by_whom: str | None = None
    what: str | None = None
    left: int | None = None
    routes: list[str] = []
    receipt_hash: str


def shown(status: SessionStatus) -> SessionShown:
    """Return what a caller sees of a session."""
    session, evidence = status.session, status.evidence
    present = {
        "card_reading": evidence and evidence.card_reading,
        "document": evidence and evidence.document,
        "document_back": evidence and evidence.document and evidence.document.back,
        "clip": evidence and evidence.clip,
        "digits": evidence and evidence.digits,
    }
    return SessionShown(
        id=session.id,
        state=session.state.value,
        channel=session.channel,
        route=session.route,
        category=session.subject,
        operator=status.operator or None,
        pack=session.pack_id,
        opened_at=session.opened_at,
        expires_at=session.expires_at,
        attempts={
            kind: Attempts(given=session.attempts_at(kind), left=left) for kind, left in status.left.items()
        },
        given=[name for name, found in present.items() if found],
        challenge=_challenge(status),
        decision=_decision(status),
    )


def shown_decision(receipt: Any, session: Session) -> DecisionShown:
    """Return what a caller sees of a decision."""
    return DecisionShown(
        session=session.id,
        state=session.state.value,
        receipt_hash=receipt_hash(receipt),
        **receipt["decision"],
    )


def parse_challenge_part(text: str) -> dict[str, Any]:
    """Read the challenge that came back; raise BadInput for what is no JSON object."""
    return parse_object(text.encode())


def _challenge(status: SessionStatus) -> ChallengeAnswered | None:
    found = status.evidence.challenge if status.evidence else None
    if found is None:
        return None
    return ChallengeAnswered(
        id=found.id,
        unknown=not found.known,
        altered=found.altered,
        replayed=found.used_before,
        of_other_session=found.other_session,
        stale=not found.drawn_at <= found.received_at <= found.expires_at,
    )


def _decision(status: SessionStatus) -> DecisionMade | None:
    decided = status.decided
    if decided.receipt is None:
        return None
    return DecisionMade(
        outcome=decided.receipt["decision"]["outcome"],
        level=decided.level,
        decided_at=decided.decided_at,
        reasons=decided.receipt["decision"]["reasons"],
        receipt_hash=decided.receipt_hash,
    )
