"""Pictures of the pages: `make screenshots`, or `python -m tools.screenshots --all FOLDER`.

A tour is started (`shiming tour`), somebody walks through it in headless Chromium with the tour's own pretended
camera, and every page is kept in both languages and two sizes. Without `--all` only the few of `KEPT` are
written, into docs/screenshots: small, with a palette, because a repository keeps them for ever.
"""

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

PHONE, DESKTOP = (360, 740), (1280, 800)
VARIANTS = (("en", DESKTOP), ("zh", DESKTOP), ("en", PHONE), ("zh", PHONE))
COLOURS = 128  # enough for pages with one photograph
START_S_MAX = 300
STEP_MS_MAX = 180_000  # models on a busy machine
TARGET = Path(__file__).parents[1] / "docs" / "screenshots"
#: name, language and width of the pictures that the repository keeps
KEPT = frozenset(
    {
        "counter-start-en-1280",
        "person-recording-zh-360",
        "result-en-1280",
        "home-zh-360",
        "review-en-1280",
        "ledger-en-1280",
    }
)
#: What staff see without doing anything: name, account, path.
DESK = (
    ("account", "clerk", "/me"),
    ("reviews", "reviewer", "/desk/reviews"),
    ("routes", "reviewer", "/desk/routes"),
    ("desk", "reviewer", "/desk"),
    ("numbers", "reviewer", "/desk/numbers"),
    ("lines", "reviewer", "/desk/lines"),
    ("companies", "reviewer", "/desk/companies"),
    ("registration-reviews", "reviewer", "/desk/registration-reviews"),
    ("access-log", "reviewer", "/desk/access-log"),
    ("accounts", "admin", "/desk/accounts"),
    ("jobs", "admin", "/desk/jobs"),
    ("packs", "admin", "/desk/packs"),
    ("pack", "admin", "/desk/packs/cn"),
    ("scenarios", "admin", "/desk/packs/cn/scenarios"),
    ("webhooks", "admin", "/desk/webhooks"),
    ("ledger", "auditor", "/desk/ledger"),
)
_SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
_NO_RIBBON = ".tour-ribbon { display: none !important; }"  # of the tour, not of the pages


@dataclass
class Studio:
    """One browser at one tour, and where its pictures go."""

    browser: Browser
    tour: dict[str, Any]
    folder: Path
    everything: bool
    written: list[str] = field(default_factory=list)

    def context(self) -> BrowserContext:
        """Return a fresh visitor."""
        context = self.browser.new_context(base_url=self.tour["url"], locale="en-GB", reduced_motion="reduce")
        context.set_default_timeout(STEP_MS_MAX)
        return context

    def signed_in(self, account: str, place: str) -> Page:
        """Return the page at a place of the tour, where this account has signed in."""
        page = self.context().new_page()
        words = "&".join(f"{each['user_name']}={each['password']}" for each in self.tour["sign_ins"])
        page.goto(f"/tour#{words}")
        page.locator(f"#{place} button").click()
        page.wait_for_url(lambda url: "/tour" not in url)
        return page

    def take(self, page: Page, name: str, *, reload: bool = True) -> None:
        """Keep a page in every language and size; without `reload` only as it is."""
        for language, size in VARIANTS if reload else ((_language_of(page), None),):
            if size is not None:
                self._turn(page, language, size)
            width = (page.viewport_size or {"width": 0})["width"]
            self._keep(page, f"{name}-{language}-{width}")

    def _turn(self, page: Page, language: str, size: tuple[int, int]) -> None:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        speak(page, self.tour["url"], language)
        page.reload(wait_until="load")
        page.wait_for_timeout(400)  # what a script fills in

    def _keep(self, page: Page, name: str) -> None:
        if not self.everything and name not in KEPT:
            return
        shot = page.screenshot(full_page=self.everything, style=_NO_RIBBON)
        path = self.folder / f"{name}.png"
        small(shot).save(path, optimize=True)
        self.written.append(name)
        print(f"{path} {path.stat().st_size // 1000} kB", flush=True)


def speak(page: Page, url: str, language: str) -> None:
    """Let the visitor's browser keep a language, as the page `Display` does."""
    page.context.add_cookies([{"name": "shiming_language", "value": language, "url": url}])


def small(shot: bytes) -> Image.Image:
    """Return a picture with a palette."""
    with Image.open(io.BytesIO(shot)) as picture:
        return picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)


@contextmanager
def a_tour() -> Iterator[dict[str, Any]]:
    """Run a tour; yield what it says of itself."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("SHIMING_")}
    command = [sys.executable, "-m", "shiming", "tour", "--json", "--port", "0"]
    with subprocess.Popen(command, env=plain, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or not (line := process.stdout.readline()):
                raise SystemExit("the tour did not start")
            yield json.loads(line)
        finally:
            process.terminate()
            process.wait(START_S_MAX)


def main() -> None:
    """Walk through the tour and keep what is seen."""
    parser = argparse.ArgumentParser(description="Make pictures of the pages.")
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="every page, whole, into this folder")
    parser.add_argument("--desk-only", action="store_true", help="without the journeys, which need the models")
    given = parser.parse_args()
    chromium = os.environ.get("SHIMING_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        raise SystemExit("no Chromium: install Debian's package `chromium`, or name one by SHIMING_CHROMIUM")
    folder: Path = given.all or TARGET
    folder.mkdir(parents=True, exist_ok=True)
    from tools.screenshots_walk import walk_desk, walk_journeys, walk_open_pages  # noqa: PLC0415 - it imports this

    with a_tour() as tour, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_SWITCHES))
        studio = Studio(browser, tour, folder, everything=given.all is not None)
        walk_open_pages(studio)
        if not given.desk_only:
            walk_journeys(studio)
        walk_desk(studio)
        browser.close()
    missing = KEPT - set(studio.written) if not given.desk_only else frozenset[str]()
    if missing:
        raise SystemExit(f"not seen: {', '.join(sorted(missing))}")


def _language_of(page: Page) -> str:
    language: str = page.evaluate("() => document.documentElement.lang.slice(0, 2)")
    return language


if __name__ == "__main__":
    main()
