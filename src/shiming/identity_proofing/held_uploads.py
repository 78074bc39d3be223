"""Uploads that arrive in chunks, kept until their session ends: each chunk is a held piece of the session.

The offset of an upload moves in one transaction with the row of the chunk; of two chunks for one offset one
wins. What is kept survives a restart, and every process of an installation can go on with it.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.identity_proofing import held_pieces
from shiming.identity_proofing.held_pieces import Begin, HoldingTools
from shiming.identity_proofing.held_tables import upload_chunks as _chunks
from shiming.identity_proofing.held_tables import uploads as _uploads
from shiming.identity_proofing.model.uploads import CaptureStamp, HeldUpload, NewUpload, Place, UploadKind

UPLOAD = "SND"
_PIECE_NAME = "chunk"


def add(
    tools: HoldingTools,
    connection: Connection,
    session_id: str,
    wanted: NewUpload,
    *,
    now: datetime,
    expires_at: datetime,
) -> HeldUpload:
    """Begin an upload, empty."""
    data_key = held_pieces.key_of(tools, connection, session_id, expires_at)
    upload_id = tools.new_reference(UPLOAD)
    said = ",".join(wanted.said)
    connection.execute(
        _uploads.insert().values(
            id=upload_id,
            session_id=session_id,
            kind=wanted.kind.value,
            media_type=wanted.media_type,
            bytes_stated=wanted.bytes_stated,
            bytes_held=0,
            stamp=_stamp_text(wanted.stamp),
            said=held_pieces.seal_text(data_key, session_id, _said_of(upload_id), said) if said else None,
            created_at=now,
            expires_at=expires_at,
        )
    )
    return HeldUpload(
        upload_id,
        session_id,
        wanted.kind,
        wanted.media_type,
        wanted.bytes_stated,
        0,
        wanted.stamp,
        expires_at,
    )


def find(connection: Connection, session_id: str, upload_id: str) -> HeldUpload | None:
    """Return an upload of this session; None for one that is not there or of another session."""
    mine = (_uploads.c.id == upload_id) & (_uploads.c.session_id == session_id)
    row = connection.execute(_uploads.select().where(mine)).one_or_none()
    return _upload(row) if row is not None else None


def find_said(tools: HoldingTools, connection: Connection, upload: HeldUpload) -> str | None:
    """Return what was said of an upload as it began, verbatim; None: nothing, or its session is decided."""
    query = sa.select(_uploads.c.said).where(_uploads.c.id == upload.id)
    sealed = connection.execute(query).scalar_one_or_none()
    if sealed is None:
        return None
    return held_pieces.open_text(tools, connection, upload.session_id, _said_of(upload.id), sealed)


def count_of(connection: Connection, session_id: str) -> tuple[int, int]:
    """Return how many uploads a session has, and their bytes so far."""
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(_uploads.c.bytes_held), 0))
    row = connection.execute(query.where(_uploads.c.session_id == session_id)).one()
    return int(row[0]), int(row[1])


def append(
    tools: HoldingTools, begin: Begin, upload: HeldUpload, content: bytes, bytes_stated: int | None
) -> bool:
    """Keep a chunk that starts where the upload stood; False when another one did meanwhile.

    `bytes_stated`: the length of the whole, where it is known by now.
    """
    pieces = (
        held_pieces.hold(tools, begin, upload.session_id, upload.expires_at, {_PIECE_NAME: content})
        if content
        else ()
    )
    with begin() as connection:
        held_pieces.lock_session(connection, upload.session_id)
        moved = connection.execute(
            _uploads.update()
            .where(_uploads.c.id == upload.id, _uploads.c.bytes_held == upload.bytes_held)
            .values(bytes_held=upload.bytes_held + len(content), bytes_stated=bytes_stated)
        )
        if moved.rowcount == 1:
            for object_id in pieces:
                row = {"object_id": object_id, "upload_id": upload.id}
                place = {"start": upload.bytes_held, "size": len(content)}
                connection.execute(_chunks.insert().values(**row, **place))
            return True
    held_pieces.remove_of(tools, begin, pieces)
    return False


def content(tools: HoldingTools, begin: Begin, upload: HeldUpload) -> Iterator[bytes]:
    """Return what has arrived, in order; Unavailable once the session's key is destroyed."""
    with begin() as connection:
        query = sa.select(_chunks.c.object_id).where(_chunks.c.upload_id == upload.id)
        object_ids = tuple(connection.execute(query.order_by(_chunks.c.start)).scalars())
    return held_pieces.open_objects(tools, begin, upload.session_id, object_ids)


def remove(tools: HoldingTools, begin: Begin, upload: HeldUpload) -> None:
    """End an upload and remove what was kept of it."""
    with begin() as connection:
        mine = _chunks.c.upload_id == upload.id
        object_ids = tuple(connection.execute(sa.select(_chunks.c.object_id).where(mine)).scalars())
        connection.execute(_chunks.delete().where(mine))
        connection.execute(_uploads.delete().where(_uploads.c.id == upload.id))
    held_pieces.remove_of(tools, begin, object_ids)


def _said_of(upload_id: str) -> str:
    return f"{upload_id}/said"


def _upload(row: Row[Any]) -> HeldUpload:
    return HeldUpload(
        id=row.id,
        session_id=row.session_id,
        kind=UploadKind(row.kind),
        media_type=row.media_type,
        bytes_stated=row.bytes_stated,
        bytes_held=row.bytes_held,
        stamp=_stamp(row.stamp),
        expires_at=row.expires_at,
    )


def _stamp_text(stamp: CaptureStamp) -> str:
    given = asdict(stamp)
    at = stamp.captured_at
    return json.dumps({**given, "captured_at": at.isoformat() if at else None})


def _stamp(text: str) -> CaptureStamp:
    given = json.loads(text)
    at, place = given["captured_at"], given["place"]
    return CaptureStamp(
        given["device"],
        datetime.fromisoformat(at) if at else None,
        Place(**place) if place else None,
        given.get("signed", False),
    )
