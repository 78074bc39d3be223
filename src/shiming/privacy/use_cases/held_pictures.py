"""A look at one picture of a case that is not decided yet, and so does not lie in the vault.

The same promises as for the vault: one picture, by one account, for one purpose, in one case; the row that
the person can see, the leaf of the ledger and the look are one transaction; what leaves bears operator,
purpose and date (MIIT Order 25, article 9).
"""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.privacy.model import AccessRequest, EvidenceKind, Purpose
from shiming.privacy.rules.access import Access, AccessKind
from shiming.privacy.rules.case_reference import parse_case_reference
from shiming.privacy.rules.watermark import CopyMark, say
from shiming.privacy.rules.watermark_drawing import mark_copy
from shiming.privacy.store import access_log as store
from shiming.privacy.use_cases.copies import Marking, chinese_typeface
from shiming.privacy.use_cases.ledger import record
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.vocabulary.permissions import inside

#: Why somebody may look at what a case holds before it is decided; disclosures are of decided cases only.
HELD_PURPOSES = (Purpose.ASSISTED_REVIEW, Purpose.DISPUTE, Purpose.SUBJECT_ACCESS)


@dataclass(frozen=True, slots=True)
class HeldPicture:
    """One picture that a case holds: `piece` names it, `subject` is the pseudonym of the claimed person."""

    piece: str
    kind: EvidenceKind
    operator: str
    subject: str
    content: bytes = field(repr=False)


@inside("a review opens one picture; it asks MayReviewSession")
def show_held_picture(
    tools: PrivacyTools,
    connection: Connection,
    held: HeldPicture,
    request: AccessRequest,
    marking: Marking,
    *,
    now: datetime,
) -> bytes:
    """Return a marked JPEG copy, with the look on record; use it only after the transaction is committed."""
    case = parse_case_reference(request.case_reference)
    access = Access(
        access_id=tools.new_reference("ACS"),
        operator=held.operator,
        subject=held.subject,
        at=now,
        actor=request.actor,
        what=AccessKind.READ,
        purpose=request.purpose,
        case_reference=case,
        evidence_id=held.piece,
        evidence_kind=held.kind,
        visible_from=now,
    )
    store.insert_access(connection, access)
    record(
        connection,
        tools.keys,
        kind="evidence.read",
        facts={
            "evidence": held.piece,
            "evidence_kind": held.kind.value,
            "subject": held.subject,
            "case": case,
            "actor": request.actor,
            "access_purpose": request.purpose.value,
            "access_case": case,
        },
        now=now,
        operator=held.operator,
    )
    typeface = chinese_typeface()
    mark = CopyMark(
        operator=marking.operator_name,
        operator_code=held.operator,
        purpose=request.purpose,
        on=marking.on,
        case_reference=case,
        recipient=marking.recipient,
    )
    return mark_copy(held.content, say(mark, chinese=typeface is not None), typeface)
