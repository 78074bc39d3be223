"""The two capture pages alone, on a server in this process: without the journeys around them.

A session is opened as a clerk would; its pages are `/capture/{session}/document` and `.../person`.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from unittest import mock

import uvicorn
from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from shiming.entrypoints.demo_processes import free_port
from shiming.entrypoints.http_api import PAGES, ROUTERS, create_app
from shiming.entrypoints.pages.capture.views import Capture, document_step, person_step
from shiming.entrypoints.pages.routing import page_router
from shiming.entrypoints.wiring import Platform
from shiming.identity_proofing.permissions import MayConductSession
from shiming.identity_proofing.use_cases.challenges import Application, open_session
from shiming.infrastructure.http.asking import Asking, asked, open_to_all
from shiming.infrastructure.settings import Settings
from shiming.jurisdictions.model import Channel, Route
from tests.browser.live_world import OPERATOR, World, furnish, world_environment

_START_S_MAX = 20.0
router = page_router()


@router.get("/capture/{session}/document")
def document_page(
    request: Request, session: str, asking: Annotated[Asking, asked(MayConductSession)]
) -> Response:
    """Show the document page of a session."""
    asking.allow(MayConductSession(OPERATOR))
    return document_step(request, _capture(session, "person"))


@router.get("/capture/{session}/person")
def person_page(
    request: Request, session: str, asking: Annotated[Asking, asked(MayConductSession)]
) -> Response:
    """Show the page of the living person."""
    asking.allow(MayConductSession(OPERATOR))
    return person_step(request, _capture(session, "end"))


@router.get("/capture/{session}/end", dependencies=[open_to_all("a page of a test")])
def end_page(session: str) -> Response:
    """Show that the journey went on."""
    return HTMLResponse(f"<!doctype html><title>end</title><h1>{session} went on</h1>")


def _capture(session: str, following: str) -> Capture:
    return Capture(
        session_id=session,
        base=f"/v1/proofing-sessions/{session}",
        next_url=f"/capture/{session}/{following}",
        back_url=f"/capture/{session}/document",
        other_way_url=f"/capture/{session}/other-way",
        staff=True,
    )


@dataclass
class CaptureWorld(World):
    """An installation in this process."""

    def session(self, *, route: Route = Route.STANDARD) -> str:
        """Open a session at the counter and return its reference."""
        tools = self.platform.proofing_tools(None)
        policy = self.platform.policy("", self.platform.today())
        application = Application(Channel.SHOP, route, "adult", OPERATOR)
        with self.platform.begin() as connection:
            return open_session(tools, connection, application, policy).id


@contextmanager
def a_capture_world(folder: Path, *, authority: Any = None) -> Iterator[CaptureWorld]:
    """Serve the capture pages until the block ends."""
    port = free_port()
    (folder / "data").mkdir(mode=0o700)
    environment = world_environment(folder, f"sqlite:///{folder / 'shiming.db'}", port)
    with mock.patch.dict(os.environ, environment):
        platform = Platform(Settings.from_environment(environment))
        world = CaptureWorld(f"http://localhost:{port}", folder, environment)
        assert world.platform.settings.sandbox
        furnish(world.platform)
        modules = tuple(dict.fromkeys((*ROUTERS, *PAGES)))
        app = create_app(platform, authority=authority, routers=(*modules, __name__))
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + _START_S_MAX
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    try:
        yield world
    finally:
        server.should_exit = True
        thread.join(_START_S_MAX)
        world.platform.engine.dispose()
        platform.engine.dispose()
