"""Erase evidence for ever: destroy its data key, sign a receipt, keep a tombstone.

A data key belongs to one subject, purpose, retention class and case of one operator. Destroying it makes
every piece that it encrypted unreadable, in every copy and backup; so erasing one piece erases those that
share its key (the other side of the same card), and the receipt names them all.

The database keeps the destroyed key's row. The same ids go to a file outside the database, so that a restored
older backup can be told what it must forget (`apply_tombstones`).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.canonical_json import canonical_bytes, content_hash
from shiming.infrastructure.database import forget_freed_pages, reading, unit_of_work
from shiming.infrastructure.signing import key_id_of, verify_signature
from shiming.privacy.model import (
    EvidenceErased,
    EvidenceRef,
    EvidenceUnknown,
    KeyDestroyed,
    KeyScope,
    Purpose,
    RetentionClass,
)
from shiming.privacy.permissions import MayEraseEvidence, MayListEvidence
from shiming.privacy.store import data_keys as key_store
from shiming.privacy.store import deletion_receipts as receipt_store
from shiming.privacy.store import evidence as store
from shiming.privacy.use_cases.ledger import record
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.privacy.use_cases.vault import evidence_facts
from shiming.vocabulary.errors import BadInput, Text, Unavailable
from shiming.vocabulary.permissions import asks, inside

ERASED_A_BATCH_MAX = 200  # keys; one transaction of bounded length
LISTED_MAX = 200  # receipts of one subject or case
REMOVED_A_BATCH_MAX = 500  # objects after each erasure; the job removes the rest
RECEIPT_FORM = "shiming/deletion-receipt/1"
_CODE = re.compile(r"[a-z][a-z_]{2,39}")
_REFERENCE = re.compile(r"[A-Za-z]{2,10}(?:-[A-Za-z0-9]{1,6}){0,6}")


@asks(MayEraseEvidence)
def erase_evidence(
    tools: PrivacyTools, connection: Connection, evidence_id: str, *, why: str, actor: str, now: datetime
) -> EvidenceErased | EvidenceUnknown:
    """Destroy the data key of a piece, and so all that shares it; call inside `erasing`. Twice is once."""
    _refuse_words(why, actor)
    ref = store.find_evidence(connection, evidence_id)
    if ref is None:
        return EvidenceUnknown(evidence_id)
    if ref.erased_at is not None:
        return EvidenceErased(evidence_id, ref.erased_at, ref.erased_why or why)
    destroy_key(tools, connection, ref.data_key_id, why=why, actor=actor, now=now)
    return EvidenceErased(evidence_id, now, why)


@asks(MayEraseEvidence)
def erase_class(
    tools: PrivacyTools,
    connection: Connection,
    *,
    subject: str,
    retention_class: RetentionClass,
    operator: str = "",
    purpose: Purpose | None = None,
    why: str,
    actor: str,
    now: datetime,
) -> tuple[KeyDestroyed, ...]:
    """Erase one class of one subject at one operator, of all its cases; call inside `erasing`.

    A batch at most: call again until nothing comes back.
    """
    _refuse_words(why, actor)
    keys = key_store.list_live_keys(
        connection,
        subject=subject,
        retention_class=retention_class.value,
        operator=operator,
        purpose=None if purpose is None else purpose.value,
        limit=ERASED_A_BATCH_MAX,
    )
    found = (destroy_key(tools, connection, key, why=why, actor=actor, now=now) for key in keys)
    return tuple(destroyed for destroyed in found if destroyed)


@inside("erasures by hand, by date and by tombstone")
def destroy_key(
    tools: PrivacyTools, connection: Connection, data_key_id: str, *, why: str, actor: str, now: datetime
) -> KeyDestroyed | None:
    """Destroy one live data key, sign the receipt, record every piece; None when it was destroyed before."""
    if not key_store.destroy_key(connection, data_key_id, now=now):
        return None
    pieces = tuple(ref for ref in store.list_of_key(connection, data_key_id) if ref.erased_at is None)
    store.mark_erased(connection, data_key_id, now=now, why=why)
    scope = key_store.find_key_scope(connection, data_key_id)
    if scope is None:  # pragma: no cover - its row was just changed
        raise LookupError(data_key_id)
    receipt = _receipt(tools, data_key_id, scope, pieces, why=why, actor=actor, now=now)
    receipt_store.insert_receipt(
        connection,
        receipt_id=receipt["receipt"],
        data_key_id=data_key_id,
        operator=scope.operator,
        subject=scope.subject,
        case_reference=scope.case_reference,
        erased_at=now,
        receipt=canonical_bytes(receipt).decode(),
    )
    for ref in pieces:
        facts = {
            **evidence_facts(ref),
            "actor": actor,
            "why": why,
            "key": data_key_id,
            "receipt": receipt["receipt"],
            "receipt_hash": content_hash(receipt),
        }
        record(connection, tools.keys, kind="evidence.erased", facts=facts, now=now, operator=scope.operator)
    erased = tuple(EvidenceErased(ref.evidence_id, now, why) for ref in pieces)
    return KeyDestroyed(data_key_id, erased, receipt["receipt"])


@contextmanager
@inside("whoever erases lets the files forget as well")
def erasing(tools: PrivacyTools, engine: Engine) -> Iterator[Connection]:
    """One transaction of erasure; afterwards tombstones are written and the files forget what it erased.

    Once the transaction is committed the evidence is erased. What then fails - the object store is down, the
    file of tombstones cannot be written - is done by the next erasure or by the job.
    """
    with unit_of_work(engine) as connection:
        yield connection
    with suppress(Unavailable):  # told by the job, which does it again
        write_tombstones(tools, engine)
        remove_objects(tools, engine)
    forget_freed_pages(engine)


@inside("erasures and the job that repeats what they could not finish")
def write_tombstones(tools: PrivacyTools, engine: Engine) -> int:
    """Bring the file of tombstones up to date; return how many keys it did not name yet."""
    written = 0
    while True:
        with unit_of_work(engine) as connection:
            keys = key_store.list_unexported(connection, REMOVED_A_BATCH_MAX)
            if not keys:
                return written
            tools.tombstones.append(keys)  # before the mark: twice in the file does no harm
            key_store.mark_exported(connection, keys)
        written += len(keys)


@inside("erasures and the job that repeats what they could not finish")
def remove_objects(tools: PrivacyTools, engine: Engine) -> int:
    """Remove a batch of objects that nobody can read any more; return how many."""
    with reading(engine) as connection:
        useless = store.list_objects_to_remove(connection, REMOVED_A_BATCH_MAX)
    for evidence_id in useless:
        tools.objects.remove(evidence_id)
    if useless:
        with unit_of_work(engine) as connection:
            store.mark_objects_removed(connection, useless)
    return len(useless)


@inside("backup and restore")
def tombstones(tools: PrivacyTools, connection: Connection) -> tuple[str, ...]:
    """Return every data key that was ever destroyed here, by the database and by the file outside it."""
    known = dict.fromkeys(tools.tombstones.read())
    after = ""
    while batch := key_store.list_destroyed(connection, after=after, limit=REMOVED_A_BATCH_MAX):
        known.update(dict.fromkeys(batch))
        after = batch[-1]
    return tuple(known)


@inside("backup and restore")
def apply_tombstones(
    tools: PrivacyTools, connection: Connection, key_ids: Iterable[str], *, now: datetime
) -> int:
    """Destroy again the keys that a restored backup brought back; return how many. Call inside `erasing`.

    Ids that this database never had are passed over: their evidence is younger than the backup.
    """
    ids, count = list(key_ids), 0
    for start in range(0, len(ids), REMOVED_A_BATCH_MAX):
        for key in key_store.filter_live(connection, ids[start : start + REMOVED_A_BATCH_MAX]):
            destroyed = destroy_key(
                tools, connection, key, why="erased_before_restore", actor="system", now=now
            )
            count += destroyed is not None
    return count


@asks(MayListEvidence)
def list_deletion_receipts(
    connection: Connection, *, subject: str | None = None, case_reference: str | None = None
) -> tuple[dict[str, Any], ...]:
    """Return the signed deletion receipts of one subject or one case."""
    if subject is None and case_reference is None:
        message = "receipts are listed for one subject or one case"
        raise ValueError(message)
    found = receipt_store.list_receipts(
        connection, subject=subject, case_reference=case_reference, limit=LISTED_MAX
    )
    return tuple(json.loads(receipt) for receipt in found)


@inside("anybody who holds a receipt may check it")
def deletion_receipt_is_genuine(receipt: Mapping[str, Any], public_key: str) -> bool:
    """Say whether a deletion receipt is whole and was signed by the key that the verifier trusts."""
    content = {name: value for name, value in receipt.items() if name != "signature"}
    signature = receipt.get("signature")
    if not isinstance(signature, Mapping) or signature.get("key_id") != key_id_of(public_key):
        return False
    return verify_signature(public_key, str(signature.get("value")), canonical_bytes(content))


def _refuse_words(why: str, actor: str) -> None:
    """Refuse what is no code: both stand in the ledger and in the receipt, in clear and for good."""
    if not _CODE.fullmatch(why) or not _REFERENCE.fullmatch(actor):
        raise BadInput(
            "ERASURE_REASON",
            Text(zh="原因或人员编号格式不正确。", en="The reason or the actor is no code."),
            Text(
                zh="原因如 holder_asked，人员如 STF-0081-0G3G-50C7-1，不得含姓名。",
                en="Write a reason such as holder_asked and an actor such as STF-0081-0G3G-50C7-1.",
            ),
        )


def _receipt(
    tools: PrivacyTools,
    data_key_id: str,
    scope: KeyScope,
    pieces: tuple[EvidenceRef, ...],
    *,
    why: str,
    actor: str,
    now: datetime,
) -> dict[str, Any]:
    content = {
        "form": RECEIPT_FORM,
        "receipt": tools.new_reference("ERA"),
        "erased_at": now.astimezone(UTC).isoformat(),
        "why": why,
        "actor": actor,
        "data_key": data_key_id,
        "subject": scope.subject,
        "operator": scope.operator,
        "case": scope.case_reference,
        "purpose": scope.purpose,
        "retention_class": scope.retention_class,
        "evidence": [
            {
                "id": ref.evidence_id,
                "kind": ref.kind.value,
                "stored_at": ref.stored_at.isoformat(),
                "ciphertext_sha256": ref.ciphertext_sha256,
            }
            for ref in pieces
        ],
    }
    signer = tools.signer
    return {
        **content,
        "signature": {
            "algorithm": "Ed25519",
            "key_id": signer.key_id,
            "public_key": signer.public_key,
            "value": signer.sign(canonical_bytes(content)),
        },
    }
