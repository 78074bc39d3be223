"""Cases of lines that were sold, rented out, lent or resold."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shiming.jurisdictions.model import StopReason


class PrivateTransferKind(StrEnum):
    """What the holder is said to have done with the line."""

    SALE = "sale"
    RENTAL = "rental"
    LENDING = "lending"
    RESALE = "resale"  # of cards or lines as a business


class CaseState(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    ASSESSED = "assessed"
    SANCTIONED = "sanctioned"
    APPEALED = "appealed"  # the sanction holds until the appeal is upheld
    DISMISSED = "dismissed"
    LIFTED = "lifted"


class CaseStep(StrEnum):
    """What can be done with a case."""

    ASSESS = "assess"
    SANCTION = "sanction"
    DISMISS = "dismiss"
    APPEAL = "appeal"
    UPHOLD = "uphold"  # the appeal: everything is lifted
    REJECT = "reject"  # the appeal: the sanction stays


@dataclass(frozen=True, slots=True)
class TransferCase:
    """A case; double reports of one line join it."""

    case_id: str
    line_id: str
    operator: str
    subject: str  # who held the line when the case was opened
    kind: PrivateTransferKind
    state: CaseState
    version: int
    reports: int
    opened_at: datetime
    finding: str | None = None  # a code
    evidence: str | None = None  # reference in the vault of what was looked at
    stop: StopReason | None = None
    citation: str | None = None
    sanctioned_by: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sanction:
    """What follows when a case is proven: why the line is stopped, resting on which provision."""

    stop: StopReason
    citation: str


@dataclass(frozen=True, slots=True)
class Reported:
    """The report is taken in. `joined`: a case of the line ran already."""

    case: TransferCase
    joined: bool = False
