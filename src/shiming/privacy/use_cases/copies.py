"""Copies of evidence for somebody to see: a marked picture, an identity record, a clip or a sound.

A picture is marked with operator, purpose and date (MIIT Order 25, article 9) on a new JPEG; the stored
original is not touched. Clips, sounds and identity records are no pictures and carry no mark; the copy says
so.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageFont
from sqlalchemy.engine import Connection

from shiming.privacy.model import (
    AccessRequest,
    EvidenceContent,
    EvidenceErased,
    EvidenceKind,
    EvidenceRef,
    EvidenceUnknown,
)
from shiming.privacy.permissions import MayReadEvidence, MayReadIdentity
from shiming.privacy.rules.watermark import CopyMark, say
from shiming.privacy.rules.watermark_drawing import mark_copy
from shiming.privacy.use_cases.access_log import look
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.vocabulary.permissions import asks, inside

PICTURES = frozenset(
    {
        EvidenceKind.DOCUMENT_FRONT,
        EvidenceKind.DOCUMENT_BACK,
        EvidenceKind.PORTRAIT,
        EvidenceKind.AUTHORITY_DOCUMENT,
    }
)
JPEG, JSON, UNKNOWN = "image/jpeg", "application/json", "application/octet-stream"
#: Where systems keep a typeface with Chinese letters: Linux, then Windows, then macOS.
_TYPEFACES = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansSC-Regular.otf",
    "SourceHanSansCN-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "msyh.ttc",
    "simhei.ttf",
    "PingFang.ttc",
    "STHeiti Medium.ttc",
)
_TYPEFACE_PACKAGE = "cvttf_NotoSansCJK_Regular"  # the same typeface from a registry, where it is installed
#: First bytes (position, bytes) of what the vault keeps besides pictures.
_SIGNATURES = (
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
    (0, b"RIFF", "audio/wav"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"ID3", "audio/mpeg"),
)


@dataclass(frozen=True, slots=True)
class Marking:
    """What a mark says besides purpose and case: the operator's name, the day, who receives the copy."""

    operator_name: str
    on: date
    recipient: str | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of one piece; `marked` tells whether it bears operator, purpose and date."""

    ref: EvidenceRef
    media_type: str
    content: bytes = field(repr=False)
    marked: bool


@asks(MayReadEvidence, MayReadIdentity)
def show_copy(
    tools: PrivacyTools,
    connection: Connection,
    evidence_id: str,
    request: AccessRequest,
    marking: Marking,
    *,
    now: datetime,
) -> Copy | EvidenceErased | EvidenceUnknown:
    """Return a copy of one piece, with the look on record; use it only after the transaction is committed."""
    found = look(tools, connection, evidence_id, request, now=now)
    return make_copy(found, request, marking) if isinstance(found, EvidenceContent) else found


@inside("of content that was looked at for a recorded purpose")
def make_copy(found: EvidenceContent, request: AccessRequest, marking: Marking) -> Copy:
    """Return what may leave: a picture only with its mark, or not at all."""
    if found.ref.kind is EvidenceKind.IDENTITY_RECORD:
        return Copy(found.ref, JSON, found.content, marked=False)
    if found.ref.kind not in PICTURES:
        return Copy(found.ref, _media_type(found.content), found.content, marked=False)
    typeface = chinese_typeface()
    mark = CopyMark(
        operator=marking.operator_name,
        operator_code=found.ref.operator,
        purpose=request.purpose,
        on=marking.on,
        case_reference=request.case_reference,
        recipient=marking.recipient,
    )
    words = say(mark, chinese=typeface is not None)
    return Copy(found.ref, JPEG, mark_copy(found.content, words, typeface), marked=True)


@inside("also tells an installation whether its copies will be marked in Chinese")
@lru_cache(maxsize=1)
def chinese_typeface() -> str | None:
    """Return the file of a typeface with Chinese letters; None: marks are drawn in ASCII only."""
    package = find_spec(_TYPEFACE_PACKAGE)
    folders = package.submodule_search_locations or () if package else ()
    packaged = (str(file) for folder in folders for file in sorted(Path(folder).glob("*.otf")))
    for name in (*_TYPEFACES, *packaged):
        try:
            return str(ImageFont.truetype(name, 12).path)
        except OSError:
            continue
    return None


def _media_type(content: bytes) -> str:
    for position, signature, media_type in _SIGNATURES:
        if content[position : position + len(signature)] == signature:
            return media_type
    return UNKNOWN
