"""A session step by step, over several requests: each upload is measured, then taken in, then decided on.

Measuring takes seconds and happens outside of any transaction; taking in is one short transaction. What the
decision needs of an upload is held encrypted until then (`held_pieces`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from shiming.identity_proofing import held_pieces, store
from shiming.identity_proofing.errors import refused
from shiming.identity_proofing.held_forms import identity_of, image_bytes, image_of
from shiming.identity_proofing.model.challenge import Challenge
from shiming.identity_proofing.model.claimed_identity import ClaimedIdentity, DeclaredIdentity
from shiming.identity_proofing.model.evidence import (
    AuthorityAnswer,
    AuthorityEvidence,
    ChallengeEvidence,
    Evidence,
    StaffReview,
)
from shiming.identity_proofing.model.session import EvidenceKind, Session, StepRefused
from shiming.identity_proofing.permissions import MayConductSession, MayDecideSession, MayReadSession
from shiming.identity_proofing.rules.challenge_document import challenge_content
from shiming.identity_proofing.rules.sessions import attempts_max
from shiming.identity_proofing.use_cases import measuring, steps
from shiming.identity_proofing.use_cases.card_photos import (
    IDENTITY,
    PORTRAIT,
    beside_reading,
    reading_before,
    replaced_by_photo,
    require_same_reading,
)
from shiming.identity_proofing.use_cases.challenges import (
    read_challenge,
    receive_challenge,
    require_live_evidence,
)
from shiming.identity_proofing.use_cases.desk import (
    Desk,
    going_on,
    held_image,
    held_of,
    require_step,
    step_of,
    take_in,
)
from shiming.identity_proofing.use_cases.steps import Decided, Step
from shiming.infrastructure.canonical_json import content_hash
from shiming.jurisdictions.model import Policy
from shiming.recognition.measurements import Image
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import asks

__all__ = [
    "FILES",
    "Desk",
    "SessionStatus",
    "add_review",
    "decide",
    "session_status",
    "take_clip",
    "take_digits",
    "take_document",
]
FILES = ("document", "document_back", "clip", "digits")
_BEST_FRAME = "best_frame"
_ANSWERED = frozenset(AuthorityAnswer) - {AuthorityAnswer.UNREACHABLE, AuthorityAnswer.NOT_ASKED}


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """How a session stands. `left`: attempts that remain of each kind."""

    session: Session
    operator: str
    evidence: Evidence | None
    decided: store.DecidedSession
    left: Mapping[EvidenceKind, int] = field(default_factory=dict)


@asks(MayReadSession)
def session_status(desk: Desk, connection: Connection, session_id: str) -> SessionStatus:
    """Return how a session stands; raise BadInput (SESSION_UNKNOWN) for one that is not there."""
    session = store.get_session(connection, session_id)
    decided = store.find_decided_session(connection, session_id)
    if decided is None:  # pragma: no cover - the row was read a line above
        raise refused("SESSION_CLOSED")
    policy = desk.policies(session.pack_id, desk.on)
    left = {kind: max(0, attempts_max(policy, kind) - session.attempts_at(kind)) for kind in EvidenceKind}
    evidence = store.find_evidence(connection, session_id)
    return SessionStatus(session, decided.operator or "", evidence, decided, left)


@asks(MayConductSession)
def take_document(
    desk: Desk, session_id: str, front: Path, back: Path | None, declared: DeclaredIdentity
) -> Session:
    """Measure a document and take it in."""
    session, policy = going_on(desk, session_id)
    require_step(desk, session, policy, EvidenceKind.DOCUMENT, measuring.fingerprint(front, back))
    measured = measuring.measure_document(desk.tools, front, back, declared, desk.on)
    pieces: dict[str, bytes | Path] = {"document": front}
    if back is not None:
        pieces["document_back"] = back
    reading = reading_before(desk, session_id)
    measured, read_of_it = beside_reading(measured, declared, reading)
    pieces |= read_of_it

    def take(step: Step) -> Session | StepRefused:
        require_same_reading(step, reading)
        held_pieces.drop_present(step.connection, session_id, *FILES[:2], *replaced_by_photo(reading))
        return steps.submit_document(step, measured)

    return take_in(desk, session, policy, pieces, take)


@asks(MayConductSession)
def take_clip(
    desk: Desk, session_id: str, clip: Path, document: Mapping[str, Any], *, digits_spoken_in_clip: bool
) -> Session:
    """Measure a live clip that answers a challenge, compare its face with the document's, take both in."""
    session, policy = going_on(desk, session_id)
    require_live_evidence(policy, session.channel, session.route)
    challenge, received_at = _challenge(desk, document, policy)
    mark = measuring.fingerprint(clip)
    require_step(desk, session, policy, EvidenceKind.CLIP, f"{mark}/{challenge.id}")
    measured = measuring.measure_clip(desk.tools, clip)
    portrait = held_image(desk, session_id, PORTRAIT)
    votes = measuring.compare_clip_with_portrait(desk.tools, measured, portrait)
    spoken_in = clip if digits_spoken_in_clip and measured.evidence.has_audio else None
    digits = measuring.measure_digits(desk.tools, challenge, None, spoken_in, None)
    pieces: dict[str, bytes | Path] = {"clip": clip}
    if measured.best_frame is not None:
        pieces[_BEST_FRAME] = image_bytes(measured.best_frame)

    def take(step: Step) -> Session | StepRefused:
        answered = _answered(step, challenge, EvidenceKind.CLIP, mark, received_at)
        held_pieces.drop_present(step.connection, session_id, "clip", _BEST_FRAME)
        taken = steps.submit_clip(step, measured, votes, answered)
        if spoken_in is not None and not isinstance(taken, StepRefused):
            return steps.submit_digits(step, digits, answered, mark)
        return taken

    return take_in(desk, session, policy, pieces, take)


@asks(MayConductSession)
def take_digits(
    desk: Desk, session_id: str, audio: Path | None, tapped: str | None, document: Mapping[str, Any]
) -> Session:
    """Measure a recording of the digits, or compare the digits tapped, and take them in."""
    session, policy = going_on(desk, session_id)
    require_live_evidence(policy, session.channel, session.route)
    challenge, received_at = _challenge(desk, document, policy)
    mark = measuring.fingerprint(audio) + (content_hash({"tapped": tapped}) if tapped else "")
    require_step(desk, session, policy, EvidenceKind.DIGITS, f"{mark}/{challenge.id}")
    digits = measuring.measure_digits(desk.tools, challenge, audio, None, tapped)

    def take(step: Step) -> Session | StepRefused:
        answered = _answered(step, challenge, EvidenceKind.DIGITS, mark, received_at)
        held_pieces.drop_present(step.connection, session_id, "digits")
        return steps.submit_digits(step, digits, answered, mark)

    return take_in(desk, session, policy, {"digits": audio} if audio else {}, take)


@asks(MayDecideSession)
def add_review(desk: Desk, session_id: str, review: StaffReview) -> Session:
    """Record what a member of staff found by eye."""
    session, policy = going_on(desk, session_id)

    def take(step: Step) -> Session | StepRefused:
        steps.submit_review(step, review)
        return store.get_session(step.connection, session_id)

    return take_in(desk, session, policy, {}, take)


@asks(MayDecideSession)
def decide(desk: Desk, session_id: str, room: Path) -> Decided:
    """Ask the authority and decide on what was handed in; `room`: a private folder that is gone afterwards.

    (1) the session is open and has a document  (2) the authority is asked, unless it answered for this very
    evidence  (3) in one transaction the session is decided and what the law wants kept is kept
    (4) once the decision is final, what was held is unreadable and removed
    """
    session, policy = going_on(desk, session_id)
    held = held_of(desk, session_id, (IDENTITY, _BEST_FRAME, *FILES))
    if IDENTITY not in held:
        raise refused("STEP_OUT_OF_ORDER")
    identity = identity_of(b"".join(held.pop(IDENTITY)))
    best_frame = image_of(b"".join(held.pop(_BEST_FRAME))) if _BEST_FRAME in held else None
    files = {name: _written(room / f"held-{name}", chunks) for name, chunks in held.items()}
    authority = _authority(desk, session, policy, identity, best_frame)
    with desk.begin() as connection:
        step = step_of(desk, connection, session_id, policy)
        _same_as_before(step, session)
        steps.record_authority(step, authority)
        decided = steps.decide_session(step, identity, files)
        if decided.session.state.is_final:
            held_pieces.destroy_key(connection, session_id)
    if decided.session.state.is_final:
        held_pieces.remove_pieces(desk.holding, desk.begin, session_id)
    return decided


def _same_as_before(step: Step, seen: Session) -> None:
    """Refuse to decide on evidence that came in while the authority was asked."""
    now = store.get_session(step.connection, seen.id)
    if (now.state, now.fingerprints) != (seen.state, seen.fingerprints):
        raise refused("SESSION_CHANGED")


def _challenge(desk: Desk, document: Mapping[str, Any], policy: Policy) -> tuple[Challenge, datetime]:
    received_at = desk.tools.clock.now()
    challenge = read_challenge(desk.tools, document, policy)
    if challenge.id is None:
        raise BadInput(
            "CHALLENGE_INVALID",
            Text(zh="提示不是由服务器抽取的。", en="This challenge was not drawn by the server."),
            Text(zh="请先抽取提示。", en="Have one drawn: POST .../challenges."),
        )
    return challenge, received_at


def _answered(
    step: Step, challenge: Challenge, kind: EvidenceKind, mark: str, received_at: datetime
) -> ChallengeEvidence:
    """Use a challenge up. Clip and digits may answer it in two requests, each once; all else is a replay."""
    session, evidence = store.get_session(step.connection, step.session_id), step.evidence()
    before, given = evidence.challenge, session.fingerprints.get(kind, "")
    if before is not None and before.id == challenge.id:
        if given == f"{mark}/{challenge.id}":
            return before  # the same request again
        if not given.endswith(f"/{challenge.id}"):
            record = store.find_challenge(step.connection, str(challenge.id))
            altered = record is None or record.content_hash != content_hash(challenge_content(challenge))
            return replace(before, received_at=received_at, altered=before.altered or altered)
    return receive_challenge(step.connection, challenge, step.session_id, received_at)


def _authority(
    desk: Desk, session: Session, policy: Policy, identity: ClaimedIdentity, best_frame: Image | None
) -> AuthorityEvidence:
    with desk.begin() as connection:
        evidence = store.find_evidence(connection, session.id)
    known = evidence.authority if evidence and session.authority_asked else None
    if known is not None and known.answer in _ANSWERED:
        return known
    return measuring.ask_authority(desk.tools, policy, identity, best_frame)


def _written(path: Path, chunks: Iterable[bytes]) -> Path:
    path.touch(mode=0o600)
    with path.open("wb") as file:
        file.writelines(chunks)
    return path
