"""Sessions, challenges and decisions in the database. All SQL of identity proofing is here.

No name, number, image or embedding is in these tables: evidence is figures, a person is a keyed pseudonym.
The digits of a challenge are kept so that new ones stay far from old ones.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.identity_proofing.model.challenge import Challenge, ChallengeRecord
from shiming.identity_proofing.model.evidence import Evidence
from shiming.identity_proofing.model.figures import RouteOutcome
from shiming.identity_proofing.model.review import WaitingSession
from shiming.identity_proofing.model.session import EvidenceKind, Session, SessionState
from shiming.identity_proofing.rules.challenge_document import challenge_content
from shiming.identity_proofing.rules.deadlines import Deadlines
from shiming.identity_proofing.rules.recorded_evidence import evidence_from_json, evidence_to_json
from shiming.identity_proofing.rules.vouching import Voucher
from shiming.infrastructure.canonical_json import canonical_bytes, content_hash
from shiming.infrastructure.tables import UtcInstant, schema
from shiming.jurisdictions.model import Channel, Route
from shiming.vocabulary.errors import BadInput, Text

RECENT_CHALLENGES = 200  # enough to keep new digits away from those of the last minutes


_sessions = sa.Table(
    "proofing_sessions",
    schema,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("pack_id", sa.String(60), nullable=False),
    sa.Column("pack_version", sa.String(40), nullable=False),
    sa.Column("pack_hash", sa.String(80), nullable=False),
    sa.Column("channel", sa.String(20), nullable=False),
    sa.Column("route", sa.String(20), nullable=False),
    sa.Column("category", sa.String(60), nullable=False),
    sa.Column("operator", sa.String(60)),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("opened_at", UtcInstant, nullable=False),
    sa.Column("expires_at", UtcInstant, nullable=False),
    sa.Column("progress", sa.Text, nullable=False),  # attempts and fingerprints, JSON
    sa.Column("evidence", sa.Text),  # figures, JSON
    sa.Column("subject", sa.String(100), index=True),  # keyed pseudonym
    sa.Column("outcome", sa.String(20)),
    sa.Column("level", sa.String(60)),
    sa.Column("challenge_origin", sa.String(10)),
    sa.Column("decided_at", UtcInstant),
    sa.Column("receipt", sa.Text),  # RFC 8785 JSON
    sa.Column("receipt_hash", sa.String(80)),
    sa.Column("consumed_by", sa.String(60)),
    sa.Column("vouched_at", UtcInstant),  # served an applicant's session as its referee
    sa.Column("majority_on", sa.Date),  # of a minor: the day of coming of age
    sa.Column("document_expires_on", sa.Date),
    sa.Column("waiting_since", UtcInstant, index=True),  # people have to look; NULL once it is decided
)

_challenges = sa.Table(
    "proofing_challenges",
    schema,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("session_id", sa.String(40), sa.ForeignKey("proofing_sessions.id"), nullable=False),
    sa.Column("content_hash", sa.String(80), nullable=False),
    sa.Column("digits", sa.String(12), nullable=False),
    sa.Column("drawn_at", UtcInstant, nullable=False, index=True),
    sa.Column("used_at", UtcInstant),
)


@dataclass(frozen=True, slots=True)
class DecidedSession:
    """How a session ended, as registration needs to know it."""

    session_id: str
    outcome: str | None
    level: str | None
    subject: str | None
    operator: str | None
    decided_at: datetime | None
    challenge_origin: str | None
    receipt_hash: str | None
    receipt: Mapping[str, Any] | None
    consumed_by: str | None


def add_session(connection: Connection, session: Session, operator: str | None) -> None:
    """Insert a new session."""
    connection.execute(_sessions.insert().values(id=session.id, operator=operator, **_columns(session)))


def save_session(connection: Connection, session: Session) -> None:
    """Write a session's state back."""
    connection.execute(_sessions.update().where(_sessions.c.id == session.id).values(**_columns(session)))


def go_on_with(connection: Connection, session: Session, operator: str | None) -> None:
    """Go on with a session, perhaps on another route, for this operator."""
    mine = _sessions.c.id == session.id
    connection.execute(_sessions.update().where(mine).values(operator=operator, **_columns(session)))


def get_session(connection: Connection, session_id: str) -> Session:
    """Return a session; raise BadInput for one that does not exist."""
    row = _row(connection, session_id)
    progress = json.loads(row.progress)
    return Session(
        id=row.id,
        pack_id=row.pack_id,
        pack_version=row.pack_version,
        pack_hash=row.pack_hash,
        channel=Channel(row.channel),
        route=Route(row.route),
        subject=row.category,
        opened_at=row.opened_at,
        expires_at=row.expires_at,
        state=SessionState(row.state),
        attempts={EvidenceKind(kind): count for kind, count in progress["attempts"].items()},
        fingerprints={EvidenceKind(kind): mark for kind, mark in progress["fingerprints"].items()},
        authority_asked=progress["authority_asked"],
        routes=tuple(Route(route) for route in progress.get("routes", ())),
        waiting_since=row.waiting_since,
    )


def find_evidence(connection: Connection, session_id: str) -> Evidence | None:
    """Return the figures recorded so far; None before the first."""
    row = _row(connection, session_id)
    return evidence_from_json(json.loads(row.evidence)) if row.evidence else None


def save_evidence(connection: Connection, evidence: Evidence) -> None:
    """Replace the figures of a session."""
    text = canonical_bytes(evidence_to_json(evidence)).decode()
    connection.execute(_sessions.update().where(_sessions.c.id == evidence.session_id).values(evidence=text))


def save_decision(
    connection: Connection, session_id: str, receipt: Mapping[str, Any], decided_at: datetime
) -> None:
    """Record how a session was decided, with its receipt."""
    decision, challenge = receipt["decision"], receipt["challenge"] or {}
    connection.execute(
        _sessions.update()
        .where(_sessions.c.id == session_id)
        .values(
            subject=receipt["subject"],
            outcome=decision["outcome"],
            level=decision["level"],
            challenge_origin=challenge.get("origin"),
            decided_at=decided_at,
            receipt=canonical_bytes(dict(receipt)).decode(),
            receipt_hash=content_hash(dict(receipt)),
        )
    )


def save_deadlines(connection: Connection, session_id: str, deadlines: Deadlines) -> None:
    """Record the days on which this proof stops being good enough."""
    connection.execute(
        _sessions.update()
        .where(_sessions.c.id == session_id)
        .values(majority_on=deadlines.majority_on, document_expires_on=deadlines.document_expires_on)
    )


def find_decided_session(connection: Connection, session_id: str) -> DecidedSession | None:
    """Return how a session ended; None for one that does not exist."""
    row = connection.execute(_sessions.select().where(_sessions.c.id == session_id)).one_or_none()
    if row is None:
        return None
    return DecidedSession(
        session_id=row.id,
        outcome=row.outcome,
        level=row.level,
        subject=row.subject,
        operator=row.operator,
        decided_at=row.decided_at,
        challenge_origin=row.challenge_origin,
        receipt_hash=row.receipt_hash,
        receipt=json.loads(row.receipt) if row.receipt else None,
        consumed_by=row.consumed_by,
    )


def find_voucher(
    connection: Connection, session_id: str, *, since: datetime, applicant: str
) -> Voucher | None:
    """Return the proof of somebody who is to vouch, and how many others they vouched for since then.

    Locks all proofs of this person until the transaction is over, so that two at once count each other.
    """
    c = _sessions.c
    row = connection.execute(_sessions.select().where(c.id == session_id)).one_or_none()
    if row is None:
        return None
    vouched: list[str] = []
    if row.subject is not None:
        mine = sa.select(c.id).where(c.subject == row.subject).order_by(c.id).with_for_update()
        connection.execute(mine).all()
        counted = sa.select(c.consumed_by).where(c.subject == row.subject, c.vouched_at > since)
        vouched = list(connection.execute(counted.where(c.consumed_by != applicant).distinct()).scalars())
        row = connection.execute(_sessions.select().where(c.id == session_id)).one()
    return Voucher(
        session=row.id,
        category=row.category,
        route=Route(row.route),
        operator=row.operator,
        outcome=row.outcome if row.state == SessionState.DECIDED.value else None,
        subject=row.subject,
        proven_at=row.decided_at,
        challenge_origin=row.challenge_origin,
        used_for=row.consumed_by,
        applicants=len(vouched),
    )


def use_up_for_vouching(connection: Connection, session_id: str, applicant: str, at: datetime) -> bool:
    """Let a proof serve an applicant's session as its referee; False when it serves something else."""
    c = _sessions.c
    free = c.consumed_by.is_(None) | (c.consumed_by == applicant)
    done = connection.execute(
        _sessions.update().where(c.id == session_id, free).values(consumed_by=applicant, vouched_at=at)
    )
    return done.rowcount == 1


def list_waiting(
    connection: Connection,
    now: datetime,
    *,
    operator: str | None,
    route: Route | None,
    after: Sequence[Any] | None,
    limit: int,
) -> tuple[WaitingSession, ...]:
    """Return the sessions that people have to look at, the one that waits longest first."""
    c = _sessions.c
    query = _sessions.select().where(c.waiting_since.isnot(None), c.expires_at > now, c.state != "abandoned")
    if operator is not None:
        query = query.where(c.operator == operator)
    if route is not None:
        query = query.where(c.route == route.value)
    if after is not None:
        place = sa.tuple_(sa.literal(after[0], UtcInstant), sa.literal(after[1]))
        query = query.where(sa.tuple_(c.waiting_since, c.id) > place)
    rows = connection.execute(query.order_by(c.waiting_since, c.id).limit(limit))
    return tuple(_waiting(row) for row in rows)


def list_outcomes(
    connection: Connection, *, operator: str | None, opened_from: datetime, ended_by: datetime, limit: int
) -> tuple[RouteOutcome, ...]:
    """Return how sessions with evidence ended, the latest first: no reference, no person."""
    c = _sessions.c
    ended = c.outcome.in_(("Verified", "NotVerified")) & (c.state == SessionState.DECIDED.value)
    query = sa.select(c.route, c.channel, c.outcome, c.state, c.opened_at, c.decided_at).where(
        c.opened_at >= opened_from,
        ended | (c.expires_at <= ended_by) | (c.state == SessionState.ABANDONED.value),
        c.evidence.isnot(None),
    )
    if operator is not None:
        query = query.where(c.operator == operator)
    rows = connection.execute(query.order_by(c.opened_at.desc()).limit(limit))
    return tuple(
        RouteOutcome(
            route=row.route,
            channel=row.channel,
            verified=(row.outcome == "Verified") if row.state == SessionState.DECIDED.value else None,
            seconds=(row.decided_at - row.opened_at).total_seconds()
            if row.state == SessionState.DECIDED.value
            else None,
        )
        for row in rows
    )


def add_challenge(connection: Connection, challenge: Challenge) -> None:
    """Remember a challenge that is given out."""
    connection.execute(
        _challenges.insert().values(
            id=challenge.id,
            session_id=challenge.session_id,
            content_hash=content_hash(challenge_content(challenge)),
            digits=challenge.digits,
            drawn_at=challenge.drawn_at,
        )
    )


def find_challenge(connection: Connection, challenge_id: str) -> ChallengeRecord | None:
    """Return what is remembered of a challenge."""
    row = connection.execute(_challenges.select().where(_challenges.c.id == challenge_id)).one_or_none()
    if row is None:
        return None
    return ChallengeRecord(
        row.id, row.session_id, row.content_hash, row.digits, drawn_at=row.drawn_at, used_at=row.used_at
    )


def use_challenge(connection: Connection, challenge_id: str, at: datetime) -> bool:
    """Mark a challenge as used; False when it was used before. Atomic: two answers cannot both be first."""
    done = connection.execute(
        _challenges.update()
        .where(_challenges.c.id == challenge_id, _challenges.c.used_at.is_(None))
        .values(used_at=at)
    )
    return done.rowcount == 1


def recent_digits(connection: Connection) -> tuple[str, ...]:
    """Return the digits of the latest challenges."""
    query = sa.select(_challenges.c.digits).order_by(_challenges.c.drawn_at.desc()).limit(RECENT_CHALLENGES)
    return tuple(connection.execute(query).scalars())


def _waiting(row: Row[Any]) -> WaitingSession:
    reviews = json.loads(row.evidence).get("reviews", []) if row.evidence else []
    decision = json.loads(row.receipt)["decision"] if row.receipt else {}
    return WaitingSession(
        session_id=row.id,
        operator=row.operator or "",
        channel=Channel(row.channel),
        route=Route(row.route),
        category=row.category,
        waiting_since=row.waiting_since,
        decide_before=row.expires_at,
        looked=len({review["staff"] for review in reviews}),
        reasons=tuple(dict.fromkeys(reason["code"] for reason in decision.get("reasons", []))),
    )


def _columns(session: Session) -> dict[str, Any]:
    progress = {
        "attempts": {kind.value: count for kind, count in session.attempts.items()},
        "fingerprints": {kind.value: mark for kind, mark in session.fingerprints.items()},
        "authority_asked": session.authority_asked,
        "routes": [route.value for route in session.routes],
    }
    return {
        "pack_id": session.pack_id,
        "pack_version": session.pack_version,
        "pack_hash": session.pack_hash,
        "channel": session.channel.value,
        "route": session.route.value,
        "category": session.subject,
        "state": session.state.value,
        "opened_at": session.opened_at,
        "expires_at": session.expires_at,
        "progress": json.dumps(progress),
        "waiting_since": session.waiting_since,
    }


def _row(connection: Connection, session_id: str) -> Row[Any]:
    row = connection.execute(_sessions.select().where(_sessions.c.id == session_id)).one_or_none()
    if row is None:
        raise BadInput(
            "SESSION_UNKNOWN",
            Text(zh="没有这次办理的记录。", en="There is no such session."),
            advice=Text(zh="请核对会话编号。", en="Check the number of the session."),
        )
    return row
