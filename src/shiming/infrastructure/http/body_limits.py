"""Bounds on what a request may send: bytes, seconds, and characters that no text of ours holds.

A JSON or form body is taken whole before the route sees it. An upload streams; the route that expects one
raises the bound first (`allow_upload`), so that nothing else takes more than a JSON body.
"""

import asyncio
import re
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope

from shiming.vocabulary.errors import BadInput, Text

BODY_BYTES_MAX = 64 << 10  # the largest command has a few hundred; a challenge document about 2 000
BODY_SECONDS_MAX = 20.0  # for a JSON body, over a bad mobile line
UPLOAD_CHUNK_SECONDS_MAX = 30.0  # between two pieces of an upload
UPLOAD_SECONDS_MAX = 300.0  # for a whole upload: 64 MB at 1.7 Mbit/s
_NUL_IN_JSON = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_CHUNK_TYPE = "application/offset+octet-stream"  # of an upload in chunks (tus)
_SCOPE_KEY = "shiming.body"


class BodyTooLarge(BadInput):
    """More bytes than the route takes: 413."""

    def __init__(self, bytes_max: int) -> None:
        super().__init__(
            "BODY_TOO_LARGE",
            Text(zh="请求内容过大。", en="The body of the request is too large."),
            Text(zh=f"最多 {bytes_max} 字节。", en=f"Send at most {bytes_max} bytes."),
            {"bytes_max": bytes_max},
        )


class BodyTooSlow(BadInput):
    """The body did not arrive in time: 408."""

    def __init__(self) -> None:
        super().__init__(
            "UPLOAD_TIMEOUT",
            Text(zh="请求内容传输超时。", en="The body of the request took too long to arrive."),
            Text(zh="请检查网络后重试。", en="Check the network, then send it again."),
        )


@dataclass(slots=True)
class BoundedBody:
    """Stands between the server and a route as its `receive`."""

    receive: Receive
    content_length: int | None
    is_json: bool
    streams: bool
    bytes_max: int = BODY_BYTES_MAX
    seconds_max: float = BODY_SECONDS_MAX
    pause_s_max: float = UPLOAD_CHUNK_SECONDS_MAX
    taken: int = 0
    _deadline: float | None = field(default=None)
    _whole: bool = False

    async def __call__(self) -> Message:
        """Return the next message; raise `BodyTooLarge` or `BodyTooSlow` where the bounds are passed."""
        if self._whole:
            return await self.receive()  # a disconnect
        if self.content_length is not None and self.content_length > self.bytes_max:
            raise BodyTooLarge(self.bytes_max)
        return await (self._next_piece() if self.streams else self._whole_body())

    async def _next_piece(self) -> Message:
        loop = asyncio.get_running_loop()
        if self._deadline is None:
            self._deadline = loop.time() + UPLOAD_SECONDS_MAX
        message = await self._within(min(self.pause_s_max, self._deadline - loop.time()))
        self._whole = not message.get("more_body", False)
        return message

    async def _whole_body(self) -> Message:
        loop = asyncio.get_running_loop()
        deadline, pieces = loop.time() + self.seconds_max, []
        while True:
            message = await self._within(deadline - loop.time())
            if message["type"] != "http.request":
                return message
            pieces.append(message.get("body", b""))
            if not message.get("more_body", False):
                break
        self._whole = True
        body = b"".join(pieces)
        if self.is_json and _NUL_IN_JSON.search(body):
            raise nul_character()
        return {"type": "http.request", "body": body, "more_body": False}

    async def _within(self, seconds: float) -> Message:
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                message = await self.receive()
        except TimeoutError:
            raise BodyTooSlow from None
        self.taken += len(message.get("body", b""))
        if self.taken > self.bytes_max:
            raise BodyTooLarge(self.bytes_max)
        return message


def bound(scope: Scope, receive: Receive) -> BoundedBody:
    """Return the bounded `receive` of a request."""
    headers = HTTPConnection(scope).headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    length = headers.get("content-length", "")
    body = BoundedBody(
        receive,
        content_length=int(length) if length.isascii() and length.isdigit() else None,
        is_json=kind.endswith("json"),
        streams=kind.startswith("multipart/") or kind == _CHUNK_TYPE,
    )
    scope[_SCOPE_KEY] = body
    return body


def allow_upload(scope: Scope, bytes_max: int) -> None:
    """Let this request send so much; called by a route that expects an upload, before it reads."""
    body: BoundedBody | None = scope.get(_SCOPE_KEY)
    if body is not None:
        body.bytes_max = bytes_max


def nul_character() -> BadInput:
    """Return the error for a NUL character, which no database text holds."""
    return BadInput(
        "TEXT_NUL_CHARACTER",
        Text(zh="文本中含有空字符。", en="A text contains a NUL character."),
        Text(zh="请删除后重新发送。", en="Remove it and send the request again."),
    )
