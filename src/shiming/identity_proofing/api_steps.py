"""What staff and the holder of a link hand in alike: the forms, and each step from form to session.

    hand_in_clip(request, desk, session_id, upload)

A file may also have arrived as an upload in chunks; its reference then stands in the text part `upload`.
A form that an enrolled device signed is recorded as captured by it (`Evidence.captures`).
"""

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import Request

from shiming.identity_proofing.api_devices import signer_of
from shiming.identity_proofing.api_schemas import parse_challenge_part
from shiming.identity_proofing.api_uploads import PARTS, early_of, handed_in, required
from shiming.identity_proofing.errors import refused
from shiming.identity_proofing.model.claimed_identity import DeclaredIdentity
from shiming.identity_proofing.model.uploads import CaptureStamp, HeldUpload, UploadKind
from shiming.identity_proofing.ports import Measured
from shiming.identity_proofing.use_cases import measuring, stepwise, uploading
from shiming.identity_proofing.use_cases.stepwise import Desk
from shiming.identity_proofing.use_cases.tools import ProofingTools
from shiming.infrastructure.device_proofs import stated_hash
from shiming.infrastructure.http.uploads import CLIP, IMAGE, SOUND, FilePart, TextPart, Upload, UploadForm
from shiming.jurisdictions.model import DigitsMode
from shiming.recognition.measurements import FaceTemplate, Image
from shiming.vocabulary.errors import ShimingError

_CHALLENGE_CHARACTERS_MAX = 8_000  # a challenge document is about 2 000
_NAME_CHARACTERS_MAX = 120
_NUMBER_CHARACTERS_MAX = 40
_REFERENCE_CHARACTERS_MAX = 40
_UPLOAD_PART = {"type": "string", "description": "Reference of a whole upload, instead of the file."}
_DIGITS = {"type": "string", "pattern": "^[0-9]{1,12}$"}
_CHALLENGE_PART = {
    "type": "string",
    "contentMediaType": "application/json",
    "description": "The challenge as it was given out; `prompts_s` may be added.",
}
DOCUMENT = UploadForm(
    (FilePart("front", IMAGE, required=False), FilePart("back", IMAGE, required=False)),
    (
        TextPart("upload", _REFERENCE_CHARACTERS_MAX, _UPLOAD_PART),
        TextPart("upload_back", _REFERENCE_CHARACTERS_MAX, _UPLOAD_PART),
        TextPart("declared_name", _NAME_CHARACTERS_MAX),
        TextPart("declared_number", _NUMBER_CHARACTERS_MAX),
    ),
)
LIVE_CLIP = UploadForm(
    (FilePart("clip", CLIP, required=False),),
    (
        TextPart("upload", _REFERENCE_CHARACTERS_MAX, _UPLOAD_PART),
        TextPart("challenge", _CHALLENGE_CHARACTERS_MAX, _CHALLENGE_PART, required=True),
        TextPart("digits_in", 8, {"type": "string", "enum": ["clip", "other"]}),
    ),
)
DIGITS = UploadForm(
    (FilePart("audio", SOUND, required=False),),
    (
        TextPart("upload", _REFERENCE_CHARACTERS_MAX, _UPLOAD_PART),
        TextPart("challenge", _CHALLENGE_CHARACTERS_MAX, _CHALLENGE_PART, required=True),
        TextPart("tapped", 12, _DIGITS),
    ),
)


def hand_in_document(request: Request, desk: Desk, session_id: str, upload: Upload) -> None:
    """Take photos of the document in."""
    declared = DeclaredIdentity(upload.texts.get("declared_name"), upload.texts.get("declared_number"))
    kinds = (UploadKind.DOCUMENT, UploadKind.DOCUMENT_BACK)
    own = _own_stamp(request, session_id, upload)
    sent = {kind: handed_in(desk, session_id, upload, kind) for kind in kinds}
    required(upload, "front")
    with request.app.state.heavy_work.turn():
        stepwise.take_document(desk, session_id, upload.file("front"), upload.files.get("back"), declared)
    _record_captures(
        desk, session_id, {kind: sent[kind] for kind in kinds if PARTS[kind] in upload.files}, own
    )


def hand_in_clip(request: Request, desk: Desk, session_id: str, upload: Upload) -> None:
    """Take the live clip in; what was measured of it while it arrived is not measured again.

    The digits are listened to while the last frames are still being looked at.
    """
    challenge = parse_challenge_part(upload.texts["challenge"])
    in_clip = upload.texts.get("digits_in", "clip") == "clip"
    own = _own_stamp(request, session_id, upload)
    sent = handed_in(desk, session_id, upload, UploadKind.CLIP)
    required(upload, "clip")
    clip, early, measured = upload.file("clip"), early_of(request), None
    if sent is not None and early is not None:
        heard = _Heard(desk.tools)
        if in_clip and challenge.get("digits_mode") == DigitsMode.SPOKEN.value:
            with contextlib.suppress(ShimingError), request.app.state.heavy_work.turn():
                heard.listen(clip, challenge)  # what is wrong with it is said below, in its order
        measured = early.measured(sent.id, measuring.fingerprint(clip))
        desk = replace(desk, tools=_with(desk.tools, measured, heard))
    # who was measured early waited for a place already; what is left is no heavy work
    with contextlib.nullcontext() if measured else request.app.state.heavy_work.turn():
        stepwise.take_clip(desk, session_id, clip, challenge, digits_spoken_in_clip=in_clip)
    _record_captures(desk, session_id, {UploadKind.CLIP: sent}, own)


def hand_in_digits(request: Request, desk: Desk, session_id: str, upload: Upload) -> None:
    """Take the digits in, as a recording or as they were tapped."""
    own = _own_stamp(request, session_id, upload)
    sent = handed_in(desk, session_id, upload, UploadKind.DIGITS)
    audio, tapped = upload.files.get("audio"), upload.texts.get("tapped")
    if (audio is None) == (tapped is None):
        raise refused("DIGITS_FORM")
    challenge = parse_challenge_part(upload.texts["challenge"])
    with request.app.state.heavy_work.turn():
        stepwise.take_digits(desk, session_id, audio, tapped, challenge)
    _record_captures(desk, session_id, {UploadKind.DIGITS: sent}, own)


def _own_stamp(request: Request, session_id: str, upload: Upload) -> CaptureStamp:
    """Return what is known of files in the form itself: the enrolled device that signed it, or nothing."""
    hashed = stated_hash(upload.sha256)
    device = signer_of(request, session_id, hashed, arrived_in_s=upload.arrived_in_s)
    return CaptureStamp() if device is None else CaptureStamp(device.reference, signed=True)


def _record_captures(
    desk: Desk, session_id: str, sent: Mapping[UploadKind, HeldUpload | None], own: CaptureStamp
) -> None:
    """Record who sent what was handed in: an upload has a stamp of its own, whoever names it in a form."""
    stamps = {kind: own if held is None else held.stamp for kind, held in sent.items()}
    uploading.record_captures(desk, session_id, stamps)


class _Heard:
    """The digits of one clip, listened to once."""

    def __init__(self, tools: ProofingTools) -> None:
        self._tools = tools
        self._known: dict[tuple[Path, str, str], Any] = {}

    def listen(self, clip: Path, challenge: Mapping[str, Any]) -> None:
        """Listen for what the challenge asks."""
        digits, language = challenge.get("digits"), challenge.get("digits_language")
        if isinstance(digits, str) and isinstance(language, str):
            self._known[(clip, digits, language)] = self._tools.measure_digits(clip, digits, language)

    def __call__(self, source: Path, expected: str, language: str) -> Any:
        """Return what was heard; listen now where nobody has."""
        known = self._known.get((source, expected, language))
        return known if known is not None else self._tools.measure_digits(source, expected, language)


def _with(tools: ProofingTools, measured: Measured | None, heard: _Heard) -> ProofingTools:
    """Return tools that answer with what was measured before."""
    if measured is None:
        return replace(tools, measure_digits=heard)

    def measure_portrait(picture: Image) -> FaceTemplate:
        if measured.portrait is not None and np.array_equal(measured.portrait[0], picture):
            return measured.portrait[1]
        return tools.measure_portrait(picture)

    return replace(
        tools,
        measure_clip=lambda _clip: measured.clip,
        measure_portrait=measure_portrait,
        measure_digits=heard,
    )
