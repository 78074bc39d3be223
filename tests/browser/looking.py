"""What every page must be, and what the fake camera shows."""

import os
import re
import shutil
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import cv2
from playwright.sync_api import ConsoleMessage, Locator, Page

from tests.browser.live_world import World
from tools.specimens.barcodes import barcode
from tools.specimens.fake_media import write_still_video

PHONE, DESKTOP = (360, 740), (1280, 800)
TRANSFERRED_BYTES_MAX = 150_000  # of one page with everything that it loads
#: Rules of WCAG 2.2 at level AA and axe's own best practices; none is left out.
_AXE_RUN = (
    "async () => (await axe.run(document)).violations.map(v => ({id: v.id, impact: v.impact, help: v.help, \
nodes: v.nodes.slice(0, 5).map(n => n.target.join(' ') + ' :: ' + (n.failureSummary || '').slice(0, 300))}))"
)
_TRANSFERRED = (
    "() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]\
.filter(e => !['fetch', 'xmlhttprequest', 'beacon'].includes(e.initiatorType))\
.reduce((sum, e) => sum + (e.transferSize || e.encodedBodySize), 0)"
)


@dataclass
class FakeCamera:
    """The files that Chromium plays as camera and microphone; it opens them anew each time a page asks."""

    folder: Path

    def switches(self) -> tuple[str, ...]:
        """Return Chromium's switches; what the camera shows is changed by `show`."""
        self.show("front")
        return (
            f"--use-file-for-fake-video-capture={self.folder / 'camera.mjpeg'}",
            f"--use-file-for-fake-audio-capture={self.folder / 'voice.wav'}",
        )

    def show(self, what: str) -> None:
        """Put `front`, `back` or `face` before the camera; a page sees it when it opens the camera next."""
        draft = self.folder / "camera.part"
        shutil.copyfile(self.folder / f"{what}.mjpeg", draft)
        draft.replace(self.folder / "camera.mjpeg")

    def show_card(self, iccid: str) -> None:
        """Put the carrier of a SIM card with its barcode before the camera."""
        carrier = self.folder / "carrier.png"
        cv2.imwrite(str(carrier), barcode(iccid, "Code128"))
        write_still_video(carrier, self.folder / "carrier.mjpeg")
        self.show("carrier")


@dataclass
class Visit:
    """A page of one visitor; what the browser complained of is kept, and `look` fails for it."""

    page: Page
    world: World
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))

    def _heard(self, message: ConsoleMessage) -> None:
        # a refused request is a state of the page, which the test looks at; all else is a fault
        if message.type == "error" and not re.match(r"Failed to load resource", message.text):
            self.complaints.append(message.text)

    def go(self, path: str) -> Page:
        """Open a page."""
        self.page.goto(path)
        return self.page

    def follow(self, way: Locator) -> Page:
        """Press what leads to another page, and wait until that page is there."""
        with self.page.expect_navigation():
            way.click()
        return self.page

    def look(self, name: str = "") -> None:
        """Hold the page to what every page must be; `name`: keep a picture where SHIMING_SCREENSHOTS says."""
        page = self.page
        page.wait_for_load_state()  # what was waited for may stand in a page whose rest is still to come
        assert not self.complaints, self.complaints
        assert page.locator("h1").count() == 1, f"{page.url}: one h1"
        wide = page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0, f"{page.url} is {wide} px too wide at {page.viewport_size}"
        transferred = page.evaluate(_TRANSFERRED)
        assert 0 < transferred < TRANSFERRED_BYTES_MAX, f"{page.url}: {transferred} bytes"
        page.evaluate(axe_source())
        found: list[dict[str, Any]] = page.evaluate(_AXE_RUN)
        assert not found, f"{page.url}: {found}"
        folder = os.environ.get("SHIMING_SCREENSHOTS")
        if folder and name:
            size = page.viewport_size or {"width": 0}
            language = page.evaluate("() => document.documentElement.lang.slice(0, 2)")
            page.screenshot(path=Path(folder) / f"{name}-{language}-{size['width']}.png", full_page=True)


@cache
def axe_source() -> str:
    """Return axe-core, as the set-up fetched it from npm."""
    return (Path(sys.prefix) / "share" / "shiming" / "web" / "axe.min.js").read_text("utf-8")
