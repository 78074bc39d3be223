"""Copies as files: their names, and the one ZIP file that a disclosure hands over.

A manifest in it names recipient, case and legal basis, and the hash of each file.

It is not encrypted: how it travels to the recipient is agreed with the recipient.
"""

import contextlib
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from shiming.privacy.use_cases.copies import Copy
from shiming.privacy.use_cases.disclosure_execution import Disclosed
from shiming.vocabulary.errors import BadInput, Text

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


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Open a new file for its owner alone, synced at the end; it is gone again when the block fails."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as problem:
        raise BadInput(
            "COPY_FILE_NOT_WRITTEN",
            Text(zh="无法新建该文件。", en="This file cannot be made, or is there already."),
            Text(zh="请给出一个可写的新文件名。", en="Name a new file in a folder that can be written."),
            {"reason": problem.strerror or type(problem).__name__},
        ) from problem
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
