"""What billing, or a member of staff who looked at the account, says of it."""

from dataclasses import dataclass
from enum import StrEnum


class Arrears(StrEnum):
    """Whether everything is paid; nobody assumes that it is."""

    SETTLED = "settled"
    OWED = "owed"
    UNKNOWN = "unknown"


class LockIn(StrEnum):
    """Whether a contract binds the line to the operator."""

    NONE = "none"
    BOUND = "bound"
    UNKNOWN = "unknown"


class StandingSource(StrEnum):
    """Who said so."""

    BILLING = "billing"
    ATTESTATION = "attestation"  # of a member of staff, with the reference of what they looked at
    FAKE = "fake"  # rehearsal only
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class AccountStanding:
    """An answer, and where it can be looked up again."""

    arrears: Arrears
    lock_in: LockIn
    source: StandingSource
    reference: str = ""


UNKNOWN_STANDING = AccountStanding(Arrears.UNKNOWN, LockIn.UNKNOWN, StandingSource.NOBODY)
