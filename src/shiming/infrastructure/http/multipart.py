"""Read a multipart/form-data body as it arrives; nothing of a file is held in memory."""

import hashlib
from dataclasses import dataclass
from typing import Protocol

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from shiming.vocabulary.errors import BadInput, Text

PARTS_MAX = 12  # no form of ours has more
_NAME_BYTES_MAX = 60


@dataclass(frozen=True, slots=True)
class Part:
    """The header of a part."""

    name: str
    content_type: str


class PartSink(Protocol):
    """Takes the parts in their order; refuses by raising."""

    def begin(self, part: Part) -> None:
        """Start a part."""
        ...

    def data(self, piece: bytes) -> None:
        """Take a piece of the present part."""
        ...

    def end(self) -> None:
        """Complete the present part."""
        ...


async def read_parts(request: Request, sink: PartSink) -> bytes:
    """Read the whole body into `sink` and return its SHA-256.

    Raises BadInput for one that is not multipart, broken or cut off.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data":
        raise BadInput(
            "CONTENT_TYPE_UNSUPPORTED",
            Text(zh="这里需要 multipart/form-data。", en="This is sent as multipart/form-data."),
        )
    reader, digest = _Reader(sink), hashlib.sha256()
    try:
        parser = MultipartParser(options.get(b"boundary", b""), reader.callbacks())  # type: ignore[arg-type] # by name
        async for chunk in request.stream():
            digest.update(chunk)
            parser.write(chunk)
        parser.finalize()
    except (FormParserError, ClientDisconnect) as problem:
        raise broken() from problem
    if not reader.finished:
        raise broken()
    return digest.digest()


class _Reader:
    def __init__(self, sink: PartSink) -> None:
        self._sink, self._parts = sink, 0
        self._headers: dict[bytes, bytes] = {}
        self._field, self._value = b"", b""
        self.finished = False

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._headers.clear,
            "on_header_field": self._on_field,
            "on_header_value": self._on_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": lambda data, start, end: self._sink.data(data[start:end]),
            "on_part_end": self._sink.end,
            "on_end": self._on_end,
        }

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._field.lower()] = self._value
        self._field, self._value = b"", b""

    def _on_headers_finished(self) -> None:
        self._parts += 1
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        kind, _ = parse_options_header(self._headers.get(b"content-type"))
        name = options.get(b"name", b"")
        if self._parts > PARTS_MAX or not 0 < len(name) <= _NAME_BYTES_MAX:
            raise broken()
        self._sink.begin(Part(name.decode("ascii", "replace"), kind.decode("ascii", "replace").lower()))

    def _on_end(self) -> None:
        self.finished = True


def broken() -> BadInput:
    """Return the error for a body that cannot be taken apart."""
    return BadInput(
        "MULTIPART_BROKEN",
        Text(zh="上传内容损坏或不完整。", en="The upload is damaged or incomplete."),
        Text(zh="请重新上传。", en="Send it again."),
    )
