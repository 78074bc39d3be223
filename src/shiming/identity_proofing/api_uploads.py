"""Uploads that can be interrupted: tus 1.0 (core, creation, creation-defer-length, expiration, termination).

    add_upload_routes(router, "/{session}", session_of, questions)

mounts below the router's prefix:

OPTIONS {path}/uploads            what the server can do
POST    {path}/uploads            creates: Upload-Length or Upload-Defer-Length: 1, and Upload-Metadata
HEAD    {path}/uploads/{upload}   tells how far it is
PATCH   {path}/uploads/{upload}   the next chunk
DELETE  {path}/uploads/{upload}   ends it

What an enrolled device began, signed, takes chunks of that device alone: each is signed over its own bytes,
the creation over what it says of the upload.
What has arrived whole is handed in by the text part `upload` of `PUT {path}/clip` (see `handed_in`). The
protocol as it stands here: docs/reference/uploads.md.
"""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response
from sqlalchemy.engine import Connection
from starlette.requests import ClientDisconnect

from shiming.accounts.errors import refused as device_refused
from shiming.identity_proofing.api_devices import signer_of
from shiming.identity_proofing.api_platform import desk_of, platform_of
from shiming.identity_proofing.errors import refused
from shiming.identity_proofing.model.uploads import HeldUpload, UploadKind
from shiming.identity_proofing.ports import EarlyMeasuring
from shiming.identity_proofing.tus_headers import (
    CAPABILITIES,
    CHUNK_TYPE,
    TUS,
    described,
    new_upload,
    require_version,
    whole_number,
)
from shiming.identity_proofing.use_cases import uploading
from shiming.identity_proofing.use_cases.stepwise import Desk
from shiming.identity_proofing.use_cases.uploading import CHUNK_BYTES_MAX, UploadRule
from shiming.infrastructure.device_proofs import body_hash
from shiming.infrastructure.http.asking import open_to_all
from shiming.infrastructure.http.body_limits import BodyTooLarge, BodyTooSlow, allow_upload
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotency_key, idempotent
from shiming.infrastructure.http.problems import problem_responses
from shiming.infrastructure.http.uploads import CLIP, IMAGE, SOUND, FileKind, Upload
from shiming.vocabulary.errors import BadInput, Text

_FILE_KINDS: Mapping[UploadKind, FileKind] = {
    UploadKind.CLIP: CLIP,
    UploadKind.DIGITS: SOUND,
    UploadKind.DOCUMENT: IMAGE,
    UploadKind.DOCUMENT_BACK: IMAGE,
}
RULES = {kind: UploadRule(of.content_types, of.magic, of.bytes_max) for kind, of in _FILE_KINDS.items()}
#: The part of a form whose place an upload of a kind takes.
PARTS = {
    UploadKind.CLIP: "clip",
    UploadKind.DIGITS: "audio",
    UploadKind.DOCUMENT: "front",
    UploadKind.DOCUMENT_BACK: "back",
}
_CAPABILITIES_WHY = "what the server can do is the same for everybody and says nothing of a session"
_REFUSED = problem_responses(401, 403, 404, 409, 412)

UploadId = Annotated[str, Path(max_length=40, description="Reference of the upload.")]
SessionOf = Callable[..., str]


def add_upload_routes(
    router: APIRouter, path: str, session_of: SessionOf, *, gates: tuple[Any, ...] = ()
) -> None:
    """Mount the five routes of uploads at `{path}/uploads` of a router.

    `path`: below the router's prefix, with the placeholders that `session_of` reads, such as "/{token}".
    `session_of`: a FastAPI dependency that has asked what the caller may and returns the reference of the
    session (`SES-...`), or raises. `gates`: further dependencies of every route, such as
    `(open_to_all(why),)` where the link itself is what lets somebody in; a `session_of` that declares
    `asked(...)` needs none.

    >>> add_upload_routes(router, "/{token}", session_of_link, gates=(open_to_all(WHY),))  # doctest: +SKIP
    """
    uploads, one = f"{path}/uploads", f"{path}/uploads/{{upload}}"
    session = Depends(session_of)

    def create(request: Request, session_id: str = session, key: str | None = idempotency_key()) -> Response:
        return _create(request, session_id, key)

    def tell(request: Request, upload: UploadId, session_id: str = session) -> Response:
        require_version(request.headers)
        desk = desk_of(request)
        found = uploading.find_upload(desk, session_id, upload)
        told = described(found, uploading.said_of_upload(desk, found))
        return Response(None, 200, headers={**told, "cache-control": "no-store"})

    def append(
        request: Request,
        upload: UploadId,
        session_id: str = session,
        chunk: bytes = Depends(_chunk),
    ) -> Response:
        return _append(request, session_id, upload, chunk)

    def end(request: Request, upload: UploadId, session_id: str = session) -> Response:
        require_version(request.headers)
        desk = desk_of(request)
        _drop_early(request, upload)
        uploading.end_upload(desk, uploading.find_upload(desk, session_id, upload))
        return Response(None, 204, headers=TUS)

    create.__doc__ = "Create an upload that may be interrupted (tus 1.0); nothing is sent yet."
    tell.__doc__ = "Tell how many bytes of an upload have arrived, and what was said of it."
    append.__doc__ = "Send the next chunk of an upload, from the offset where it stands."
    end.__doc__ = "End an upload; what has arrived of it is removed."
    common: dict[str, Any] = {"responses": _REFUSED, "dependencies": list(gates), "response_class": Response}
    router.add_api_route(uploads, create, methods=["POST"], status_code=201, **common)
    router.add_api_route(one, tell, methods=["HEAD"], **common)
    router.add_api_route(one, append, methods=["PATCH"], status_code=204, openapi_extra=_CHUNK_BODY, **common)
    router.add_api_route(one, end, methods=["DELETE"], status_code=204, **common)
    router.add_api_route(
        uploads, _options, methods=["OPTIONS"], status_code=204, response_class=Response,
        dependencies=[open_to_all(_CAPABILITIES_WHY)], openapi_extra=_placeholders(path),
    )  # fmt: skip


def _placeholders(path: str) -> dict[str, Any]:
    """Return the documentation of path parameters that no dependency of the route reads."""
    names = re.findall(r"{(\w+)}", path)
    text = {"type": "string"}
    return {"parameters": [{"name": n, "in": "path", "required": True, "schema": text} for n in names]}


_CHUNK_BODY = {
    "requestBody": {
        "required": True,
        "content": {CHUNK_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    }
}


def handed_in(desk: Desk, session_id: str, upload: Upload, kind: UploadKind) -> HeldUpload | None:
    """Put the upload that a text part names in the place of the file part; return it.

    None: there is no such text part. Raises BadInput (UPLOAD_..., FORM_INVALID for a file and an upload).
    """
    reference = upload.texts.get("upload_back" if kind is UploadKind.DOCUMENT_BACK else "upload")
    if reference is None:
        return None
    if PARTS[kind] in upload.files:
        raise _form_refused(PARTS[kind], "twice")
    target = upload.room / f"upload-{kind.value}"
    found = uploading.find_upload(desk, session_id, reference)
    uploading.write_upload(desk, found, kind, target, RULES[kind])
    upload.files[PARTS[kind]] = target
    return found


def required(upload: Upload, part: str) -> None:
    """Raise BadInput (FORM_INVALID) where a part came neither as a file nor as an upload."""
    if part not in upload.files:
        raise _form_refused(part, "missing")


def early_of(request: Request) -> EarlyMeasuring | None:
    """Return what measures clips while they arrive; None where nothing does."""
    found: EarlyMeasuring | None = getattr(request.app.state, "early_measuring", None)
    return found


async def _chunk(request: Request) -> AsyncIterator[bytes]:
    """Take a chunk in; what arrived of one that broke off is kept, as tus asks."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != CHUNK_TYPE:
        raise BadInput(
            "CONTENT_TYPE_UNSUPPORTED",
            Text(zh=f"数据块的类型须为 {CHUNK_TYPE}。", en=f"A chunk is sent as {CHUNK_TYPE}."),
        )
    allow_upload(request.scope, CHUNK_BYTES_MAX)
    taken = bytearray()
    try:
        async for piece in request.stream():
            taken += piece
            if len(taken) > CHUNK_BYTES_MAX:
                raise BodyTooLarge(CHUNK_BYTES_MAX)
    except (ClientDisconnect, BodyTooSlow):
        if not taken:
            raise
    yield bytes(taken)


def _create(request: Request, session_id: str, key: str | None) -> Response:
    require_version(request.headers)
    desk, platform = desk_of(request), platform_of(request)
    wanted = new_upload(request.headers)
    device = signer_of(request, session_id, body_hash(b""))
    if device is not None:
        wanted = replace(wanted, stamp=replace(wanted.stamp, device=device.reference, signed=True))
    made: list[HeldUpload] = []

    def work(connection: Connection) -> Answer:
        made[:] = [uploading.create_upload(desk, connection, session_id, wanted, RULES)]
        location = f"{request.url.path}/{made[0].id}"
        return Answer(201, "", {**described(made[0]), "location": location})

    asked_for = hash_of(request, repr(wanted).encode())
    answer = idempotent(platform.engine, session_id, key, asked_for, work, now=platform.clock.now())
    early = early_of(request)
    if early is not None and made and wanted.kind is UploadKind.CLIP:
        early.begin(made[0].id, lambda: uploading.held_portrait(desk, session_id))
    return answer


def _append(request: Request, session_id: str, upload_id: str, chunk: bytes) -> Response:
    require_version(request.headers)
    desk = desk_of(request)
    upload = uploading.find_upload(desk, session_id, upload_id)
    _require_signer(request, upload, chunk)
    start = whole_number(request.headers, "upload-offset")
    if start != upload.bytes_held:
        raise refused("UPLOAD_OFFSET")
    length = request.headers.get("upload-length")
    stated = None if length is None else whole_number(request.headers, "upload-length")
    upload = uploading.append_chunk(desk, upload, chunk, stated, RULES[upload.kind])
    early = early_of(request)
    if early is not None and upload.kind is UploadKind.CLIP:
        early.feed(upload.id, start, chunk, whole=upload.is_whole)
    return Response(None, 204, headers=described(upload))


def _require_signer(request: Request, upload: HeldUpload, chunk: bytes) -> None:
    """Raise BadInput (DEVICE_...) unless what a device began is gone on with by that device."""
    device = signer_of(request, upload.session_id, body_hash(chunk))
    if not upload.stamp.signed:
        return
    if device is None:
        raise device_refused("DEVICE_PROOF_MISSING")
    if device.reference != upload.stamp.device:
        raise device_refused("DEVICE_PROOF_OTHER_REQUEST")


def _options() -> Response:
    """Tell what uploads can be: version, extensions, largest size."""
    return Response(None, 204, headers=CAPABILITIES)


def _drop_early(request: Request, upload_id: str) -> None:
    early = early_of(request)
    if early is not None:
        early.drop(upload_id)


def _form_refused(part: str, why: str) -> BadInput:
    return BadInput(
        "FORM_INVALID",
        Text(zh="上传的表单不完整或有误。", en="The form is not complete, or a part of it is wrong."),
        Text(zh="文件和 upload 二选一。", en="Send a file or name an upload, one of the two."),
        {"part": part, "why": why},
    )
