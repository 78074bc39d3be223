"""The evidence vault: put one piece in, read one piece for a recorded purpose.

There is no bulk read, no search and no list of images; `list_metadata` answers for one subject or one
case, without content. Every write, read and erasure is a leaf of the ledger in the same transaction.

The ciphertext is durable in the object store before its row is written. When the transaction then fails,
the ciphertext is left without a row: the sweep of orphans (`sweeping`) removes it.
"""

from dataclasses import asdict, replace
from datetime import datetime

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.canonical_json import canonical_bytes, parse_object
from shiming.infrastructure.database import unit_of_work
from shiming.jurisdictions.model import RetentionPolicy
from shiming.privacy.model import (
    AccessRequest,
    EvidenceContent,
    EvidenceErased,
    EvidenceKind,
    EvidenceRef,
    EvidenceStream,
    EvidenceUnknown,
    IdentityRecord,
    KeyScope,
    NewEvidence,
    Purpose,
    RetentionClass,
    RetentionEvents,
    StagedEvidence,
)
from shiming.privacy.permissions import MayListEvidence, MayReadEvidence, MayReadIdentity
from shiming.privacy.rules.retention import decide_retention_end
from shiming.privacy.store import data_keys as key_store
from shiming.privacy.store import evidence as store
from shiming.privacy.use_cases.data_keys import data_key_of
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.privacy.use_cases.objects import ByteSource, open_object, pieces_of, store_object
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.vocabulary.errors import BadInput, Text, Unavailable
from shiming.vocabulary.permissions import asks, inside

LISTED_MAX = 200  # one subject or one case has a handful


@inside("a decided case or a registration keeps its evidence")
def put_evidence(
    tools: PrivacyTools,
    connection: Connection,
    *,
    subject: str,
    case_reference: str,
    kind: EvidenceKind,
    purpose: Purpose,
    retention_class: RetentionClass,
    content: bytes,
    retention: RetentionPolicy,
    now: datetime,
    decided_at: datetime | None = None,
    operator: str = "",
    line_id: str | None = None,
) -> EvidenceRef:
    """Encrypt and keep one piece of evidence until the end that the policy gives its class."""
    new = NewEvidence(subject, case_reference, kind, purpose, retention_class, operator, line_id)
    key_id, data_key = data_key_of(tools, connection, _scope(new), now=now)
    end = decide_retention_end(retention_class, retention, RetentionEvents(decided_at=decided_at))
    ref = store_object(tools, new, key_id, data_key, (content,), retain_until=end, now=now)
    return keep_staged(tools, connection, StagedEvidence(ref))


@inside("a decided case or a registration keeps its evidence")
def put_evidence_stream(
    tools: PrivacyTools,
    connection: Connection,
    new: NewEvidence,
    *,
    source: ByteSource,
    retention: RetentionPolicy,
    now: datetime,
    decided_at: datetime | None = None,
) -> EvidenceRef:
    """Keep one piece of any length in constant memory. The transaction stays open meanwhile.

    Where that would keep others waiting (SQLite has one writer): `stage_evidence`, then `keep_staged`.
    """
    key_id, data_key = data_key_of(tools, connection, _scope(new), now=now)
    end = decide_retention_end(new.retention_class, retention, RetentionEvents(decided_at=decided_at))
    ref = store_object(tools, new, key_id, data_key, pieces_of(source), retain_until=end, now=now)
    return keep_staged(tools, connection, StagedEvidence(ref))


@inside("an upload is encrypted while it arrives, outside the transaction that decides about it")
def stage_evidence(
    tools: PrivacyTools,
    engine: Engine,
    new: NewEvidence,
    *,
    source: ByteSource,
    retention: RetentionPolicy,
    now: datetime,
    decided_at: datetime | None = None,
) -> StagedEvidence:
    """Encrypt and store one piece without a row, and without a transaction while its bytes flow.

    What is never kept is an orphan, which the sweep removes after a day.
    """
    with unit_of_work(engine) as connection:
        key_id, data_key = data_key_of(tools, connection, _scope(new), now=now)
    end = decide_retention_end(new.retention_class, retention, RetentionEvents(decided_at=decided_at))
    return StagedEvidence(
        store_object(tools, new, key_id, data_key, pieces_of(source), retain_until=end, now=now)
    )


@inside("the second half of putting evidence")
def keep_staged(tools: PrivacyTools, connection: Connection, staged: StagedEvidence) -> EvidenceRef:
    """Write the row of an object that is stored already, and its leaf; Unavailable if its key is gone."""
    ref = staged.ref
    if not key_store.hold_key(connection, ref.data_key_id):
        raise Unavailable(
            "EVIDENCE_ERASED_MEANWHILE",
            Text(zh="材料在保存过程中被销毁。", en="This evidence was erased while it was being stored."),
            Text(zh="请重新提交。", en="Send it again."),
        )
    if ref.retain_until is None:  # a later piece of a case whose clock runs already ends with the others
        ref = replace(ref, retain_until=store.find_retention_of_key(connection, ref.data_key_id))
    store.insert_evidence(connection, ref)
    _record(tools, connection, "evidence.stored", ref, ref.stored_at, ciphertext_sha256=ref.ciphertext_sha256)
    return ref


@inside("a decided case keeps its identity record")
def put_identity(
    tools: PrivacyTools,
    connection: Connection,
    *,
    subject: str,
    case_reference: str,
    identity: IdentityRecord,
    retention: RetentionPolicy,
    now: datetime,
    operator: str = "",
) -> EvidenceRef:
    """Keep name, number and address in the same vault as the images."""
    return put_evidence(
        tools,
        connection,
        subject=subject,
        case_reference=case_reference,
        kind=EvidenceKind.IDENTITY_RECORD,
        purpose=Purpose.REGISTRATION,
        retention_class=RetentionClass.IDENTITY,
        content=canonical_bytes(asdict(identity)),
        retention=retention,
        now=now,
        operator=operator,
    )


@asks(MayReadEvidence)
def read_evidence(
    tools: PrivacyTools, connection: Connection, evidence_id: str, request: AccessRequest, *, now: datetime
) -> EvidenceContent | EvidenceErased | EvidenceUnknown:
    """Return one piece in clear, after recording who reads it, why and in which case.

    The caller uses the content only after its transaction is committed: no record, no reading.
    """
    found = open_evidence(tools, connection, evidence_id, request, now=now)
    if not isinstance(found, EvidenceStream):
        return found
    return EvidenceContent(found.ref, b"".join(found.chunks))


@asks(MayReadEvidence)
def open_evidence(
    tools: PrivacyTools, connection: Connection, evidence_id: str, request: AccessRequest, *, now: datetime
) -> EvidenceStream | EvidenceErased | EvidenceUnknown:
    """Return one piece in clear as a stream of frames, recorded like `read_evidence`."""
    if not request.actor.strip() or not request.case_reference.strip():
        raise BadInput(
            "ACCESS_CASE_MISSING",
            Text(
                zh="读取材料须注明人员和案件编号。",
                en="Evidence is only read by a named person for a case.",
            ),
        )
    ref = store.find_evidence(connection, evidence_id)
    if ref is None:
        return EvidenceUnknown(evidence_id)
    wrapped = key_store.find_wrapped_key(connection, ref.data_key_id)
    if wrapped is None or ref.erased_at is not None:
        return EvidenceErased(evidence_id, ref.erased_at or now, ref.erased_why or "key_destroyed")
    chunks = open_object(tools, ref, tools.keys.unwrap(wrapped))
    _record(
        tools,
        connection,
        "evidence.read",
        ref,
        now,
        actor=request.actor,
        access_purpose=request.purpose.value,
        access_case=request.case_reference,
    )
    return EvidenceStream(ref, chunks)


@asks(MayReadIdentity)
def read_identity(
    tools: PrivacyTools, connection: Connection, evidence_id: str, request: AccessRequest, *, now: datetime
) -> IdentityRecord | EvidenceErased | EvidenceUnknown:
    """Return one identity record in clear, recorded like any other reading."""
    found = read_evidence(tools, connection, evidence_id, request, now=now)
    if not isinstance(found, EvidenceContent):
        return found
    if found.ref.kind is not EvidenceKind.IDENTITY_RECORD:
        raise BadInput("EVIDENCE_KIND", Text(zh="这不是身份记录。", en="This is no identity record."))
    return IdentityRecord(**parse_object(found.content))


@asks(MayListEvidence)
def list_metadata(
    connection: Connection, *, subject: str | None = None, case_reference: str | None = None
) -> tuple[EvidenceRef, ...]:
    """Return what is kept of one subject or in one case, without content."""
    if subject is None and case_reference is None:
        message = "evidence is listed for one subject or one case"
        raise ValueError(message)
    return store.list_evidence(connection, subject=subject, case_reference=case_reference, limit=LISTED_MAX)


@inside("the end of a line and the decision of a case start clocks")
def start_retention_clocks(
    connection: Connection, *, case_reference: str, retention: RetentionPolicy, events: RetentionEvents
) -> tuple[EvidenceRef, ...]:
    """Set the end dates of a case's evidence when a clock starts (service ended, decision made)."""
    moved: list[EvidenceRef] = []
    for retention_class in RetentionClass:
        end = decide_retention_end(retention_class, retention, events)
        if end is not None:
            moved += store.set_retain_until(connection, case_reference, retention_class, end)
    return tuple(moved)


@inside("a registration says which line its case became")
def attach_line(connection: Connection, *, case_reference: str, line_id: str) -> None:
    """Note for which line the evidence of a case is kept."""
    store.set_line(connection, case_reference, line_id)


def _scope(new: NewEvidence) -> KeyScope:
    return KeyScope(
        new.subject, new.purpose.value, new.retention_class.value, new.case_reference, new.operator
    )


def _record(
    tools: PrivacyTools, connection: Connection, kind: str, ref: EvidenceRef, now: datetime, **facts: Fact
) -> None:
    record(
        connection,
        tools.keys,
        kind=kind,
        facts={**evidence_facts(ref), **facts},
        now=now,
        operator=ref.operator,
    )


@inside("every leaf about evidence names it in the same way")
def evidence_facts(ref: EvidenceRef) -> dict[str, Fact]:
    """Return what the ledger says of a piece of evidence."""
    return {
        "evidence": ref.evidence_id,
        "evidence_kind": ref.kind.value,
        "subject": ref.subject,
        "case": ref.case_reference,
        "purpose": ref.purpose.value,
    }
