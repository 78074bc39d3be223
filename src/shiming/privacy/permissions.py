"""What may be asked of privacy; who may do it is decided by `accounts`, and nothing is allowed by default.

`operator` is whose evidence it is about; empty where a question concerns the whole installation.
"""

from dataclasses import dataclass
from typing import ClassVar

from shiming.vocabulary.permissions import Permission


@dataclass(frozen=True, slots=True)
class MayListEvidence(Permission):
    """May somebody see what is kept of a person or a case, without its content?"""

    code: ClassVar[str] = "evidence.list"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayReadEvidence(Permission):
    """May somebody see one piece of evidence in clear, for this purpose, in this case?"""

    code: ClassVar[str] = "evidence.read"
    case_reference: str
    purpose: str
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayReadIdentity(Permission):
    """May somebody see name, number and address in clear, for this purpose, in this case?"""

    code: ClassVar[str] = "identity.read"
    case_reference: str
    purpose: str
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayEraseEvidence(Permission):
    """May somebody destroy the key of one piece of evidence before its time is over?"""

    code: ClassVar[str] = "evidence.erase"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayRequestDisclosure(Permission):
    """May somebody ask for evidence of one person to leave the operator?"""

    code: ClassVar[str] = "disclosures.request"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayApproveDisclosure(Permission):
    """May somebody approve or refuse a disclosure that another person requested?"""

    code: ClassVar[str] = "disclosures.approve"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayExecuteDisclosure(Permission):
    """May somebody draw the copies of an approved disclosure?"""

    code: ClassVar[str] = "disclosures.execute"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayReadDisclosure(Permission):
    """May somebody see requests for disclosure and how far they are?"""

    code: ClassVar[str] = "disclosures.read"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayReadAccessLog(Permission):
    """May somebody see who looked at what is kept of this person?"""

    code: ClassVar[str] = "access_log.read"
    subject: str
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayReadLedger(Permission):
    """May somebody read checkpoints and proofs of the ledger, and verify it?"""

    code: ClassVar[str] = "ledger.read"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayWitnessLedger(Permission):
    """May somebody add a second signature to a checkpoint of the ledger?"""

    code: ClassVar[str] = "ledger.witness"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayRotateKeys(Permission):
    """May somebody change the key-encryption key and re-wrap the data keys?"""

    code: ClassVar[str] = "keys.rotate"
    operator: str = ""
