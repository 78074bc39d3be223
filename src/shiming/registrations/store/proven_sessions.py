"""Reading what registration needs of a proofing session, by its reference."""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.tables import UtcInstant
from shiming.registrations.model.registration import ProvenSession

_SESSION = sa.text(
    "SELECT id, outcome, level, subject, operator, decided_at, challenge_origin, receipt_hash, consumed_by "
    "FROM proofing_sessions WHERE id = :session_id"
).columns(decided_at=UtcInstant)


def find_proven_session(connection: Connection, session_id: str) -> ProvenSession | None:
    """Return a session as it was decided; None when there is none."""
    row = connection.execute(_SESSION, {"session_id": session_id}).one_or_none()
    if row is None:
        return None
    decided_at: datetime | None = row.decided_at
    return ProvenSession(
        session_id=row.id,
        outcome=row.outcome or "",
        level=row.level,
        subject=row.subject,
        decided_at=decided_at and decided_at.astimezone(UTC),
        challenge_origin=row.challenge_origin,
        receipt_hash=row.receipt_hash,
        operator=row.operator,
        consumed_by=row.consumed_by,
    )
