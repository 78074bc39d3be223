"""What is kept of a person, who may ask for it, and what the ledger answers.

Other features know a person by a keyed pseudonym only. Content never shows itself in `repr`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
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
    SIGNATURE = "signature"
    CONTRACT = "contract"
    IDENTITY_RECORD = "identity_record"
    INSTALL_ADDRESS = "install_address"  # where a fixed line or internet access is, as text
    AUTHORITY_DOCUMENT = "authority_document"  # letter of authority, proof of guardianship


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
class KeyScope:
    """What one data key is for; the case is its generation, because retention ends case by case."""

    subject: str
    purpose: str
    retention_class: str
    case_reference: str
    operator: str


@dataclass(frozen=True, slots=True)
class NewEvidence:
    """What a piece of evidence is, before it is kept."""

    subject: str
    case_reference: str
    kind: EvidenceKind
    purpose: Purpose
    retention_class: RetentionClass
    operator: str = ""
    line_id: str | None = None


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
    operator: str = ""  # "": kept for the platform, no operator yet
    line_id: str | None = None
    data_key_id: str = ""

    @property
    def key_scope(self) -> KeyScope:
        """What the data key of this piece is for."""
        return KeyScope(
            self.subject, self.purpose.value, self.retention_class.value, self.case_reference, self.operator
        )


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
class EvidenceStream:
    """Evidence in clear, piece by piece; each piece is authentic, the whole only after the last."""

    ref: EvidenceRef
    chunks: Iterator[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class StagedEvidence:
    """An encrypted object that lies in its store and has no row yet."""

    ref: EvidenceRef


@dataclass(frozen=True, slots=True)
class EvidenceErased:
    """The data key is destroyed: nobody can read this any more, in no copy."""

    evidence_id: str
    erased_at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class KeyDestroyed:
    """One data key is gone, and with it every piece that it encrypted; the signed receipt says so."""

    data_key_id: str
    pieces: tuple[EvidenceErased, ...]
    receipt_id: str


@dataclass(frozen=True, slots=True)
class KekState:
    """A key-encryption key, whether it wraps new data keys, and how many live ones it wraps now."""

    kek_id: str
    present: bool
    known: bool  # False: data keys need it, but the installation's keys do not hold it
    data_keys: int


@dataclass(frozen=True, slots=True)
class ObjectsSwept:
    """What a sweep of the object store found."""

    orphans_removed: int
    unfinished_removed: int


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
    """Every leaf of every lane is what was written, and the tree and all checkpoints agree with them."""

    leaves: int
    sealed: int = 0


class LedgerFault(StrEnum):
    """What can be wrong with a ledger."""

    LEAF_MISSING = "LEAF_MISSING"
    LEAF_CHANGED = "LEAF_CHANGED"
    LEAF_MOVED = "LEAF_MOVED"
    LEAF_FOREIGN = "LEAF_FOREIGN"
    LEAF_NOT_AS_SEALED = "LEAF_NOT_AS_SEALED"
    HEAD_MISSING = "HEAD_MISSING"
    HEAD_FOREIGN = "HEAD_FOREIGN"
    HEAD_SET_BACK = "HEAD_SET_BACK"
    RUN_CHANGED = "RUN_CHANGED"
    TILE_CHANGED = "TILE_CHANGED"
    BATCH_MISSING = "BATCH_MISSING"
    ROOT_CHANGED = "ROOT_CHANGED"
    CHECKPOINT_FOREIGN = "CHECKPOINT_FOREIGN"
    COSIGNATURE_WRONG = "COSIGNATURE_WRONG"
    KNOWN_CHECKPOINT_CONTRADICTED = "KNOWN_CHECKPOINT_CONTRADICTED"
    KNOWN_LEAF_CONTRADICTED = "KNOWN_LEAF_CONTRADICTED"
    GUARD_MISSING = "GUARD_MISSING"

    @property
    def text(self) -> Text:
        """Say it in words."""
        return _FAULT_TEXTS[self]


@dataclass(frozen=True, slots=True)
class LedgerFinding:
    """One thing that is not what was written: a leaf (`lane-number`) or a part of the tree, and why."""

    at: str
    why: LedgerFault


@dataclass(frozen=True, slots=True)
class LedgerBroken:
    """What is not what was written: the first findings in order, and how many there are in all."""

    findings: tuple[LedgerFinding, ...]
    found: int

    @property
    def at(self) -> str:
        """Where the first finding is."""
        return self.findings[0].at

    @property
    def why(self) -> LedgerFault:
        """What the first finding is."""
        return self.findings[0].why


@dataclass(frozen=True, slots=True)
class LedgerSealed:
    """What one run of the sealer did: leaves and batches it added, and the size of the tree now.

    `stopped` names what it refused to seal: a lane waits there until its leaf is as it was written.
    """

    leaves: int
    batches: int
    size: int
    stopped: tuple[LedgerFinding, ...] = ()


_FAULT_TEXTS = {
    LedgerFault.LEAF_MISSING: Text(zh="此处缺少一条记录。", en="A leaf is missing here."),
    LedgerFault.LEAF_CHANGED: Text(zh="记录内容被改动。", en="The leaf was changed."),
    LedgerFault.LEAF_MOVED: Text(zh="记录不在原来的位置。", en="The leaf is not where it was written."),
    LedgerFault.LEAF_FOREIGN: Text(
        zh="记录不是由本系统写入。", en="The leaf was not written by this installation."
    ),
    LedgerFault.LEAF_NOT_AS_SEALED: Text(
        zh="与封存时的哈希不同，记录或哈希树被改动。",
        en="The tree holds another hash for this leaf: one of the two was changed.",
    ),
    LedgerFault.HEAD_MISSING: Text(zh="通道头记录被删除。", en="The head of the lane is missing."),
    LedgerFault.HEAD_FOREIGN: Text(
        zh="通道头记录不是由本系统写入。", en="The head of the lane was not written by this installation."
    ),
    LedgerFault.HEAD_SET_BACK: Text(
        zh="通道头被回退，其后仍有记录。", en="The head of the lane was set back behind its leaves."
    ),
    LedgerFault.RUN_CHANGED: Text(
        zh="封存区间不连续或被改动。", en="The runs of sealed leaves do not cover the tree."
    ),
    LedgerFault.TILE_CHANGED: Text(zh="哈希树的数据块被改动。", en="A tile of the tree was changed."),
    LedgerFault.BATCH_MISSING: Text(zh="封存批次缺失或被改动。", en="A sealed batch is missing or changed."),
    LedgerFault.ROOT_CHANGED: Text(
        zh="哈希树与检查点的根不符。", en="The tree does not give the root that its checkpoint states."
    ),
    LedgerFault.CHECKPOINT_FOREIGN: Text(
        zh="检查点不是由本系统签署。", en="The checkpoint was not signed by this installation."
    ),
    LedgerFault.COSIGNATURE_WRONG: Text(
        zh="检查点上见证人的签名被改动。",
        en="The checkpoint carries a signature in the name of a witness that does not hold.",
    ),
    LedgerFault.KNOWN_CHECKPOINT_CONTRADICTED: Text(
        zh="与外部保存的检查点不一致，账本曾被回退或重写。",
        en="It contradicts the checkpoint that was kept outside: the ledger was rolled back or rewritten.",
    ),
    LedgerFault.KNOWN_LEAF_CONTRADICTED: Text(
        zh="与外部保存的记录编号不一致，账本曾被回退或重写。",
        en="It contradicts the leaf that was kept outside: the ledger was rolled back or rewritten.",
    ),
    LedgerFault.GUARD_MISSING: Text(
        zh="防止修改的触发器被移除。", en="The triggers that forbid changes were removed."
    ),
}
