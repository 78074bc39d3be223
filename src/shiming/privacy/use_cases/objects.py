"""The encrypted object of one piece of evidence: written and read as a stream, in constant memory."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Protocol

from shiming.infrastructure.encryption import undecryptable
from shiming.infrastructure.framed_encryption import (
    FRAME_BYTES,
    ObjectContext,
    decrypt_frames,
    encrypt_frames,
)
from shiming.privacy.model import EvidenceRef, NewEvidence
from shiming.privacy.use_cases.tools import EVIDENCE, PrivacyTools
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import inside

CONTENT_BYTES_MAX = 100_000_000  # no clip of a policy comes near; what is larger is no evidence


class ByteSource(Protocol):
    """Where content comes from: an open file, an upload."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, at most `size`; none at the end."""
        ...


@inside("putting evidence stores its object first")
def store_object(
    tools: PrivacyTools,
    new: NewEvidence,
    data_key_id: str,
    data_key: bytes,
    content: Iterable[bytes],
    *,
    retain_until: datetime | None,
    now: datetime,
) -> EvidenceRef:
    """Encrypt the content under a fresh id and store it durably; return what its row will say."""
    evidence_id = tools.new_reference(EVIDENCE)
    context = ObjectContext(evidence_id, new.operator, new.subject)
    stored = _Tally(encrypt_frames(_sized(content), data_key, context))
    tools.objects.put(evidence_id, stored)
    return EvidenceRef(
        evidence_id=evidence_id,
        subject=new.subject,
        case_reference=new.case_reference,
        kind=new.kind,
        purpose=new.purpose,
        retention_class=new.retention_class,
        bytes_stored=stored.bytes_seen,
        ciphertext_sha256=stored.sha256.hexdigest(),
        stored_at=now,
        retain_until=retain_until,
        operator=new.operator,
        line_id=new.line_id,
        data_key_id=data_key_id,
    )


@inside("reading evidence opens its object")
def open_object(tools: PrivacyTools, ref: EvidenceRef, data_key: bytes) -> Iterator[bytes]:
    """Return the content frame by frame; Unavailable when the object is gone or not what was stored."""
    ciphertext = _as_stored(tools.objects.open(ref.evidence_id), ref.ciphertext_sha256)
    return decrypt_frames(ciphertext, data_key, ObjectContext(ref.evidence_id, ref.operator, ref.subject))


class _Tally:
    """Counts and hashes what flows through."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.sha256 = hashlib.sha256()
        self.bytes_seen = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.sha256.update(chunk)
            self.bytes_seen += len(chunk)
            yield chunk


def _sized(content: Iterable[bytes]) -> Iterator[bytes]:
    """Refuse content that is empty or too large, before its object is whole."""
    total = 0
    for chunk in content:
        total += len(chunk)
        if total > CONTENT_BYTES_MAX:
            raise _size_refused(total)
        yield chunk
    if not total:
        raise _size_refused(total)


@inside("evidence is put from files and uploads")
def pieces_of(source: ByteSource) -> Iterator[bytes]:
    """Return a file piece by piece."""
    return iter(lambda: source.read(FRAME_BYTES), b"")


def _as_stored(ciphertext: Iterator[bytes], sha256: str) -> Iterator[bytes]:
    """Refuse, at its end, a ciphertext that is not the one that was stored."""
    seen = _Tally(ciphertext)
    yield from seen
    if seen.sha256.hexdigest() != sha256:
        raise undecryptable()


def _size_refused(size: int) -> BadInput:
    return BadInput(
        "EVIDENCE_SIZE",
        Text(zh="材料为空或过大。", en="The evidence is empty or too large."),
        details={"bytes": size, "bytes_max": CONTENT_BYTES_MAX},
    )
