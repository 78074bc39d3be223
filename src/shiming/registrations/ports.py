"""What registration asks of others."""

from typing import Protocol

from sqlalchemy.engine import Connection

from shiming.registrations.model import ProvenSession


class ProvenSessions(Protocol):
    """Knows how proofing sessions ended."""

    def get(self, connection: Connection, session_id: str) -> ProvenSession | None:
        """Return the session, read in the caller's transaction; None when there is none."""
        ...

    def consume(self, connection: Connection, session_id: str, *, by: str) -> bool:
        """Mark the session as used up by a line; False when it was used up before."""
        ...
