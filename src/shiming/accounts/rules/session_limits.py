"""How long a sign-in lasts (NIST SP 800-63B-4, section 5.2: within a working day, shorter when idle)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shiming.accounts.model import Session


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """The limits of a session of staff."""

    idle: timedelta = timedelta(minutes=30)  # a counter left alone over lunch is signed out
    absolute: timedelta = timedelta(hours=12)  # one shift


class SessionEnd(StrEnum):
    """Why a session is over."""

    IDLE = "IDLE"
    TOO_OLD = "TOO_OLD"
    REVOKED = "REVOKED"


def decide_session(session: Session, *, policy: SessionPolicy, now: datetime) -> SessionEnd | None:
    """Return why the session is over; None while it lasts."""
    if session.revoked_at is not None:
        return SessionEnd.REVOKED
    if now >= session.created_at + policy.absolute:
        return SessionEnd.TOO_OLD
    return SessionEnd.IDLE if now >= session.last_seen_at + policy.idle else None
