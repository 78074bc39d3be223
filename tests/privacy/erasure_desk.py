"""Pieces of evidence for tests of erasure: put in, erased, tried to read."""

from shiming.infrastructure.database import unit_of_work
from shiming.privacy.model import (
    AccessRequest,
    EvidenceContent,
    EvidenceKind,
    EvidenceRef,
    Purpose,
    RetentionClass,
)
from shiming.privacy.use_cases.erasure import (
    erase_evidence,
    erasing,
)
from shiming.privacy.use_cases.vault import (
    put_evidence,
    read_evidence,
)
from tests.privacy.builders import NOW, Vault, a_retention_policy

REQUEST = AccessRequest(actor="STF-1", purpose=Purpose.DISPUTE, case_reference="DSP-1")
CLASSES = {
    EvidenceKind.DOCUMENT_FRONT: RetentionClass.DOCUMENT_IMAGES,
    EvidenceKind.DOCUMENT_BACK: RetentionClass.DOCUMENT_IMAGES,
    EvidenceKind.PORTRAIT: RetentionClass.PORTRAIT,
    EvidenceKind.CLIP: RetentionClass.CLIP,
}


def put(
    vault: Vault,
    kind: EvidenceKind = EvidenceKind.DOCUMENT_FRONT,
    *,
    case: str = "SES-1",
    operator: str = "",
    number: str = "11010519491231002X",
    purpose: Purpose = Purpose.REGISTRATION,
) -> EvidenceRef:
    with unit_of_work(vault.engine) as connection:
        return put_evidence(
            vault.tools,
            connection,
            subject=vault.subject(number),
            case_reference=case,
            kind=kind,
            purpose=purpose,
            retention_class=CLASSES[kind],
            content=f"{kind} of {case}".encode(),
            retention=a_retention_policy(),
            now=NOW,
            decided_at=NOW,
            operator=operator,
        )


def erase(vault: Vault, ref: EvidenceRef) -> None:
    with erasing(vault.tools, vault.engine) as connection:
        erase_evidence(vault.tools, connection, ref.evidence_id, why="holder_asked", actor="STF-1", now=NOW)


def readable(vault: Vault, *refs: EvidenceRef) -> list[bool]:
    with unit_of_work(vault.engine) as connection:
        return [
            isinstance(
                read_evidence(vault.tools, connection, ref.evidence_id, REQUEST, now=NOW), EvidenceContent
            )
            for ref in refs
        ]
