"""The tour's own server: the whole application, the tour's pages, and a camera that may be a specimen.

Only this process serves them; `shiming serve` and `shiming up` know neither `/tour` nor a pretended camera.
"""

import signal
import socket
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shiming.entrypoints.serve_commands import server_of

if TYPE_CHECKING:
    from fastapi import FastAPI

    from shiming.entrypoints.pages.tour.visit import Visit

GRACEFUL_SECONDS = 2  # nobody's customer waits
_TOUR_PAGES = ("shiming.entrypoints.pages.tour.pages", "shiming.entrypoints.pages.tour.camera")


def tour_app(visit: "Visit", *, authority: Any) -> "FastAPI":
    """Return the application with the tour's pages."""
    from shiming.entrypoints.http_api import PAGES, ROUTERS, create_app
    from shiming.entrypoints.pages.tour.ribbon import Ribbon

    app = create_app(visit.platform, authority=authority, routers=(*ROUTERS, *PAGES, *_TOUR_PAGES))
    app.state.visit = visit
    app.add_middleware(Ribbon)
    return app


def serve_tour(
    app: "FastAPI",
    listening: socket.socket,
    log: Path,
    announce: Callable[[], None],
    beside: AbstractContextManager[object],
) -> None:
    """Serve until a signal; what the server has to say goes to a file of the tour's folder.

    `beside`: what goes on meanwhile, ended while the log is still there.
    """
    import logging

    from shiming.infrastructure.logging import configure_logging

    server = server_of(app, grace=GRACEFUL_SECONDS, announce=announce)
    with log.open("w", encoding="utf-8") as stream, beside:
        handler = configure_logging(level="INFO", stream=stream)
        of_server = logging.getLogger("uvicorn")
        of_server.addHandler(handler)
        of_server.setLevel(logging.WARNING)
        of_server.propagate = False
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGHUP, lambda *_: setattr(server, "should_exit", True))  # the window closed
        server.run(sockets=[listening])
        of_server.removeHandler(handler)
    if not server.started:
        from shiming.vocabulary.errors import Text, Unavailable

        raise Unavailable("SERVER_NOT_STARTED", Text(zh="服务器启动失败。", en="The server did not start."))
