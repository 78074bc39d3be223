"""Uploads of a session, chunk by chunk: create, go on, end, and hand in what has arrived."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.engine import Connection

from shiming.identity_proofing import held_pieces, held_uploads, store
from shiming.identity_proofing.errors import refused
from shiming.identity_proofing.held_forms import image_of
from shiming.identity_proofing.model.session import Session
from shiming.identity_proofing.model.uploads import (
    PLACE_NAMES,
    CaptureStamp,
    HeldUpload,
    NewUpload,
    UploadKind,
)
from shiming.identity_proofing.permissions import MayConductSession
from shiming.identity_proofing.use_cases.stepwise import Desk
from shiming.recognition.measurements import Image
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import asks, inside

UPLOADS_A_SESSION_MAX = 20  # retries of every kind over a bad line
BYTES_A_SESSION_MAX = 256 << 20  # four clips of the largest size: a session's objects stay bounded
#: A chunk is taken whole into memory: this times the threads of a server (40) bounds it.
CHUNK_BYTES_MAX = 4 << 20
_MAGIC_BYTES = 64


@dataclass(frozen=True, slots=True)
class UploadRule:
    """What an upload of a kind may be: stated types, first bytes, size."""

    content_types: frozenset[str]
    magic: re.Pattern[bytes]
    bytes_max: int


Rules = dict[UploadKind, UploadRule]


@asks(MayConductSession)
def create_upload(
    desk: Desk, connection: Connection, session_id: str, wanted: NewUpload, rules: Rules
) -> HeldUpload:
    """Begin an upload of an open session; it lives as long as the session.

    Raises BadInput: SESSION_CLOSED, SESSION_EXPIRED, UPLOAD_METADATA, UPLOAD_LENGTH, UPLOADS_TOO_MANY.
    """
    rule = rules[wanted.kind]
    if wanted.media_type not in rule.content_types:
        raise _refused("UPLOAD_METADATA", field="filetype")
    if wanted.bytes_stated is not None and not 0 < wanted.bytes_stated <= rule.bytes_max:
        raise _refused("UPLOAD_LENGTH", bytes_max=rule.bytes_max)
    now = desk.tools.clock.now()
    session = store.get_session(connection, session_id)
    _require_open(desk, session)
    count, held = held_uploads.count_of(connection, session_id)
    if count >= UPLOADS_A_SESSION_MAX or held + (wanted.bytes_stated or 0) > BYTES_A_SESSION_MAX:
        raise _refused("UPLOADS_TOO_MANY", uploads_max=UPLOADS_A_SESSION_MAX, bytes_max=BYTES_A_SESSION_MAX)
    if not _place_is_asked(desk, session):
        said = tuple(pair for pair in wanted.said if pair.split(" ", 1)[0] not in PLACE_NAMES)
        wanted = replace(wanted, stamp=replace(wanted.stamp, place=None), said=said)
    return held_uploads.add(
        desk.holding,
        connection,
        session_id,
        wanted,
        now=now,
        expires_at=session.expires_at,
    )


@asks(MayConductSession)
def find_upload(desk: Desk, session_id: str, upload_id: str) -> HeldUpload:
    """Return an upload of this session; raise BadInput (UPLOAD_UNKNOWN, UPLOAD_EXPIRED)."""
    with desk.begin() as connection:
        upload = held_uploads.find(connection, session_id, upload_id)
    if upload is None:
        raise refused("UPLOAD_UNKNOWN")
    if desk.tools.clock.now() >= upload.expires_at:
        raise refused("UPLOAD_EXPIRED")
    return upload


@asks(MayConductSession)
def said_of_upload(desk: Desk, upload: HeldUpload) -> str | None:
    """Return the `Upload-Metadata` of an upload as it was sent, but for a place that nobody asks for."""
    with desk.begin() as connection:
        return held_uploads.find_said(desk.holding, connection, upload)


@asks(MayConductSession)
def append_chunk(
    desk: Desk, upload: HeldUpload, content: bytes, bytes_stated: int | None, rule: UploadRule
) -> HeldUpload:
    """Keep the next chunk of an upload; `bytes_stated`: its whole length, if it is said only now.

    Raises BadInput: UPLOAD_LENGTH, CONTENT_NOT_AS_STATED, UPLOADS_TOO_MANY, UPLOAD_OFFSET, SESSION_CLOSED.
    """
    length = upload.bytes_stated if bytes_stated is None else bytes_stated
    held = upload.bytes_held + len(content)
    contradiction = upload.bytes_stated is not None and length != upload.bytes_stated
    if contradiction or held > (rule.bytes_max if length is None else min(length, rule.bytes_max)):
        raise _refused("UPLOAD_LENGTH", bytes_max=rule.bytes_max)
    if length is not None and not 0 < length <= rule.bytes_max:
        raise _refused("UPLOAD_LENGTH", bytes_max=rule.bytes_max)
    if upload.bytes_held == 0 and len(content) >= _MAGIC_BYTES and not rule.magic.match(content):
        raise _not_as_stated(upload.kind)
    with desk.begin() as connection:
        _require_open(desk, store.get_session(connection, upload.session_id))
        _, of_session = held_uploads.count_of(connection, upload.session_id)
    if of_session + len(content) > BYTES_A_SESSION_MAX:
        raise _refused("UPLOADS_TOO_MANY", bytes_max=BYTES_A_SESSION_MAX)
    if not held_uploads.append(desk.holding, desk.begin, upload, content, length):
        raise refused("UPLOAD_OFFSET")
    return replace(upload, bytes_held=held, bytes_stated=length)


@asks(MayConductSession)
def end_upload(desk: Desk, upload: HeldUpload) -> None:
    """End an upload: what was kept of it is removed."""
    held_uploads.remove(desk.holding, desk.begin, upload)


@asks(MayConductSession)
def write_upload(desk: Desk, upload: HeldUpload, kind: UploadKind, target: Path, rule: UploadRule) -> None:
    """Write a whole upload into a new private file, to be handed in; it may be handed in again.

    Raises BadInput: UPLOAD_OTHER_KIND, UPLOAD_UNFINISHED, CONTENT_NOT_AS_STATED.
    """
    if upload.kind is not kind:
        raise refused("UPLOAD_OTHER_KIND")
    if not upload.is_whole:
        raise refused("UPLOAD_UNFINISHED")
    target.touch(mode=0o600)
    with target.open("w+b") as file:
        file.writelines(held_uploads.content(desk.holding, desk.begin, upload))
        file.seek(0)
        if not rule.magic.match(file.read(_MAGIC_BYTES)):
            raise _not_as_stated(kind)


@asks(MayConductSession)
def record_captures(desk: Desk, session_id: str, stamps: Mapping[UploadKind, CaptureStamp]) -> None:
    """Record with the session's evidence what is known of the captures that were handed in.

    Nothing known: what was recorded of an earlier capture of the kind goes, for it is not of this one.
    """
    with desk.begin() as connection:
        held_pieces.lock_session(connection, session_id)
        evidence = store.find_evidence(connection, session_id)
        if evidence is None:
            return
        known = {**evidence.captures, **{kind.value: stamp for kind, stamp in stamps.items()}}
        captures = {kind: stamp for kind, stamp in known.items() if stamp != CaptureStamp()}
        if captures != evidence.captures:
            store.save_evidence(connection, replace(evidence, captures=captures))


@inside("a clip that is measured while it arrives is compared with it; the caller asked for the session")
def held_portrait(desk: Desk, session_id: str) -> Image | None:
    """Return the portrait of the document that counts; None before there is one."""
    held = held_pieces.open_pieces(desk.holding, desk.begin, session_id, ("portrait",))
    return image_of(b"".join(held["portrait"])) if held else None


def _not_as_stated(kind: UploadKind) -> BadInput:
    """Return the refusal of content that is not of the stated type."""
    return BadInput(
        "CONTENT_NOT_AS_STATED",
        Text(zh="文件内容与声明的类型不符。", en="The file is not of the type it is said to be."),
        Text(zh="请发送相机或录音机的原始文件。", en="Send the original file of the camera or recorder."),
        {"kind": kind.value},
    )


def _require_open(desk: Desk, session: Session) -> None:
    if session.state.is_final:
        raise refused("SESSION_CLOSED")
    if desk.tools.clock.now() >= session.expires_at:
        raise refused("SESSION_EXPIRED")


def _place_is_asked(desk: Desk, session: Session) -> bool:
    capture = desk.policies(session.pack_id, desk.on).capture
    return capture is not None and capture.place.value


def _refused(code: str, **details: str | int) -> BadInput:
    plain = refused(code)
    return BadInput(code, plain.text, plain.advice, dict(details))
