"""What an undecided session still needs of what was handed in: encrypted, under a key of the session.

A piece is a file as it was sent (`document`, `document_back`, `clip`, `digits`) or something read from it
that the decision needs (`identity`, `portrait`, `best_frame`). Pieces lie in the object store as ciphertext;
the session's data key lies in the database, wrapped. When the session is decided, or its time is over, the
key is destroyed first and the objects are removed afterwards. A piece's row is written before its object, so
that nothing is in the store that no row knows of.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.identity_proofing.held_tables import holds as _holds
from shiming.identity_proofing.held_tables import pieces as _pieces
from shiming.identity_proofing.held_tables import upload_chunks as _upload_chunks
from shiming.identity_proofing.held_tables import uploads as _uploads
from shiming.infrastructure.database import insert_into
from shiming.infrastructure.encryption import KeyProvider, WrappedKey, new_data_key, undecryptable
from shiming.infrastructure.framed_encryption import ObjectContext, decrypt_frames, encrypt_frames
from shiming.infrastructure.object_store import ObjectStore
from shiming.infrastructure.tables import schema

PIECE = "HPC"
EXPIRED_A_BATCH_MAX = 200  # sessions; each has at most a dozen objects to remove
_CHUNK = 1 << 18

Content = bytes | Path
Begin = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class HoldingTools:
    """Where pieces lie and who wraps their keys."""

    objects: ObjectStore
    keys: KeyProvider
    new_reference: Callable[[str], str]


def lock_session(connection: Connection, session_id: str) -> None:
    """Let no other transaction change this session until ours is over."""
    sessions = schema.tables["proofing_sessions"]
    query = sa.select(sessions.c.id).where(sessions.c.id == session_id).with_for_update()
    connection.execute(query).one_or_none()  # SQLite has one writer anyway and leaves FOR UPDATE out


def hold(
    tools: HoldingTools,
    begin: Begin,
    session_id: str,
    expires_at: datetime,
    contents: Mapping[str, Content],
) -> tuple[str, ...]:
    """Encrypt and store pieces; they do not count before `make_present` says so in the step's transaction."""
    ids = {name: tools.new_reference(PIECE) for name in contents}
    with begin() as connection:
        data_key = key_of(tools, connection, session_id, expires_at)
        for name, object_id in ids.items():
            row = {"object_id": object_id, "session_id": session_id, "name": name, "present": False}
            connection.execute(_pieces.insert().values(row))
    for name, object_id in ids.items():
        context = ObjectContext(object_id, operator="", subject=session_id)
        tools.objects.put(object_id, encrypt_frames(_chunks(contents[name]), data_key, context))
    return tuple(ids.values())


def make_present(connection: Connection, session_id: str, object_ids: Iterable[str]) -> None:
    """Let these pieces count instead of the former ones of the same names."""
    ids = tuple(object_ids)
    names = sa.select(_pieces.c.name).where(_pieces.c.object_id.in_(ids))
    of_session = _pieces.update().where(_pieces.c.session_id == session_id)
    connection.execute(of_session.where(_pieces.c.name.in_(names)).values(present=False))
    connection.execute(of_session.where(_pieces.c.object_id.in_(ids)).values(present=True))


def drop_present(connection: Connection, session_id: str, *names: str) -> None:
    """Let the pieces of these names count no more."""
    mine = (_pieces.c.session_id == session_id) & _pieces.c.name.in_(names)
    connection.execute(_pieces.update().where(mine).values(present=False))


def open_pieces(
    tools: HoldingTools, begin: Begin, session_id: str, names: Iterable[str]
) -> dict[str, Iterator[bytes]]:
    """Return the content of the pieces that count, by name; those that are not there are left out."""
    with begin() as connection:
        wrapped = _wrapped(connection, session_id)
        mine = (_pieces.c.session_id == session_id) & _pieces.c.present & _pieces.c.name.in_(tuple(names))
        rows = connection.execute(_pieces.select().where(mine)).all()
    if wrapped is None:
        return {}
    data_key = tools.keys.unwrap(wrapped)
    return {
        row.name: decrypt_frames(
            tools.objects.open(row.object_id),
            data_key,
            ObjectContext(row.object_id, operator="", subject=session_id),
        )
        for row in rows
    }


def keep_until(connection: Connection, session_id: str, until: datetime) -> None:
    """Keep what a session holds until then: people still have to look at it."""
    mine = _holds.c.session_id == session_id
    connection.execute(_holds.update().where(mine).values(expires_at=until))


def list_present(connection: Connection, session_id: str) -> dict[str, str]:
    """Return the pieces that count and can be opened, by name; their references."""
    held = _holds.join(_pieces, _pieces.c.session_id == _holds.c.session_id)
    mine = (_pieces.c.session_id == session_id) & _pieces.c.present & _holds.c.wrapped_key.isnot(None)
    query = sa.select(_pieces.c.name, _pieces.c.object_id).select_from(held).where(mine)
    return {row.name: row.object_id for row in connection.execute(query)}


def open_objects(
    tools: HoldingTools, begin: Begin, session_id: str, object_ids: Iterable[str]
) -> Iterator[bytes]:
    """Return the content of these objects of a session, one after the other; Unavailable without its key."""
    with begin() as connection:
        wrapped = _wrapped(connection, session_id)
    if wrapped is None:
        raise undecryptable()
    data_key = tools.keys.unwrap(wrapped)
    for object_id in object_ids:
        context = ObjectContext(object_id, operator="", subject=session_id)
        yield from decrypt_frames(tools.objects.open(object_id), data_key, context)


def seal_text(data_key: bytes, session_id: str, name: str, text: str) -> bytes:
    """Return a short text under the key of a session, for a column; it is unreadable with the key's end."""
    context = ObjectContext(name, operator="", subject=session_id)
    return b"".join(encrypt_frames([text.encode()], data_key, context))


def open_text(
    tools: HoldingTools, connection: Connection, session_id: str, name: str, sealed: bytes
) -> str | None:
    """Return what `seal_text` sealed; None once the key of the session is destroyed."""
    wrapped = _wrapped(connection, session_id)
    if wrapped is None:
        return None
    context = ObjectContext(name, operator="", subject=session_id)
    return b"".join(decrypt_frames([sealed], tools.keys.unwrap(wrapped), context)).decode()


def remove_of(tools: HoldingTools, begin: Begin, object_ids: Iterable[str]) -> None:
    """Remove these objects, then their rows."""
    ids = tuple(object_ids)
    for object_id in ids:
        tools.objects.remove(object_id)
    with begin() as connection:
        connection.execute(_pieces.delete().where(_pieces.c.object_id.in_(ids)))


def destroy_key(connection: Connection, session_id: str) -> None:
    """Make every piece of a session unreadable, in the transaction that decides it."""
    mine = _holds.c.session_id == session_id
    connection.execute(_holds.update().where(mine).values(wrapped_key=None))


def remove_pieces(tools: HoldingTools, begin: Begin, session_id: str) -> None:
    """Remove the objects of a session whose key is destroyed, then their rows."""
    with begin() as connection:
        query = sa.select(_pieces.c.object_id).where(_pieces.c.session_id == session_id)
        object_ids = tuple(connection.execute(query).scalars())
    for object_id in object_ids:
        tools.objects.remove(object_id)
    with begin() as connection:
        mine = sa.select(_uploads.c.id).where(_uploads.c.session_id == session_id)
        connection.execute(_upload_chunks.delete().where(_upload_chunks.c.upload_id.in_(mine)))
        connection.execute(_uploads.delete().where(_uploads.c.session_id == session_id))
        connection.execute(_pieces.delete().where(_pieces.c.object_id.in_(object_ids)))
        others = sa.exists().where(_pieces.c.session_id == session_id)
        connection.execute(_holds.delete().where(_holds.c.session_id == session_id, ~others))


def list_to_discard(connection: Connection, now: datetime) -> tuple[str, ...]:
    """Return a batch of sessions whose pieces are of no more use: time over, or decided and not cleaned."""
    useless = (_holds.c.expires_at <= now) | _holds.c.wrapped_key.is_(None)
    query = sa.select(_holds.c.session_id).where(useless).limit(EXPIRED_A_BATCH_MAX)
    return tuple(connection.execute(query).scalars())


def key_of(tools: HoldingTools, connection: Connection, session_id: str, expires_at: datetime) -> bytes:
    """Return the data key of a session, made when it holds nothing yet; Unavailable once it is destroyed."""
    fresh = tools.keys.wrap(new_data_key())
    row = {
        "session_id": session_id,
        "kek_id": fresh.kek_id,
        "wrapped_key": fresh.wrapped,
        "expires_at": expires_at,
    }
    connection.execute(insert_into(connection, _holds).values(**row).on_conflict_do_nothing())
    wrapped = _wrapped(connection, session_id)
    if wrapped is None:  # decided meanwhile
        raise undecryptable()
    return tools.keys.unwrap(wrapped)


def _wrapped(connection: Connection, session_id: str) -> WrappedKey | None:
    row = connection.execute(_holds.select().where(_holds.c.session_id == session_id)).one_or_none()
    return WrappedKey(row.kek_id, row.wrapped_key) if row is not None and row.wrapped_key else None


def _chunks(content: Content) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
