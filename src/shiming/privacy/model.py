"""What is kept of a person, who may ask for it, and what the ledger answers.

Other features know a person by a keyed pseudonym only. Content never shows itself in `repr`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shiming.vocabulary.errors import Text
from shiming.vocabulary.masking import mask_address, mask_identity_number, mask_name


class EvidenceKind(StrEnum):
    """What a piece of evidence is."""

    DOCUMENT_FRONT = "document_front"
    DOCUMENT_BACK = "document_back"
    PORTRAIT = "portrait"
    CLIP = "clip"
    AUDIO = "audio"
    IDENTITY_RECORD = "identity_record"


class Purpose(StrEnum):
    """Why evidence was collected, or why somebody wants to see it."""

    REGISTRATION = "registration"
    ASSISTED_REVIEW = "assisted_review"
    DISPUTE = "dispute"
    SUBJECT_ACCESS = "subject_access"
    INSPECTION = "inspection"
    LAWFUL_REQUEST = "lawful_request"


class RetentionClass(StrEnum):
    """How long evidence is kept; the names of `jurisdictions.model.RetentionPolicy`."""

    IDENTITY = "identity"
    DOCUMENT_IMAGES = "document_images"
    PORTRAIT = "portrait"
    CLIP = "clip"
    AUDIO = "audio"
    FACE_TEMPLATES = "face_templates"


@dataclass(frozen=True, slots=True)
class RetentionEvents:
    """When the retention clocks of a case started; None for what has not happened."""

    decided_at: datetime | None = None
    service_ended_at: datetime | None = None
    accessed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EvidenceRef:
    """What is known of a piece of evidence without opening it."""

    evidence_id: str
    subject: str
    case_reference: str
    kind: EvidenceKind
    purpose: Purpose
    retention_class: RetentionClass
    bytes_stored: int
    ciphertext_sha256: str
    stored_at: datetime
    retain_until: datetime | None  # None while the clock has not started
    erased_at: datetime | None = None
    erased_why: str | None = None


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """Who wants to see one piece of evidence, why, and in which case. All three are recorded."""

    actor: str
    purpose: Purpose
    case_reference: str


@dataclass(frozen=True, slots=True, repr=False)
class EvidenceContent:
    """Evidence in clear, for the purpose that was recorded."""

    ref: EvidenceRef
    content: bytes

    def __repr__(self) -> str:
        return f"EvidenceContent({self.ref.evidence_id}, {len(self.content)} bytes)"


@dataclass(frozen=True, slots=True)
class EvidenceErased:
    """The data key is destroyed: nobody can read this any more, in no copy."""

    evidence_id: str
    erased_at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class EvidenceUnknown:
    """There never was such evidence."""

    evidence_id: str


@dataclass(frozen=True, slots=True, repr=False)
class IdentityRecord:
    """What the law makes an operator record of a holder (Order 25 art. 9): these four and no more."""

    document_type: str
    number: str
    name: str
    address: str

    def __repr__(self) -> str:
        return f"IdentityRecord({self.masked()})"

    def masked(self) -> dict[str, str]:
        """Return what may be shown."""
        return {
            "document_type": self.document_type,
            "number": mask_identity_number(self.number),
            "name": mask_name(self.name),
            "address": mask_address(self.address),
        }


@dataclass(frozen=True, slots=True, order=True)
class LeafRef:
    """One leaf of the ledger: its lane, its number in the lane, and its hash (RFC 6962, hex)."""

    lane: int
    sequence: int
    hash: str

    @property
    def leaf_id(self) -> str:
        """The name of the leaf, `lane-number`."""
        return f"{self.lane}-{self.sequence}"

    def __str__(self) -> str:
        return f"{self.leaf_id}:{self.hash}"


@dataclass(frozen=True, slots=True)
class LeafDraft:
    """A leaf ready to be written: its bytes and the codes that authenticate it and the head of its lane."""

    ref: LeafRef
    text: str
    mac: str
    head_mac: str
    key_id: str


@dataclass(frozen=True, slots=True)
class LedgerVerified:
    """Every leaf of every lane is what was written."""

    leaves: int


class LedgerFault(StrEnum):
    """What can be wrong with a ledger."""

    LEAF_MISSING = "LEAF_MISSING"
    LEAF_CHANGED = "LEAF_CHANGED"
    LEAF_MOVED = "LEAF_MOVED"
    LEAF_FOREIGN = "LEAF_FOREIGN"
    TAIL_MISSING = "TAIL_MISSING"
    TAIL_ADDED = "TAIL_ADDED"
    HEAD_MISSING = "HEAD_MISSING"
    HEAD_FOREIGN = "HEAD_FOREIGN"
    KNOWN_HEAD_CONTRADICTED = "KNOWN_HEAD_CONTRADICTED"
    GUARD_MISSING = "GUARD_MISSING"

    @property
    def text(self) -> Text:
        """Say it in words."""
        return _FAULT_TEXTS[self]


@dataclass(frozen=True, slots=True)
class LedgerBroken:
    """The first leaf that is not what was written (`lane-number`), and why."""

    at: str
    why: LedgerFault


_FAULT_TEXTS = {
    LedgerFault.LEAF_MISSING: Text(zh="此处缺少一条记录。", en="A leaf is missing here."),
    LedgerFault.LEAF_CHANGED: Text(zh="记录内容被改动。", en="The leaf was changed."),
    LedgerFault.LEAF_MOVED: Text(zh="记录不在原来的位置。", en="The leaf is not where it was written."),
    LedgerFault.LEAF_FOREIGN: Text(
        zh="记录不是由本系统写入。", en="The leaf was not written by this installation."
    ),
    LedgerFault.TAIL_MISSING: Text(zh="末尾的记录被删除。", en="Leaves at the end are missing."),
    LedgerFault.TAIL_ADDED: Text(zh="末尾之后被追加记录。", en="Leaves were added behind the head."),
    LedgerFault.HEAD_MISSING: Text(zh="账本头记录被删除。", en="The head record is missing."),
    LedgerFault.HEAD_FOREIGN: Text(
        zh="账本头记录不是由本系统写入。", en="The head was not written by this installation."
    ),
    LedgerFault.KNOWN_HEAD_CONTRADICTED: Text(
        zh="与外部保存的账本头不一致，账本曾被回退或重写。",
        en="It contradicts the head that was kept outside: the ledger was rolled back or rewritten.",
    ),
    LedgerFault.GUARD_MISSING: Text(
        zh="防止修改的触发器被移除。", en="The triggers that forbid changes were removed."
    ),
}
