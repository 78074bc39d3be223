"""Proofing sessions as registration sees them."""

from sqlalchemy.engine import Connection

from shiming.identity_proofing.store import consume_session, find_decided_session
from shiming.registrations.model import ProvenSession


class StoredSessions:
    """`registrations.ports.ProvenSessions` over the tables of identity proofing, in one transaction."""

    @staticmethod
    def get(connection: Connection, session_id: str) -> ProvenSession | None:
        """Return how the session ended; None for one that does not exist."""
        found = find_decided_session(connection, session_id)
        if found is None:
            return None
        return ProvenSession(
            session_id=found.session_id,
            outcome=found.outcome or "",
            level=found.level,
            subject=found.subject,
            decided_at=found.decided_at,
            challenge_origin=found.challenge_origin,
            receipt_hash=found.receipt_hash,
            operator=found.operator,
            consumed_by=found.consumed_by,
        )

    @staticmethod
    def consume(connection: Connection, session_id: str, *, by: str) -> bool:
        """Use the session up; False when it was used up before."""
        return consume_session(connection, session_id, by)
