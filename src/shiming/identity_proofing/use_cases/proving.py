"""The whole act in one call: a document, a live clip and digits in, an explained decision out."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from shiming.identity_proofing import store
from shiming.identity_proofing.model.challenge import Challenge
from shiming.identity_proofing.model.claimed_identity import ClaimedIdentity, DeclaredIdentity
from shiming.identity_proofing.model.evidence import (
    AuthorityEvidence,
    DigitsEvidence,
    FaceVotes,
    StaffReview,
)
from shiming.identity_proofing.permissions import MayConductSession, MayDecideSession
from shiming.identity_proofing.rules.sessions import take_route
from shiming.identity_proofing.use_cases.challenges import (
    Application,
    open_session,
    read_challenge,
    receive_challenge,
    require_known,
    require_live_evidence,
)
from shiming.identity_proofing.use_cases.measuring import (
    MeasuredClip,
    MeasuredDocument,
    ask_authority,
    compare_clip_with_document,
    fingerprint,
    measure_clip,
    measure_digits,
    measure_document,
)
from shiming.identity_proofing.use_cases.steps import (
    Decided,
    Step,
    decide_session,
    record_authority,
    submit_clip,
    submit_digits,
    submit_document,
    submit_review,
)
from shiming.identity_proofing.use_cases.tools import ProofingTools
from shiming.jurisdictions.model import Policy
from shiming.vocabulary.permissions import asks

#: Opens a transaction that is committed at its end.
Begin = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class Submission:
    """Everything that one applicant hands in."""

    application: Application
    on: date
    document: Path
    document_back: Path | None = None
    clip: Path | None = None
    challenge: Mapping[str, Any] | None = field(default=None, repr=False)
    digits: Path | None = None
    tapped: str | None = field(default=None, repr=False)
    declared: DeclaredIdentity = field(default_factory=DeclaredIdentity)
    reviews: tuple[StaffReview, ...] = ()
    session_id: str | None = None  # of an earlier attempt; otherwise the challenge's, or a new one

    @property
    def files(self) -> dict[str, Path]:
        """The files handed in, by what they are."""
        named = {
            "document": self.document,
            "document_back": self.document_back,
            "clip": self.clip,
            "digits": self.digits,
        }
        return {name: file for name, file in named.items() if file}


@dataclass(frozen=True, slots=True)
class _Measured:
    document: MeasuredDocument
    clip: MeasuredClip | None
    votes: FaceVotes | None
    digits: DigitsEvidence | None
    authority: AuthorityEvidence


@asks(MayConductSession, MayDecideSession)
def prove(tools: ProofingTools, begin: Begin, submission: Submission, policy: Policy) -> Decided:
    """Prove one person.

    (1) the rules know this channel, route and category  (2) everything is measured and the authority is
    asked, outside of any transaction  (3) in one transaction the challenge is used up, the evidence is
    taken into the session, and the session is decided
    """
    require_known(submission.application, policy)
    if submission.clip or submission.digits or submission.tapped:
        require_live_evidence(policy, submission.application.channel, submission.application.route)
    received_at = tools.clock.now()
    challenge = (
        read_challenge(tools, submission.challenge, policy) if submission.challenge is not None else None
    )
    measured = _measure(tools, submission, challenge, policy)
    with begin() as connection:
        session_id = _session_for(tools, connection, submission, challenge, policy)
        step = Step(tools, connection, policy, session_id, submission.on)
        _take_in(step, submission, challenge, measured, received_at)
        return decide_session(step, measured.document.identity, submission.files)


def _measure(
    tools: ProofingTools, submission: Submission, challenge: Challenge | None, policy: Policy
) -> _Measured:
    document = measure_document(
        tools, submission.document, submission.document_back, submission.declared, submission.on
    )
    clip = measure_clip(tools, submission.clip) if submission.clip else None
    votes = compare_clip_with_document(tools, clip, document) if clip else None
    spoken_in = submission.clip if clip and clip.evidence.has_audio else None
    digits = (
        measure_digits(tools, challenge, submission.digits, spoken_in, submission.tapped)
        if challenge
        else None
    )
    authority = _asked(tools, policy, document.identity, clip)
    return _Measured(document, clip, votes, digits, authority)


def _asked(
    tools: ProofingTools, policy: Policy, identity: ClaimedIdentity, clip: MeasuredClip | None
) -> AuthorityEvidence:
    return ask_authority(tools, policy, identity, clip.best_frame if clip else None)


def _session_for(
    tools: ProofingTools,
    connection: Connection,
    submission: Submission,
    challenge: Challenge | None,
    policy: Policy,
) -> str:
    """Return the session to go on with: the one named, the challenge's, or a new one.

    A session that is closed or too old, or was opened under other rules, is not gone on with.
    """
    wanted = submission.session_id or (challenge.session_id if challenge else None)
    known = wanted is not None and store.find_decided_session(connection, wanted) is not None
    if submission.session_id or known:
        session = store.get_session(connection, str(wanted))
        fits = (session.channel, session.subject, session.pack_hash) == (
            submission.application.channel,
            submission.application.category,
            policy.content_hash,
        )
        if fits and not session.state.is_final and tools.clock.now() < session.expires_at:
            going_on = take_route(session, submission.application.route, policy)
            store.go_on_with(connection, going_on, submission.application.operator)
            return session.id
    return open_session(tools, connection, submission.application, policy).id


def _take_in(
    step: Step,
    submission: Submission,
    challenge: Challenge | None,
    measured: _Measured,
    received_at: datetime,
) -> None:
    submit_document(step, measured.document)
    if challenge is not None:
        asked_in = submission.session_id or challenge.session_id or step.session_id
        answered = receive_challenge(step.connection, challenge, asked_in, received_at)
        if measured.clip is not None:
            submit_clip(step, measured.clip, measured.votes, answered)
        mark = fingerprint(submission.digits or submission.clip) + (submission.tapped or "")
        submit_digits(step, measured.digits, answered, mark)
    for review in submission.reviews:
        submit_review(step, review)
    record_authority(step, measured.authority)
