"""Sessions that wait for people: the queue, one of them with its figures, a finding, and the decision."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from shiming.identity_proofing import held_pieces, store
from shiming.identity_proofing.checks.recipe import decide_proofing
from shiming.identity_proofing.errors import refused
from shiming.identity_proofing.model.decision import Adjudication
from shiming.identity_proofing.model.evidence import Evidence, StaffReview
from shiming.identity_proofing.model.review import Finding, WaitingSession
from shiming.identity_proofing.model.session import Session
from shiming.identity_proofing.permissions import MayReviewSession
from shiming.identity_proofing.rules.reviewing import (
    enough_for,
    people_who_looked,
    refuse_beside_referee,
    refuse_finding,
)
from shiming.identity_proofing.use_cases import stepwise
from shiming.identity_proofing.use_cases.steps import Decided
from shiming.identity_proofing.use_cases.stepwise import Desk
from shiming.infrastructure.canonical_json import content_hash
from shiming.jurisdictions.model import Policy, Route
from shiming.vocabulary.permissions import asks, inside


@dataclass(frozen=True, slots=True)
class ReviewCase:
    """One session to look at. Who answered what is not shown: each person looks for themselves."""

    session: Session
    operator: str
    policy: Policy
    evidence: Evidence
    adjudication: Adjudication
    pieces: frozenset[str]
    looked: frozenset[str] = field(repr=False)
    decided: store.DecidedSession | None = None

    def looked_already(self, staff: str) -> bool:
        """Say whether this person has answered."""
        return staff in self.looked


@inside("whoever answers is named by the key of the person, not of the account")
def reviewer_of(person_key: str) -> str:
    """Return the name under which a person's finding is kept: the same for all accounts of one person."""
    return content_hash({"person": person_key})[:24]


@asks(MayReviewSession)
def list_waiting(
    connection: Connection,
    now: datetime,
    *,
    operator: str | None,
    route: Route | None = None,
    after: Sequence[Any] | None = None,
    limit: int,
) -> tuple[WaitingSession, ...]:
    """Return the sessions that people have to look at, the one that waits longest first."""
    return store.list_waiting(connection, now, operator=operator, route=route, after=after, limit=limit)


@asks(MayReviewSession)
def review_case(desk: Desk, connection: Connection, session_id: str) -> ReviewCase:
    """Return a session with its figures as the rules see them now; SESSION_UNKNOWN for one without any."""
    session = store.get_session(connection, session_id)
    evidence = store.find_evidence(connection, session_id)
    decided = store.find_decided_session(connection, session_id)
    if evidence is None or decided is None:
        raise refused("REVIEW_NOT_AWAITED")
    policy = desk.policies(session.pack_id, desk.on)
    return ReviewCase(
        session=session,
        operator=decided.operator or "",
        policy=policy,
        evidence=evidence,
        adjudication=decide_proofing(evidence, policy),
        pieces=frozenset(held_pieces.list_present(connection, session_id)),
        looked=people_who_looked(evidence.reviews),
        decided=decided if decided.receipt is not None else None,
    )


@asks(MayReviewSession)
def give_finding(desk: Desk, session_id: str, finding: Finding, room: Path) -> Decided | None:
    """Take one person's finding; decide once enough different people have answered. None: others look first.

    `room`: a private folder that is gone afterwards.
    """
    with desk.begin() as connection:
        session = store.get_session(connection, session_id)
        before = store.find_evidence(connection, session_id)
    now, policy = desk.tools.clock.now(), desk.policies(session.pack_id, desk.on)
    referee = before.referee if before else None
    if code := refuse_finding(session, finding, now) or refuse_beside_referee(
        session, finding.staff, referee, policy
    ):
        raise refused(code)
    review = StaffReview(
        finding.staff, finding.same_person, finding.document_genuine, now, finding.ground.value
    )
    stepwise.add_review(desk, session_id, review)
    with desk.begin() as connection:
        evidence = store.find_evidence(connection, session_id)
    if evidence is None or not enough_for(evidence, policy):
        return None
    return stepwise.decide(desk, session_id, room)
