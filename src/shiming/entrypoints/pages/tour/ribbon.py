"""What the tour adds to every page: a way back to it, and the pretended camera where one was chosen.

Pages themselves know nothing of the tour: this layer stands around the application that `shiming tour` runs.
"""

from dataclasses import dataclass, field

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shiming.entrypoints.pages.preferences import preferences_of
from shiming.entrypoints.pages.rendering import environment_of
from shiming.entrypoints.pages.tour.specimens import boxes
from shiming.entrypoints.pages.tour.visit import Camera, camera_of

_HEAD, _MAIN = b"<head>", b'<main id="main"'
_TOUR = "/tour"


@dataclass(frozen=True, slots=True)
class Ribbon:
    """The outermost layer of the tour's application."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add to whole pages; all else passes through."""
        if scope["type"] != "http" or scope["path"].startswith((_TOUR, "/static/", "/v1/")):
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _Added(Request(scope), send).send)


@dataclass(slots=True)
class _Added:
    """One answer: HTML is held back until it is whole."""

    request: Request
    onward: Send
    start: Message | None = None
    body: bytearray = field(default_factory=bytearray)

    async def send(self, message: Message) -> None:
        """Pass a message on, or gather it."""
        if message["type"] == "http.response.start" and _is_page(message):
            self.start = message
        elif self.start is None:
            await self.onward(message)
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self.start)

    async def _finish(self, start: Message) -> None:
        whole = with_tour(bytes(self.body), self.request)
        MutableHeaders(raw=start["headers"])["content-length"] = str(len(whole))
        await self.onward(start)
        await self.onward({"type": "http.response.body", "body": whole})


def with_tour(html: bytes, request: Request) -> bytes:
    """Return a page with the tour's parts; a fragment as it is."""
    if _HEAD not in html or _MAIN not in html:
        return html
    camera = camera_of(request)
    facts = {
        "camera": camera,
        "pretended": camera is not None and camera is not Camera.OWN,
        "boxes": boxes(),
    }
    environment = environment_of(preferences_of(request).language)
    head = environment.get_template("tour/ribbon_head.html").render(facts).encode()
    ribbon = environment.get_template("tour/ribbon.html").render(facts).encode()
    return html.replace(_HEAD, _HEAD + head, 1).replace(_MAIN, ribbon + _MAIN, 1)


def _is_page(start: Message) -> bool:
    headers = MutableHeaders(raw=start["headers"])
    return headers.get("content-type", "").startswith("text/html") and "content-encoding" not in headers
