"""Copies as files: their names, and the one ZIP file that a disclosure hands over.

A manifest in it names recipient, case and legal basis, and the hash of each file.

It is not encrypted: how it travels to the recipient is agreed with the recipient.
"""

import hashlib
import io
import json
import zipfile
from typing import Any

from shiming.privacy.use_cases.copies import Copy
from shiming.privacy.use_cases.disclosure_execution import Disclosed

MEDIA_TYPE = "application/zip"
MANIFEST = "manifest.json"
EXTENSIONS = {
    "image/jpeg": "jpg",
    "application/json": "json",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "audio/wav": "wav",
    "audio/ogg": "ogg",
    "audio/flac": "flac",
    "audio/mpeg": "mp3",
    "application/octet-stream": "bin",
}


def file_name(copy: Copy) -> str:
    """Return the name of a copy as a file: its reference says nothing of the person."""
    return f"{copy.ref.evidence_id}.{EXTENSIONS[copy.media_type]}"


def packed(found: Disclosed) -> bytes:
    """Return the ZIP file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:  # of compressed pictures
        archive.writestr(MANIFEST, json.dumps(manifest(found), ensure_ascii=False, indent=2))
        for copy in found.copies:
            archive.writestr(file_name(copy), copy.content)
    return out.getvalue()


def manifest(found: Disclosed) -> dict[str, Any]:
    """Return what was disclosed to whom and why, and the hash of each file."""
    disclosure, request = found.disclosure, found.disclosure.request
    return {
        "version": 1,
        "disclosure": disclosure.disclosure_id,
        "operator": request.operator,
        "purpose": request.purpose.value,
        "recipient": request.recipient,
        "legal_basis": request.legal_basis,
        "case": request.case_reference,
        "executed_at": disclosure.executed_at and disclosure.executed_at.isoformat(),
        "files": [
            {
                "name": file_name(copy),
                "evidence": copy.ref.evidence_id,
                "kind": copy.ref.kind.value,
                "media_type": copy.media_type,
                "marked": copy.marked,
                "sha256": hashlib.sha256(copy.content).hexdigest(),
            }
            for copy in found.copies
        ],
    }
