"""One look at evidence in clear, as the person may see it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shiming.privacy.model import EvidenceKind, Purpose


class AccessKind(StrEnum):
    """What somebody did with evidence in clear."""

    READ = "read"
    DISCLOSED = "disclosed"


@dataclass(frozen=True, slots=True)
class Access:
    """One look at one piece of evidence: who, when, why, in which case; `recipient` of a disclosure."""

    access_id: str
    operator: str
    subject: str
    at: datetime
    actor: str
    what: AccessKind
    purpose: Purpose
    case_reference: str
    evidence_id: str
    evidence_kind: EvidenceKind
    visible_from: datetime
    disclosure_id: str | None = None
    recipient: str | None = None
