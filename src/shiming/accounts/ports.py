"""What accounts need of others."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from sqlalchemy.engine import Connection

Fact = str | int | bool | None


class Record(Protocol):
    """Appends one leaf to the tamper-evident ledger in the caller's transaction."""

    def __call__(
        self,
        connection: Connection,
        *,
        kind: str,
        facts: Mapping[str, Fact],
        now: datetime,
        operator: str = "",
    ) -> object:
        """Record what happened; facts are references, codes, hashes and counts only."""
        ...


class Passwords(Protocol):
    """Hashes passwords slowly."""

    def hash(self, password: str) -> str:
        """Return a hash that carries its own parameters and salt."""
        ...

    def matches(self, stored: str | None, password: str) -> bool:
        """Say whether a password is the stored one; takes as long when there is none stored."""
        ...

    def is_outdated(self, stored: str) -> bool:
        """Say whether a hash was made with weaker parameters than today's."""
        ...
