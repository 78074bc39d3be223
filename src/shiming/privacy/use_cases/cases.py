"""Keep what one decided case leaves behind: the identity record and the files it was proven with.

Each piece is kept once, however often the case is decided (a review, a late answer of the authority), and
a class whose time is over at the decision is never stored at all.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.engine import Connection

from shiming.jurisdictions.model import RetentionPolicy
from shiming.privacy.model import (
    EvidenceKind,
    EvidenceRef,
    IdentityRecord,
    NewEvidence,
    Purpose,
    RetentionClass,
    RetentionEvents,
)
from shiming.privacy.rules.retention import decide_retention_end
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.privacy.use_cases.vault import (
    list_metadata,
    put_evidence_stream,
    put_identity,
    start_retention_clocks,
)
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import inside

RETENTION_CLASS_OF = {
    EvidenceKind.DOCUMENT_FRONT: RetentionClass.DOCUMENT_IMAGES,
    EvidenceKind.DOCUMENT_BACK: RetentionClass.DOCUMENT_IMAGES,
    EvidenceKind.PORTRAIT: RetentionClass.PORTRAIT,
    EvidenceKind.CLIP: RetentionClass.CLIP,
    EvidenceKind.AUDIO: RetentionClass.AUDIO,
    EvidenceKind.SIGNATURE: RetentionClass.IDENTITY,
    EvidenceKind.CONTRACT: RetentionClass.IDENTITY,
    EvidenceKind.IDENTITY_RECORD: RetentionClass.IDENTITY,
    EvidenceKind.INSTALL_ADDRESS: RetentionClass.IDENTITY,
    EvidenceKind.AUTHORITY_DOCUMENT: RetentionClass.IDENTITY,
}


@inside("a decision keeps its evidence in its own transaction")
def keep_case(
    tools: PrivacyTools,
    connection: Connection,
    *,
    subject: str,
    case_reference: str,
    identity: IdentityRecord,
    files: Mapping[EvidenceKind, Path],
    retention: RetentionPolicy,
    decided_at: datetime,
    operator: str = "",
    pending: bool = False,
) -> tuple[EvidenceRef, ...]:
    """Keep the identity and the files of a case in the caller's transaction; return what was added.

    `pending`: a person still has to review the case, so no clock starts and the clip is there to be seen. The
    final decision then starts the clocks of everything that the case has.
    """
    decision = None if pending else decided_at
    kept = {ref.kind for ref in list_metadata(connection, case_reference=case_reference)}
    added = []
    if EvidenceKind.IDENTITY_RECORD not in kept:
        added.append(
            put_identity(
                tools,
                connection,
                subject=subject,
                case_reference=case_reference,
                identity=identity,
                retention=retention,
                now=decided_at,
                operator=operator,
            )
        )
    for kind, path in files.items():
        new = NewEvidence(
            subject, case_reference, kind, Purpose.REGISTRATION, RETENTION_CLASS_OF[kind], operator
        )
        if kind in kept or _is_over(new.retention_class, retention, decision):
            continue
        with _opened(path) as source:
            added.append(
                put_evidence_stream(
                    tools,
                    connection,
                    new,
                    source=source,
                    retention=retention,
                    now=decided_at,
                    decided_at=decision,
                )
            )
    if kept and not pending:
        events = RetentionEvents(decided_at=decided_at)
        start_retention_clocks(connection, case_reference=case_reference, retention=retention, events=events)
    return tuple(added)


def _is_over(
    retention_class: RetentionClass, retention: RetentionPolicy, decided_at: datetime | None
) -> bool:
    end = decide_retention_end(retention_class, retention, RetentionEvents(decided_at=decided_at))
    return end is not None and decided_at is not None and end <= decided_at


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as problem:
        raise BadInput(
            "EVIDENCE_UNREADABLE",
            Text(zh="材料文件无法读取。", en="A file of the evidence cannot be read."),
            Text(zh="请检查文件后重试。", en="Check the file, then try again."),
            {"reason": problem.strerror or type(problem).__name__},
        ) from problem
