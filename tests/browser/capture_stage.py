"""The capture pages and their modules in a browser, with a server that is played by the test.

Every request of the browser is answered here, from the templates and from `PlayedServer`: so a test can lose
the network, restart the server or close the session at any moment, and needs no database.
"""

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request, Route

from shiming.entrypoints.pages.assets import assets
from shiming.entrypoints.pages.capture.views import Capture
from shiming.entrypoints.pages.equal_paths.way_words import LANGUAGES
from shiming.entrypoints.pages.preferences import Preferences
from shiming.entrypoints.pages.rendering import HEADERS, environment_of

ORIGIN = "http://localhost:9"  # a secure context; nobody listens there, every request is answered by the test
SESSION = "SES-0082-0C20-A1G7-D"
BASE = f"/v1/proofing-sessions/{SESSION}"
STEP_SECONDS = 0.1  # of the played pack: a test does not wait for a person


@dataclass
class PlayedServer:
    """What the server knows and how it behaves; `online` False: nothing gets through."""

    online: bool = True
    state: str = "created"
    digits_mode: str = "spoken"
    uploads: dict[str, bytearray] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    handed_in: dict[str, str] = field(default_factory=dict)
    decision: dict[str, Any] = field(default_factory=lambda: {"outcome": "Verified", "reasons": []})
    problems: dict[str, dict[str, Any]] = field(default_factory=dict)  # by the end of the path
    life_s: float = 120.0
    given: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)

    def answer(self, route: Route, request: Request) -> None:
        """Answer one request of the API."""
        path = urlsplit(request.url).path
        self.asked.append((request.method, path.removeprefix(BASE)))
        if not self.online:
            route.abort("internetdisconnected")
            return
        last = path.rsplit("/", 1)[1]
        if last in self.problems:
            problem = self.problems[last]
            route.fulfill(status=problem["status"], content_type="application/problem+json", json=problem)
        elif "/uploads" in path:
            self._upload(route, request, last)
        elif last == "challenges":
            route.fulfill(status=201, json=self._challenge())
        elif last == "decision":
            route.fulfill(json=self.decision)
        else:
            if request.method == "PUT":
                self.handed_in[last] = (request.post_data_buffer or b"").decode("latin-1")
            route.fulfill(json={"id": SESSION, "state": self.state, "given": self.given})

    def _upload(self, route: Route, request: Request, last: str) -> None:
        tus = {"Tus-Resumable": "1.0.0"}
        if request.method == "POST":
            name = f"SND-{len(self.uploads)}"
            self.uploads[name] = bytearray()
            pairs = (pair.split(" ") for pair in request.headers["upload-metadata"].split(","))
            self.metadata = {key: base64.b64decode(value).decode() for key, value in pairs}
            route.fulfill(status=201, headers={**tus, "Location": f"{BASE}/uploads/{name}"})
            return
        held = self.uploads.get(last)
        if held is None:
            route.fulfill(status=404, headers=tus, json={"code": "UPLOAD_UNKNOWN", "title": "gone"})
        elif request.method == "PATCH" and int(request.headers["upload-offset"]) != len(held):
            route.fulfill(status=409, headers=tus, json={"code": "UPLOAD_OFFSET", "title": "offset"})
        else:
            if request.method == "PATCH":
                held += request.post_data_buffer or b""
            route.fulfill(status=204, headers={**tus, "Upload-Offset": str(len(held))})

    def _challenge(self) -> dict[str, Any]:
        now = datetime.now(UTC)
        words = {"zh": "请照做", "en": "Please do this"}
        return {
            "id": "CHA-1", "session": SESSION, "origin": "drawn", "route": "standard", "digits": "47",
            "steps": [{"gesture": "turn_left", "instruction": words}],
            "digits_mode": self.digits_mode, "digits_language": "cmn", "digits_instruction": words,
            "drawn_at": now.isoformat(), "expires_at": (now + timedelta(seconds=self.life_s)).isoformat(),
            "prompts_s": None,
        }  # fmt: skip


@dataclass
class Stage:
    """One page of one browser, and the server that it believes in."""

    page: Page
    server: PlayedServer
    complaints: list[str] = field(default_factory=list)

    def open(self, step: str, **facts: Any) -> Page:
        """Open the page of a step and return it."""
        query = "&".join(f"{name}={value}" for name, value in facts.items())
        self.page.goto(f"{ORIGIN}/{step}?{query}")
        return self.page

    def state(self) -> str:
        """Return the state that the page shows."""
        return str(self.page.evaluate("() => document.querySelector('[data-capture]').dataset.now"))

    def state_of_uploads(self) -> list[bool]:
        """Say of every upload that the server holds whether it begins as a clip does."""
        return [bytes(held[:4]) == b"\x1a\x45\xdf\xa3" for held in self.server.uploads.values()]

    def waits_for(self, *states: str) -> None:
        """Wait until the page shows one of these states, with a heading or a control in focus."""
        wanted = json.dumps(states)
        self.page.wait_for_function(
            f"() => {wanted}.includes(document.querySelector('[data-capture]')?.dataset.now)"
        )


@contextmanager
def a_stage(
    browser: Browser,
    *,
    language: str = "en",
    size: tuple[int, int] = (360, 740),
    permissions: tuple[str, ...] = ("camera", "microphone"),
    script: str = "",
) -> Iterator[Stage]:
    """Open a browser context whose every request the test answers; `script` runs before each page."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, permissions=list(permissions), has_touch=size[0] < 600
    )
    context.set_default_timeout(15_000)
    if script:
        context.add_init_script(script)
    server = PlayedServer()
    page = context.new_page()
    stage = Stage(page, server)
    page.on("pageerror", lambda error: stage.complaints.append(str(error)))
    context.route("**/v1/**", server.answer)
    context.route("**/static/**", _static)
    context.route(
        re.compile(rf"{ORIGIN}/(document|person|end|scan|other|blank|manifest|service)"), _page(language)
    )
    try:
        yield stage
        assert not stage.complaints, stage.complaints
    finally:
        context.close()


def _static(route: Route, request: Request) -> None:
    asset = assets().files[urlsplit(request.url).path.split("/", 3)[3]]
    route.fulfill(body=asset.content, content_type=asset.media_type)


def _page(language: str) -> Any:
    def answer(route: Route, request: Request) -> None:
        address = urlsplit(request.url)
        step = address.path.strip("/")
        facts = dict(pair.split("=") for pair in address.query.split("&") if "=" in pair)
        if step in {"document", "person", "scan"}:
            body = rendered(step, language, **facts)
        else:
            body = f"<!doctype html><html lang=en><title>{step}</title><h1>{step}</h1>"
        route.fulfill(body=body, content_type="text/html; charset=utf-8", headers=HEADERS)

    return answer


def rendered(step: str, language: str, **changed: Any) -> str:
    """Return a page as the server would write it."""
    environment = environment_of(language)
    capture = Capture(
        SESSION, BASE, "/end", "/document", "/other", document_url="/document", language=language
    )
    facts: dict[str, Any] = {
        "caller": None, "may": lambda _code: False, "csrf_token": "token", "path": f"/{step}",
        "preferences": Preferences(language, "normal", "normal"), "said": "", "sandbox": True,
        "zone": "Asia/Shanghai",
        "mistakes": {}, "entered": {}, "capture": capture, "over": "", "session_url": BASE,
        "document_url": "/document", "back": "yes", "back_optional": True, "left": 3,
        "gestures": ["turn_left", "turn_right", "blink"], "digits_mode": "spoken", "digits_length": 6,
        "digits_language": "cmn", "digits_languages": LANGUAGES, "place": False,
        "step_seconds": STEP_SECONDS, "life_seconds": 120, **changed,
    }  # fmt: skip
    facts["m"] = environment.get_template("macros.html").make_module(facts)
    if step == "scan":
        return environment.from_string(SCAN_PAGE).render(facts)
    return environment.get_template(f"capture/{step}.html").render(facts)


SCAN_PAGE = """{% extends "layout.html" %}{% block title %}scan{% endblock %}{% block main %}<h1>scan</h1>
<form>{{ m.field("iccid", "ICCID") }}{% include "capture/iccid_scan.html" %}</form>{% endblock %}"""
