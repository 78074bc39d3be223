"""What may happen to a session, and what it becomes."""

from dataclasses import replace
from datetime import datetime, timedelta

from shiming.identity_proofing.model.session import (
    AuthorityAsked,
    DecisionTaken,
    EvidenceGiven,
    EvidenceKind,
    Session,
    SessionEvent,
    SessionLeft,
    SessionState,
    StepRefused,
)
from shiming.jurisdictions.model import Channel, Policy, Route


def begin_session(
    session_id: str, policy: Policy, *, channel: Channel, route: Route, subject: str, now: datetime
) -> Session:
    """Open a session that lives as long as the policy allows."""
    return Session(
        id=session_id,
        pack_id=policy.pack_id,
        pack_version=policy.pack_version,
        pack_hash=policy.content_hash,
        channel=channel,
        route=route,
        subject=subject,
        opened_at=now,
        expires_at=now + timedelta(minutes=policy.time_limits.session_minutes.value),
    )


def decide_step(
    session: Session, event: SessionEvent, policy: Policy, now: datetime
) -> Session | StepRefused:
    """Say what the session becomes, or why the event does not fit it.

    (1) a closed session stays closed  (2) time runs out  (3) the steps come in their order
    (4) the same evidence again changes nothing  (5) attempts are limited
    """
    if session.state.is_final:
        return StepRefused("SESSION_CLOSED", session)
    if now >= session.expires_at:
        return StepRefused("SESSION_EXPIRED", replace(session, state=SessionState.EXPIRED))
    return _step(session, event, policy, now)


def take_route(session: Session, route: Route, policy: Policy) -> Session:
    """Return the session on another route, which nobody has to give a reason for.

    A route that was not gone before begins with the attempts that the pack gives it, so that nobody is sent
    on a way that is closed already; to go back and forth gives none.
    """
    if route is session.route:
        return session
    gone = tuple(dict.fromkeys((*session.routes, session.route)))
    fresh = policy.attempts.on_other_route
    if fresh is None or route in gone:
        return replace(session, route=route, routes=gone)
    attempts = {
        kind: min(count, max(0, attempts_max(policy, kind) - fresh.value))
        if kind not in {EvidenceKind.CARD_READING, EvidenceKind.DOCUMENT}
        else count
        for kind, count in session.attempts.items()
    }
    return replace(session, route=route, routes=gone, attempts=attempts)


def wait_for_people(session: Session, policy: Policy, now: datetime) -> Session:
    """Return the session as it waits for people to look: it lives until their time is over, once."""
    if session.waiting_since is not None:
        return session
    until = now + timedelta(hours=policy.time_limits.review_hours_max.value)
    return replace(session, waiting_since=now, expires_at=max(session.expires_at, until))


def _step(session: Session, event: SessionEvent, policy: Policy, now: datetime) -> Session | StepRefused:
    match event:
        case SessionLeft():
            return replace(session, state=SessionState.ABANDONED)
        case DecisionTaken():
            return _decided(session, event, policy, now)
        case AuthorityAsked():
            if session.state is SessionState.CREATED:
                return StepRefused("STEP_OUT_OF_ORDER", session)
            return replace(session, state=SessionState.AUTHORITY, authority_asked=True)
    return _evidence_given(session, event, policy)


def _decided(session: Session, event: DecisionTaken, policy: Policy, now: datetime) -> Session:
    if event.for_people:
        return wait_for_people(session, policy, now)
    state = SessionState.DECIDED if event.final else session.state
    return replace(session, state=state, waiting_since=None)


def attempts_max(policy: Policy, kind: EvidenceKind) -> int:
    """Return how often evidence of this kind may be given in one session."""
    limits = {
        EvidenceKind.CARD_READING: policy.attempts.document,
        EvidenceKind.DOCUMENT: policy.attempts.document,
        EvidenceKind.CLIP: policy.attempts.clip,
        EvidenceKind.DIGITS: policy.attempts.digits,
    }
    return limits[kind].value


def _evidence_given(session: Session, event: EvidenceGiven, policy: Policy) -> Session | StepRefused:
    kind = event.kind
    if session.fingerprints.get(kind) == event.fingerprint:
        return session
    of_document = kind in {EvidenceKind.CARD_READING, EvidenceKind.DOCUMENT}
    if not of_document and session.state is SessionState.CREATED:
        return StepRefused("STEP_OUT_OF_ORDER", session)
    if session.attempts_at(kind) >= attempts_max(policy, kind):
        return StepRefused("ATTEMPTS_USED_UP", session)
    return replace(
        session,
        state=SessionState.DOCUMENT if of_document else SessionState.LIVE_EVIDENCE,
        attempts={**session.attempts, kind: session.attempts_at(kind) + 1},
        fingerprints={**session.fingerprints, kind: event.fingerprint},
        authority_asked=session.authority_asked and kind is EvidenceKind.DIGITS,
    )
