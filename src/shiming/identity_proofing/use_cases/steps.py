"""Take measured evidence into a session, step by step, and decide it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from shiming.identity_proofing import held_pieces, store
from shiming.identity_proofing.checks.recipe import decide_proofing
from shiming.identity_proofing.model.claimed_identity import ClaimedIdentity
from shiming.identity_proofing.model.decision import (
    Adjudication,
    NeedsReview,
    NotVerified,
    Retry,
    Reviewer,
    Verified,
)
from shiming.identity_proofing.model.evidence import (
    AuthorityEvidence,
    CardReadingEvidence,
    ChallengeEvidence,
    DigitsEvidence,
    Evidence,
    FaceVotes,
    FieldComparison,
    StaffReview,
)
from shiming.identity_proofing.model.session import (
    AuthorityAsked,
    DecisionTaken,
    EvidenceGiven,
    EvidenceKind,
    Session,
    SessionEvent,
    StepRefused,
)
from shiming.identity_proofing.receipts.issuing import issue_receipt
from shiming.identity_proofing.rules.card_reading import BETWEEN
from shiming.identity_proofing.rules.deadlines import deadlines_of
from shiming.identity_proofing.rules.sessions import decide_step
from shiming.identity_proofing.use_cases.measuring import MeasuredClip, MeasuredDocument
from shiming.identity_proofing.use_cases.tools import ProofingTools
from shiming.infrastructure.canonical_json import content_hash
from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import Policy
from shiming.vocabulary.permissions import inside

_STEP = inside("taken by `prove` and by the steps of `stepwise`, which ask")


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision on a session, with the receipt that was recorded."""

    session: Session
    adjudication: Adjudication
    receipt: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """Where a step happens: one session, one transaction, one policy, one day."""

    tools: ProofingTools
    connection: Connection
    policy: Policy
    session_id: str
    on: date

    def take(self, event: SessionEvent) -> Session | StepRefused:
        """Apply an event to the session and save what it becomes."""
        session = store.get_session(self.connection, self.session_id)
        result = decide_step(session, event, self.policy, self.tools.clock.now())
        store.save_session(self.connection, result.session if isinstance(result, StepRefused) else result)
        return result

    def evidence(self) -> Evidence:
        """Return the figures so far, or an empty record."""
        session = store.get_session(self.connection, self.session_id)
        found = store.find_evidence(self.connection, self.session_id)
        fresh = Evidence(session.id, session.channel, session.route, session.subject, self.on)
        return replace(found or fresh, attempts=session.attempts, route=session.route, on=self.on)

    def record(self, **parts: Any) -> None:
        """Add figures to the session's record."""
        store.save_evidence(self.connection, replace(self.evidence(), **parts))


@_STEP
def submit_document(step: Step, document: MeasuredDocument) -> Session | StepRefused:
    """Take a document in. Attempts used up: the new one is not looked at.

    What was found by comparing people with another document does not carry over to this one.
    """
    before = store.get_session(step.connection, step.session_id).fingerprints.get(EvidenceKind.DOCUMENT)
    taken = step.take(EvidenceGiven(EvidenceKind.DOCUMENT, document.fingerprint))
    if before != document.fingerprint:
        step.record(face_clip_document=None, authority=None, reviews=(), referee=None)
    if isinstance(taken, StepRefused):
        step.record(document=None)
    else:
        step.record(document=document.evidence, comparisons=document.comparisons)
    return taken


@_STEP
def submit_card_reading(
    step: Step, reading: CardReadingEvidence, comparisons: tuple[FieldComparison, ...]
) -> Session | StepRefused:
    """Take a reading of the chip in. The same card again, by the same decoder, changes nothing.

    What was found by comparing people with another card does not carry over to this one.
    """
    mark = f"{reading.block_hash}/{reading.decoder}"
    before = store.get_session(step.connection, step.session_id).fingerprints.get(EvidenceKind.CARD_READING)
    taken = step.take(EvidenceGiven(EvidenceKind.CARD_READING, mark))
    if isinstance(taken, StepRefused) or before == mark:
        return taken
    evidence = step.evidence()
    others = tuple(each for each in evidence.comparisons if each.between != BETWEEN)
    chips = (reading, evidence.card_reading)
    votes = None if any(chip and chip.portrait_present for chip in chips) else evidence.face_clip_document
    step.record(
        card_reading=reading,
        comparisons=(*others, *comparisons),
        face_clip_document=votes,
        authority=None,
        reviews=(),
        referee=None,
    )
    return taken


@_STEP
def submit_clip(
    step: Step, clip: MeasuredClip, votes: FaceVotes | None, challenge: ChallengeEvidence
) -> Session | StepRefused:
    """Take a live clip in, with the challenge it answers; an old clip for a new challenge is an attempt."""
    before = store.get_session(step.connection, step.session_id).fingerprints.get(EvidenceKind.CLIP)
    taken = step.take(EvidenceGiven(EvidenceKind.CLIP, f"{clip.fingerprint}/{challenge.id}"))
    if before not in {None, f"{clip.fingerprint}/{challenge.id}"}:
        step.record(reviews=())  # what people found in another clip does not carry over
    if isinstance(taken, StepRefused):
        step.record(clip=None, face_clip_document=None, challenge=challenge)
    else:
        step.record(clip=clip.evidence, face_clip_document=votes, challenge=challenge)
    return taken


@_STEP
def submit_digits(
    step: Step, digits: DigitsEvidence | None, challenge: ChallengeEvidence, fingerprint: str
) -> Session | StepRefused:
    """Take digits in; not having heard any is an attempt too."""
    taken = step.take(EvidenceGiven(EvidenceKind.DIGITS, f"{fingerprint}/{challenge.id}"))
    step.record(digits=None if isinstance(taken, StepRefused) else digits, challenge=challenge)
    return taken


@_STEP
def submit_review(step: Step, review: StaffReview) -> None:
    """Record what one member of staff found; the same one again replaces their finding."""
    others = tuple(each for each in step.evidence().reviews if each.staff != review.staff)
    step.record(reviews=(*others, review))
    facts: dict[str, str | int | bool | None] = {
        "session": step.session_id,
        "staff": review.staff,
        "same_person": review.same_person,
        "document_genuine": review.document_genuine,
        "ground": review.ground,
    }
    operator, now = _operator(step), step.tools.clock.now()
    step.tools.record(step.connection, kind="proofing.reviewed", facts=facts, operator=operator)
    told: dict[str, str | int | bool | None] = {
        "session": step.session_id,
        "looked": len(others) + 1,
    }  # who found what is nobody else's matter
    emit(step.connection, Event("proofing.reviewed", step.session_id, operator, now, told))


@_STEP
def record_authority(step: Step, answer: AuthorityEvidence) -> Session | StepRefused:
    """Record what the authority said."""
    taken = step.take(AuthorityAsked())
    step.record(authority=answer)
    return taken


@_STEP
def decide_session(
    step: Step, identity: ClaimedIdentity | None, files: Mapping[str, Path] | None = None
) -> Decided:
    """Decide on everything recorded, issue the receipt, and keep what the law wants kept."""
    tools = step.tools
    number = identity.number if identity else None
    subject = tools.pseudonym(identity.document_type, number) if identity and number else None
    evidence = _with_referee_told_apart(step, subject)
    adjudication = decide_proofing(evidence, step.policy)
    now = tools.clock.now()
    receipt = issue_receipt(
        adjudication,
        evidence,
        step.policy,
        subject=subject,
        issued_at=now,
        program=tools.program,
        signer=tools.signer,
    )
    _settle_session(step, adjudication)
    store.save_decision(step.connection, step.session_id, receipt, now)
    if identity is not None:
        store.save_deadlines(step.connection, step.session_id, deadlines_of(identity, step.policy, step.on))
    _record_decision(step, receipt)
    if identity and subject:
        _keep_or_release(step, adjudication, subject, identity, files or {})
    return Decided(store.get_session(step.connection, step.session_id), adjudication, receipt)


def _with_referee_told_apart(step: Step, subject: str | None) -> Evidence:
    """Return the figures, with whether the referee is somebody else: known now that the applicant is."""
    evidence = step.evidence()
    if evidence.referee is None:
        return evidence
    vouching = store.find_decided_session(step.connection, evidence.referee.session)
    theirs = vouching.subject if vouching else None
    other = None if subject is None or theirs is None else theirs != subject
    told = replace(evidence, referee=replace(evidence.referee, other_person=other))
    store.save_evidence(step.connection, told)
    return told


def _settle_session(step: Step, adjudication: Adjudication) -> None:
    """Close the session, leave it open, or leave it waiting for people with all that it holds."""
    decision = adjudication.decision
    for_people = isinstance(decision, NeedsReview) and decision.by_whom is Reviewer.STAFF
    final = not isinstance(decision, Retry | NeedsReview)
    taken = step.take(DecisionTaken(final=final, for_people=for_people))
    if for_people and isinstance(taken, Session):
        held_pieces.keep_until(step.connection, taken.id, taken.expires_at)


def _keep_or_release(
    step: Step,
    adjudication: Adjudication,
    subject: str,
    identity: ClaimedIdentity,
    files: Mapping[str, Path],
) -> None:
    if step.tools.keeper is None:
        return
    match adjudication.decision:
        case Verified() | NeedsReview() as decision:
            step.tools.keeper.keep(
                step.connection,
                session_id=step.session_id,
                operator=_operator(step),
                subject=subject,
                identity=identity,
                files=files,
                pending=isinstance(decision, NeedsReview),
            )
        case NotVerified():
            step.tools.keeper.release(step.connection, step.session_id)


def _operator(step: Step) -> str:
    found = store.find_decided_session(step.connection, step.session_id)
    return (found.operator if found else None) or ""


def _record_decision(step: Step, receipt: Mapping[str, Any]) -> None:
    operator = _operator(step)
    facts = {
        "session": step.session_id,
        "outcome": receipt["decision"]["outcome"],
        "level": receipt["decision"]["level"],
        "subject": receipt["subject"],
        "receipt": content_hash(dict(receipt)),
        "pack": step.policy.content_hash,
    }
    step.tools.record(step.connection, kind="proofing.decided", facts=facts, operator=operator)
    told = {name: fact for name, fact in facts.items() if name != "subject"}  # nobody else knows pseudonyms
    emit(
        step.connection,
        Event("proofing.decided", step.session_id, operator, step.tools.clock.now(), told),
    )
