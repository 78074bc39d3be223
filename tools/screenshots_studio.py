"""One browser at one tour, and where its pictures go."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page

from tools.screenshots_notes import LANGUAGES, last_page, pages_of_templates

PHONE, DESKTOP = (360, 740), (1280, 800)
VARIANTS = (("en", DESKTOP), ("zh", DESKTOP), ("en", PHONE), ("zh", PHONE))
COLOURS = 128  # enough for pages with one photograph
PAGES = "pages"  # the folder of the small pictures, one of each page in each language
SMALL_COLOURS = 40
SMALL_WIDTH = {DESKTOP[0]: 560, PHONE[0]: 250}  # of the small pictures: a repository keeps them for ever
SETTLED_MS = 400  # until scripts have filled in what they fill in
STOP_S_MAX = 60
STEP_MS_MAX = 180_000  # models on a busy machine
#: name, language and width of the pictures that the repository keeps
KEPT = frozenset(
    {
        "counter-start-en-1280",
        "person-recording-zh-360",
        "result-en-1280",
        "home-zh-360",
        "reviews-en-1280",
        "ledger-en-1280",
    }
)
_SHOW = """place => {
  if (place) document.querySelector(place).scrollIntoView({block: "center"});
  else window.scrollTo(0, 0);
}"""
_NO_RIBBON = """() => {
  for (const ribbon of document.querySelectorAll(".tour-ribbon")) ribbon.hidden = true;
}"""  # of the tour, not of the pages


@dataclass
class Album:
    """Where the pictures of a run go; `everything` False: only what the repository keeps.

    That is each page small, in both languages and the size in which it is met, and the few of `KEPT` large.
    """

    folder: Path
    notes: Path
    everything: bool
    pages: frozenset[str] = field(default_factory=pages_of_templates)
    written: set[str] = field(default_factory=set)
    small: set[str] = field(default_factory=set)
    seen: set[tuple[str, str]] = field(default_factory=set)  # template and language

    def missing(self) -> list[str]:
        """Return what a whole run has to picture and this one did not, by name."""
        unseen = {(name, language) for name in self.pages for language in LANGUAGES} - self.seen
        return sorted(f"{name} ({language})" for name, language in unseen) + sorted(KEPT - self.written)

    def remove_others(self) -> None:
        """Remove small pictures of former runs that this one, which was whole, has not made."""
        for path in (self.folder / PAGES).glob("*.png"):
            if path.name not in self.small:
                path.unlink()


@dataclass
class Studio:
    """Goes to places of an installation and pictures its pages; `tour`: what a tour says of itself."""

    browser: Browser
    url: str
    album: Album
    tour: dict[str, Any] = field(default_factory=dict)

    def context(self, **wanted: Any) -> BrowserContext:
        """Return a fresh visitor."""
        context = self.browser.new_context(
            base_url=self.url, locale="en-GB", reduced_motion="reduce", **wanted
        )
        context.set_default_timeout(STEP_MS_MAX)
        return context

    def signed_in(self, place: str) -> Page:
        """Return the page at a place of the tour where staff work, once signed in."""
        page = self.context().new_page()
        words = "&".join(f"{each['user_name']}={each['password']}" for each in self.tour["sign_ins"])
        page.goto(f"/tour#{words}")
        page.locator(f"#{place} button").click()
        page.wait_for_url(lambda url: "/tour" not in url)
        return page

    def take(
        self,
        page: Page,
        name: str,
        *,
        met_in: tuple[int, int] = DESKTOP,
        again: Callable[[], object] | None = None,
        at: str = "",
    ) -> None:
        """Keep a page, which most people meet in the size `met_in`.

        `again` brings it up in the language that was chosen meanwhile; without it the page is loaded again.
        `at`: what a small picture, which is as high as a window, has to show.
        """
        for language, size in VARIANTS:
            if not (self.album.everything or size == met_in or f"{name}-{language}-{size[0]}" in KEPT):
                continue
            page.set_viewport_size({"width": size[0], "height": size[1]})
            speak(page, self.url, language)
            (again or page.reload)()
            page.wait_for_load_state("load")
            page.wait_for_timeout(SETTLED_MS)
            page.evaluate(_SHOW, at)  # a focused button may have moved the page
            self._keep(page, f"{name}-{language}", size[0], small=size == met_in)
            self.album.seen.add((last_page(self.album.notes, self.album.pages), language))

    def _keep(self, page: Page, name: str, width: int, *, small: bool) -> None:
        page.evaluate(_NO_RIBBON)
        shot = page.screenshot(full_page=self.album.everything)
        full = f"{name}-{width}"
        if self.album.everything or full in KEPT:
            self._write(with_palette(shot, COLOURS), self.album.folder / f"{full}.png")
            self.album.written.add(full)
        if small and not self.album.everything:
            pages = self.album.folder / PAGES
            pages.mkdir(exist_ok=True)
            self._write(with_palette(shot, SMALL_COLOURS, SMALL_WIDTH.get(width)), pages / f"{name}.png")
            self.album.small.add(f"{name}.png")

    @staticmethod
    def _write(picture: Image.Image, path: Path) -> None:
        picture.save(path, optimize=True)
        print(f"{path} {path.stat().st_size // 1000} kB", flush=True)


def speak(page: Page, url: str, language: str) -> None:
    """Let the visitor's browser keep a language, as the page `Display` does."""
    page.context.add_cookies([{"name": "shiming_language", "value": language, "url": url}])


def with_palette(shot: bytes, colours: int, width: int | None = None) -> Image.Image:
    """Return a picture of so many colours, made smaller to a width."""
    with Image.open(io.BytesIO(shot)) as picture:
        plain = picture.convert("RGB")
        if width is not None:
            plain = plain.resize((width, plain.height * width // plain.width), Image.Resampling.LANCZOS)
        method = Image.Quantize.MEDIANCUT if width is None else Image.Quantize.FASTOCTREE
        return plain.quantize(colours, method=method, dither=Image.Dither.NONE)


@contextmanager
def a_tour(notes: Path) -> Iterator[dict[str, Any]]:
    """Run a tour; yield what it says of itself. The pages that it renders are noted."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("SHIMING_")}
    command = [sys.executable, "-m", "tools.screenshots_notes", str(notes), "tour", "--json", "--port", "0"]
    with subprocess.Popen(command, env=plain, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or not (line := process.stdout.readline()):
                raise SystemExit("the tour did not start")
            yield json.loads(line)
        finally:
            process.terminate()
            process.wait(STOP_S_MAX)
