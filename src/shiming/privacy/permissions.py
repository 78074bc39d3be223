"""What may be asked of privacy; who may do it is decided by `accounts`, and nothing is allowed by default.

`operator` is whose evidence it is about; empty where a question concerns the whole installation.
"""

from dataclasses import dataclass
from typing import ClassVar

from shiming.vocabulary.permissions import Permission


@dataclass(frozen=True, slots=True)
class MayListEvidence(Permission):
    """Whether somebody may see what is kept of a person or a case, without its content."""

    code: ClassVar[str] = "evidence.list"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayReadEvidence(Permission):
    """Whether somebody may see one piece of evidence in clear, for this purpose, in this case."""

    code: ClassVar[str] = "evidence.read"
    case_reference: str
    purpose: str
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayReadIdentity(Permission):
    """Whether somebody may see name, number and address in clear, for this purpose, in this case."""

    code: ClassVar[str] = "identity.read"
    case_reference: str
    purpose: str
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayEraseEvidence(Permission):
    """Whether somebody may destroy the key of one piece of evidence before its time is over."""

    code: ClassVar[str] = "evidence.erase"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayRequestDisclosure(Permission):
    """Whether somebody may ask for evidence of one person to leave the operator."""

    code: ClassVar[str] = "disclosures.request"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayApproveDisclosure(Permission):
    """Whether somebody may approve or refuse a disclosure that another person requested."""

    code: ClassVar[str] = "disclosures.approve"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayExecuteDisclosure(Permission):
    """Whether somebody may draw the copies of an approved disclosure."""

    code: ClassVar[str] = "disclosures.execute"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayReadDisclosure(Permission):
    """Whether somebody may see requests for disclosure and how far they are."""

    code: ClassVar[str] = "disclosures.read"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayReadAccessLog(Permission):
    """Whether somebody may see who looked at what is kept of this person."""

    code: ClassVar[str] = "access_log.read"
    subject: str
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayReadLedger(Permission):
    """Whether somebody may read checkpoints and proofs of the ledger, and verify it."""

    code: ClassVar[str] = "ledger.read"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayWitnessLedger(Permission):
    """Whether somebody may add a second signature to a checkpoint of the ledger."""

    code: ClassVar[str] = "ledger.witness"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayRotateKeys(Permission):
    """Whether somebody may change the key-encryption key and re-wrap the data keys."""

    code: ClassVar[str] = "keys.rotate"
    operator: str = ""
