"""Uploads: a multipart body, streamed part by part to private files, each checked by its first bytes.

    DOCUMENT = UploadForm((FilePart("front", IMAGE), FilePart("back", IMAGE, required=False)), ...)

    @router.put("/...", openapi_extra=DOCUMENT.openapi_extra())
    def take(asking: Annotated[Asking, asked(...)], upload: Annotated[Upload, DOCUMENT.received()]) -> ...:

Declare the caller's parameter before the upload's: nothing is read from somebody who is not signed in.
"""

import re
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fastapi import Depends, Request

from shiming.infrastructure.http.body_limits import BodyTooLarge, allow_upload
from shiming.infrastructure.http.multipart import Part, PartSink, read_parts
from shiming.infrastructure.http.spool import Spool, create_private, spool_faults
from shiming.vocabulary.errors import BadInput, Text

MIB = 1 << 20
_FRAMING_BYTES_MAX = 8 << 10  # boundaries and headers of the parts
_MAGIC_BYTES = 64
_TEXT_BYTES_PER_CHARACTER = 4


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file may be: by the type that is stated, by its first bytes, by its size."""

    name: str
    content_types: frozenset[str]
    magic: re.Pattern[bytes]
    bytes_max: int


IMAGE = FileKind(
    "image",
    frozenset({"image/jpeg", "image/png", "image/webp", "image/bmp", "image/tiff", "image/gif"}),
    re.compile(rb"(?s)\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF.{4}WEBP|BM|II\*\x00|MM\x00\*|GIF8"),
    30 * MIB,  # recognition.images: a telephone of today takes about 15 MB
)
CLIP = FileKind(
    "clip",
    frozenset({"video/mp4", "video/quicktime", "video/webm", "video/x-matroska", "video/x-msvideo"}),
    re.compile(rb"(?s).{4}(ftyp|moov|mdat|wide|free|skip)|\x1a\x45\xdf\xa3|RIFF.{4}AVI "),
    64 * MIB,  # recognition.clips.limits
)
SOUND = FileKind(
    "sound",
    frozenset(
        {
            "audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave", "audio/mpeg", "audio/ogg",
            "audio/webm", "audio/mp4", "audio/x-m4a", "audio/aac", "audio/flac", "audio/x-flac", "audio/amr",
        }
    ),
    re.compile(
        rb"(?s)RIFF.{4}WAVE|ID3|\xff[\xe0-\xff]|OggS|\x1a\x45\xdf\xa3|.{4}ftyp|fLaC|#!AMR"
    ),
    10 * MIB,  # two minutes of uncompressed speech; six digits take ten seconds
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FilePart:
    """A named file of a form."""

    name: str
    kind: FileKind
    required: bool = True


@dataclass(frozen=True, slots=True)
class TextPart:
    """A named text of a form."""

    name: str
    characters_max: int
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    required: bool = False


@dataclass(frozen=True, slots=True)
class Upload:
    """What arrived; the files are gone when the request is over.

    `sha256` is of the whole body as it was sent, which took `arrived_in_s` seconds to arrive.
    """

    files: dict[str, Path]
    texts: Mapping[str, str] = field(repr=False)
    room: Path
    sha256: bytes = b""
    arrived_in_s: float = 0.0

    def file(self, name: str) -> Path:
        """Return a required file."""
        return self.files[name]


@dataclass(frozen=True, slots=True)
class UploadForm:
    """The parts that a route takes; others are refused."""

    files: tuple[FilePart, ...]
    texts: tuple[TextPart, ...] = ()

    @property
    def parts(self) -> tuple[FilePart | TextPart, ...]:
        """All parts."""
        return (*self.files, *self.texts)

    @property
    def bytes_max(self) -> int:
        """The most bytes of a whole body."""
        texts = sum(text.characters_max * _TEXT_BYTES_PER_CHARACTER for text in self.texts)
        return sum(part.kind.bytes_max for part in self.files) + texts + _FRAMING_BYTES_MAX

    def received(self) -> Any:
        """Return the dependency that takes the upload in."""

        async def receive(request: Request) -> AsyncIterator[Upload]:
            spool: Spool = request.app.state.spool
            allow_upload(request.scope, self.bytes_max)
            began = time.monotonic()
            with spool.room() as room:
                sink = _Sink(self, room)
                try:
                    sha256 = await read_parts(request, sink)
                finally:
                    sink.close()
                yield replace(sink.upload(), sha256=sha256, arrived_in_s=time.monotonic() - began)

        return Depends(receive)

    def openapi_extra(self) -> dict[str, Any]:
        """Return the documentation of the body."""
        properties: dict[str, Any] = {
            part.name: {
                "type": "string",
                "format": "binary",
                "description": f"At most {part.kind.bytes_max} bytes.",
            }
            for part in self.files
        }
        properties |= {text.name: {"maxLength": text.characters_max, **text.schema} for text in self.texts}
        required = [part.name for part in self.parts if part.required]
        schema = {
            "type": "object", "properties": properties, "required": required, "additionalProperties": False
        }  # fmt: skip
        encoding = {
            part.name: {"contentType": ", ".join(sorted(part.kind.content_types))} for part in self.files
        }
        content = {"multipart/form-data": {"schema": schema, "encoding": encoding}}
        return {"requestBody": {"required": True, "content": content}}


class _Sink(PartSink):
    """Writes the parts of one form."""

    def __init__(self, form: UploadForm, room: Path) -> None:
        self._kinds = {part.name: part for part in form.files}
        self._text_limits = {part.name: part for part in form.texts}
        self._form, self._room = form, room
        self._files: dict[str, Path] = {}
        self._texts: dict[str, bytes] = {}
        self._open: Any = None
        self._kind: FileKind | None = None
        self._name, self._first, self._bytes = "", b"", 0

    def begin(self, part: Part) -> None:
        self._name, self._first, self._bytes = part.name, b"", 0
        if part.name in self._files or part.name in self._texts:
            raise _form_refused(part.name, "twice")
        if part.name in self._kinds:
            self._kind = self._kinds[part.name].kind
            if part.content_type not in self._kind.content_types:
                raise _type_refused(self._name, self._kind)
            path = self._room / f"part-{len(self._files)}"
            with spool_faults():
                self._open = create_private(path)
            self._files[part.name] = path
        elif part.name in self._text_limits:
            self._kind, self._texts[part.name] = None, b""
        else:
            raise _form_refused(part.name if part.name.isidentifier() else "", "unknown")

    def data(self, piece: bytes) -> None:
        self._bytes += len(piece)
        if self._kind is None:
            limit = self._text_limits[self._name].characters_max * _TEXT_BYTES_PER_CHARACTER
            if self._bytes > limit:
                raise BodyTooLarge(limit)
            self._texts[self._name] += piece
            return
        if self._bytes > self._kind.bytes_max:
            raise BodyTooLarge(self._kind.bytes_max)
        if len(self._first) < _MAGIC_BYTES:
            self._first += piece[:_MAGIC_BYTES]
            if len(self._first) >= _MAGIC_BYTES:
                self._require_magic(self._kind)
        with spool_faults():
            self._open.write(piece)

    def end(self) -> None:
        if self._kind is not None:
            self._require_magic(self._kind)
            with spool_faults():
                self._open.close()

    def close(self) -> None:
        """Close what an interrupted upload left open."""
        if self._open is not None:
            with spool_faults():
                self._open.close()

    def upload(self) -> Upload:
        """Return what arrived, when all that is required did."""
        for part in self._form.parts:
            if part.required and part.name not in self._files and part.name not in self._texts:
                raise _form_refused(part.name, "missing")
        return Upload(
            self._files, {name: self._text(name, raw) for name, raw in self._texts.items()}, self._room
        )

    def _text(self, name: str, raw: bytes) -> str:
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise _form_refused(name, "not_utf_8") from None
        if "\x00" in text or len(text) > self._text_limits[name].characters_max:
            raise _form_refused(name, "characters")
        return text

    def _require_magic(self, kind: FileKind) -> None:
        if not kind.magic.match(self._first):
            raise BadInput(
                "CONTENT_NOT_AS_STATED",
                Text(zh="文件内容与声明的类型不符。", en="The file is not of the type it is said to be."),
                Text(
                    zh="请发送相机或录音机的原始文件。",
                    en="Send the original file of the camera or recorder.",
                ),
                {"part": self._name, "kind": kind.name},
            )


def _type_refused(name: str, kind: FileKind) -> BadInput:
    choices = ", ".join(sorted(kind.content_types))
    return BadInput(
        "CONTENT_TYPE_UNSUPPORTED",
        Text(zh="不接受这种内容类型。", en="Content of this type is not accepted here."),
        Text(zh=f"可用：{choices}。", en=f"Use one of: {choices}."),
        {"part": name},
    )


def _form_refused(name: str, why: str) -> BadInput:
    return BadInput(
        "FORM_INVALID",
        Text(zh="上传的表单不完整或有误。", en="The form is not complete, or a part of it is wrong."),
        Text(
            zh="请核对各部分的名称。", en="Check the names of the parts; each is sent once, texts in UTF-8."
        ),
        {"part": name, "why": why},
    )
