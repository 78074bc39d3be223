"""The evidence vault: put one piece in, read one piece for a recorded purpose, erase it for ever.

There is no bulk read, no search and no list of images; `list_metadata` answers for one subject or one
case, without content. Every write, read and erasure is a leaf of the ledger in the same transaction.

The ciphertext is durable in the object store before its row is written. When the transaction then fails,
the ciphertext is left without key and row: unreadable, and harmless.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.canonical_json import canonical_bytes, parse_object
from shiming.infrastructure.database import forget_freed_pages, unit_of_work
from shiming.infrastructure.encryption import ObjectContext, decrypt, encrypt, new_data_key, undecryptable
from shiming.jurisdictions.model import RetentionPolicy
from shiming.privacy.model import (
    AccessRequest,
    EvidenceContent,
    EvidenceErased,
    EvidenceKind,
    EvidenceRef,
    EvidenceUnknown,
    IdentityRecord,
    Purpose,
    RetentionClass,
    RetentionEvents,
)
from shiming.privacy.rules.retention import decide_retention_end
from shiming.privacy.store import evidence as store
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.vocabulary.errors import BadInput, Text

CONTENT_BYTES_MAX = 100_000_000  # encrypted as a whole, in memory; no clip of a policy comes near
LISTED_MAX = 200  # one subject or one case has a handful
ERASED_A_BATCH_MAX = 500  # one transaction of bounded length


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
) -> EvidenceRef:
    """Encrypt and keep one piece of evidence until the end that the policy gives its class."""
    if not 0 < len(content) <= CONTENT_BYTES_MAX:
        raise BadInput(
            "EVIDENCE_SIZE",
            Text(zh="材料为空或过大。", en="The evidence is empty or too large."),
            details={"bytes": len(content), "bytes_max": CONTENT_BYTES_MAX},
        )
    evidence_id, data_key = tools.new_reference("EVD"), new_data_key()
    ciphertext = encrypt(content, data_key, ObjectContext(evidence_id, subject))
    ref = EvidenceRef(
        evidence_id=evidence_id,
        subject=subject,
        case_reference=case_reference,
        kind=kind,
        purpose=purpose,
        retention_class=retention_class,
        bytes_stored=len(ciphertext),
        ciphertext_sha256=hashlib.sha256(ciphertext).hexdigest(),
        stored_at=now,
        retain_until=decide_retention_end(retention_class, retention, RetentionEvents(decided_at=decided_at)),
    )
    tools.objects.put(evidence_id, ciphertext)
    store.insert_evidence(connection, ref, tools.new_reference("KEY"), tools.keys.wrap(data_key))
    _record(tools, connection, "evidence.stored", ref, now, ciphertext_sha256=ref.ciphertext_sha256)
    return ref


def put_identity(
    tools: PrivacyTools,
    connection: Connection,
    *,
    subject: str,
    case_reference: str,
    identity: IdentityRecord,
    retention: RetentionPolicy,
    now: datetime,
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
    )


def read_evidence(
    tools: PrivacyTools, connection: Connection, evidence_id: str, request: AccessRequest, *, now: datetime
) -> EvidenceContent | EvidenceErased | EvidenceUnknown:
    """Return one piece in clear, after recording who reads it, why and in which case.

    The caller uses the content only after its transaction is committed: no record, no reading.
    """
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
    wrapped = store.find_wrapped_key(connection, evidence_id)
    if wrapped is None or ref.erased_at is not None:
        return EvidenceErased(evidence_id, ref.erased_at or now, ref.erased_why or "key_destroyed")
    ciphertext = tools.objects.get(evidence_id)
    if hashlib.sha256(ciphertext).hexdigest() != ref.ciphertext_sha256:
        raise undecryptable()
    content = decrypt(ciphertext, tools.keys.unwrap(wrapped), ObjectContext(evidence_id, ref.subject))
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
    return EvidenceContent(ref, content)


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


def list_metadata(
    connection: Connection, *, subject: str | None = None, case_reference: str | None = None
) -> tuple[EvidenceRef, ...]:
    """Return what is kept of one subject or in one case, without content."""
    if subject is None and case_reference is None:
        message = "evidence is listed for one subject or one case"
        raise ValueError(message)
    return store.list_evidence(connection, subject=subject, case_reference=case_reference, limit=LISTED_MAX)


def erase_evidence(
    tools: PrivacyTools, connection: Connection, evidence_id: str, *, why: str, actor: str, now: datetime
) -> EvidenceErased | EvidenceUnknown:
    """Destroy the data key; call inside `erasing`. Erasing twice is the same as once."""
    ref = store.find_evidence(connection, evidence_id)
    if ref is None:
        return EvidenceUnknown(evidence_id)
    if ref.erased_at is not None:
        return EvidenceErased(evidence_id, ref.erased_at, ref.erased_why or why)
    store.destroy_key(connection, evidence_id, now=now, why=why)
    _record(tools, connection, "evidence.erased", ref, now, actor=actor, why=why)
    return EvidenceErased(evidence_id, now, why)


def erase_due(
    tools: PrivacyTools, connection: Connection, *, now: datetime
) -> tuple[EvidenceErased | EvidenceUnknown, ...]:
    """Erase a batch of what the policy no longer lets us keep; call again until nothing comes back."""
    due = store.list_due(connection, now, ERASED_A_BATCH_MAX)
    return tuple(
        erase_evidence(tools, connection, ref.evidence_id, why="retention_ended", actor="system", now=now)
        for ref in due
    )


@contextmanager
def erasing(tools: PrivacyTools, engine: Engine) -> Iterator[Connection]:
    """One transaction of erasure; afterwards the database and the object store forget what it erased."""
    with unit_of_work(engine) as connection:
        yield connection
    with unit_of_work(engine) as connection:
        for evidence_id in store.list_objects_to_remove(connection, ERASED_A_BATCH_MAX):
            tools.objects.remove(evidence_id)
            store.mark_object_removed(connection, evidence_id)
    forget_freed_pages(engine)


def start_retention_clocks(
    connection: Connection, *, case_reference: str, retention: RetentionPolicy, events: RetentionEvents
) -> tuple[EvidenceRef, ...]:
    """Set the end dates of a case's evidence when a clock starts (service ended, decision made)."""
    moved = []
    for ref in list_metadata(connection, case_reference=case_reference):
        end = decide_retention_end(ref.retention_class, retention, events)
        if end is not None and ref.erased_at is None:
            store.set_retain_until(connection, ref.evidence_id, end)
            moved.append(replace(ref, retain_until=end))
    return tuple(moved)


def _record(
    tools: PrivacyTools, connection: Connection, kind: str, ref: EvidenceRef, now: datetime, **facts: Fact
) -> None:
    base: dict[str, Fact] = {
        "evidence": ref.evidence_id,
        "evidence_kind": ref.kind.value,
        "subject": ref.subject,
        "case": ref.case_reference,
        "purpose": ref.purpose.value,
    }
    record(connection, tools.keys, kind=kind, facts={**base, **facts}, now=now)
