"""Measure what was handed in: seconds of recognition, outside of any transaction."""

import hashlib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from shiming.identity_proofing.model.challenge import Challenge
from shiming.identity_proofing.model.claimed_identity import ClaimedIdentity, DeclaredIdentity
from shiming.identity_proofing.model.evidence import (
    AuthorityAnswer,
    AuthorityEvidence,
    ClipEvidence,
    DigitsEvidence,
    DocumentEvidence,
    FaceVotes,
    FieldComparison,
    PortraitAnswer,
)
from shiming.identity_proofing.ports import AuthorityQuestion, AuthorityReply
from shiming.identity_proofing.rules.document_reading import compare_with_declared, read_document_sides
from shiming.identity_proofing.rules.recording import (
    record_clip,
    record_document,
    record_faces,
    record_spoken_digits,
    record_tapped_digits,
    record_unheard_digits,
)
from shiming.identity_proofing.use_cases.tools import TRANSACTION, ProofingTools
from shiming.jurisdictions.model import DigitsMode, Policy
from shiming.recognition.measurements import ClipMeasurement, FaceTemplate, Image
from shiming.vocabulary.errors import BadInput, Unavailable
from shiming.vocabulary.permissions import inside

_MEASURED = inside("measures for `prove` and for the steps, which ask")
PORTRAIT_ATTRIBUTE = "portrait"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class MeasuredDocument:
    """The figures of a document, the identity it states, and its portrait; the last two never stored here."""

    evidence: DocumentEvidence
    comparisons: tuple[FieldComparison, ...]
    identity: ClaimedIdentity
    portrait: Image | None = field(repr=False)
    fingerprint: str


@dataclass(frozen=True, slots=True)
class MeasuredClip:
    """The figures of a clip, with the face in memory for one comparison."""

    evidence: ClipEvidence
    template: FaceTemplate | None = field(repr=False)
    best_frame: Image | None = field(repr=False)
    fingerprint: str


@_MEASURED
def measure_document(
    tools: ProofingTools, front: Path, back: Path | None, declared: DeclaredIdentity, on: date
) -> MeasuredDocument:
    """Read a document, one side or both."""
    read = read_document_sides(tools.read_document(front), tools.read_document(back) if back else None)
    portrait = read.front.portrait
    return MeasuredDocument(
        evidence=record_document(read, on),
        comparisons=compare_with_declared(read.identity, declared),
        identity=read.identity,
        portrait=portrait.image if portrait else None,
        fingerprint=fingerprint(front, back),
    )


@_MEASURED
def measure_clip(tools: ProofingTools, clip: Path) -> MeasuredClip:
    """Measure a live clip."""
    measured: ClipMeasurement = tools.measure_clip(clip)
    return MeasuredClip(
        record_clip(measured), measured.face.template, measured.face.best_frame, fingerprint(clip)
    )


@_MEASURED
def compare_clip_with_document(
    tools: ProofingTools, clip: MeasuredClip, document: MeasuredDocument
) -> FaceVotes | None:
    """Compare the two pictures of one claimed person; None when one of them shows no face."""
    return compare_clip_with_portrait(tools, clip, document.portrait)


@_MEASURED
def compare_clip_with_portrait(
    tools: ProofingTools, clip: MeasuredClip, portrait: Image | None
) -> FaceVotes | None:
    """Compare the face of a clip with the portrait of the document; None when one of them shows no face."""
    if clip.template is None or portrait is None:
        return None
    try:
        printed = tools.measure_portrait(portrait)
    except BadInput:
        return None
    return record_faces(tools.compare_faces(clip.template, printed))


@_MEASURED
def measure_digits(
    tools: ProofingTools, challenge: Challenge, audio: Path | None, clip: Path | None, tapped: str | None
) -> DigitsEvidence | None:
    """Measure the digits in the way the challenge asked for them; None when none were given.

    Without a recording of their own, the sound of the clip is listened to.
    """
    if challenge.digits_mode is DigitsMode.TAPPED:
        return record_tapped_digits(tapped, challenge) if tapped else None
    source = audio or clip
    if challenge.digits_mode is DigitsMode.NONE or source is None:
        return None
    try:
        reading = tools.measure_digits(source, challenge.digits, challenge.language.value)
    except Unavailable:
        return record_unheard_digits(challenge)
    except BadInput:
        if audio is not None:
            raise
        return None  # the clip has no sound
    return record_spoken_digits(reading, challenge)


@_MEASURED
def ask_authority(
    tools: ProofingTools, policy: Policy, identity: ClaimedIdentity, best_frame: Image | None
) -> AuthorityEvidence:
    """Ask for a strict yes or no; after a no with a portrait, ask once more without, to tell which it was."""
    identifier_type = policy.authority.identifier_types.value.get(identity.document_type)
    if identifier_type is None or identity.number is None:
        return AuthorityEvidence(
            AuthorityAnswer.NOT_ASKED, PortraitAnswer.NOT_COMPARED, detail="NO_IDENTIFIER"
        )
    wanted = PORTRAIT_ATTRIBUTE in policy.authority.attributes.value and best_frame is not None
    portrait = tools.encode_jpeg(best_frame) if wanted and best_frame is not None else None
    question = AuthorityQuestion(
        tools.new_reference(TRANSACTION), identifier_type, identity, portrait_jpeg=portrait
    )
    reply = tools.authority.verify(question)
    compared = PortraitAnswer.MATCH if portrait else PortraitAnswer.NOT_COMPARED
    if reply.answer is AuthorityAnswer.MISMATCH and portrait:
        question = AuthorityQuestion(tools.new_reference(TRANSACTION), identifier_type, identity)
        reply, compared = tools.authority.verify(question), PortraitAnswer.MISMATCH
    return _recorded(reply, compared, question.transaction_id)


def _recorded(reply: AuthorityReply, compared: PortraitAnswer, transaction_id: str) -> AuthorityEvidence:
    matched = reply.answer is AuthorityAnswer.MATCH
    return AuthorityEvidence(
        answer=reply.answer,
        portrait=compared if matched else PortraitAnswer.NOT_COMPARED,
        transaction_id=transaction_id,
        validity_confirmed=matched,
        detail=reply.detail,
    )


@_MEASURED
def fingerprint(*files: Path | None) -> str:
    """Return a hash over the contents of what was handed in."""
    digest = hashlib.sha256()
    for file in files:
        if file is not None:
            with file.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
        digest.update(b"\x00|")
    return "sha256:" + digest.hexdigest()
