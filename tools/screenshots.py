"""Pictures of the pages: `make screenshots`, or `python -m tools.screenshots --all FOLDER`.

A tour is started (`shiming tour`), somebody walks through it in headless Chromium with the tour's own
pretended camera, and every page is kept in both languages and two sizes. States that a tour reaches only by
many proofs are those of an installation into which tests put what camera and models would have found.

Without `--all`, docs/screenshots gets the few of `KEPT`, and in `pages/` each page once a language, small: a
repository keeps them for ever. A page (a template that extends the frame) without a picture is an error.
"""

import argparse
import os
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tools.screenshots_at_home import walk_homes
from tools.screenshots_at_the_counter import walk_counter
from tools.screenshots_companies import walk_companies
from tools.screenshots_furnished import Stage, a_furnished_installation
from tools.screenshots_notes import note_into
from tools.screenshots_of_the_desk import walk_lists
from tools.screenshots_of_the_reader import walk_reader
from tools.screenshots_studio import Album, Studio, a_tour
from tools.screenshots_walk import walk_tour

TARGET = Path(__file__).parents[1] / "docs" / "screenshots"
_SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
)


def main() -> None:
    """Walk through the tour and keep what is seen."""
    parser = argparse.ArgumentParser(description="Make pictures of the pages.")
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="every page, whole, into this folder")
    parser.add_argument("--no-tour", action="store_true", help="without what needs models and minutes")
    given = parser.parse_args()
    chromium = os.environ.get("SHIMING_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        raise SystemExit("no Chromium: install Debian's package `chromium`, or name one by SHIMING_CHROMIUM")
    folder: Path = given.all or TARGET
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as room, sync_playwright() as playwright:
        album = Album(folder, Path(room) / "notes", everything=given.all is not None)
        album.notes.touch()
        note_into(album.notes)
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_SWITCHES))
        with a_furnished_installation(Path(room)) as furnished:
            stage = Stage(Studio(browser, furnished.counter.address, album), furnished)
            # the last three move the clock
            for walk in (walk_lists, walk_companies, walk_reader, walk_counter, walk_homes):
                walk(stage)
        if not given.no_tour:
            with a_tour(album.notes) as tour:
                walk_tour(Studio(browser, tour["url"], album, tour))
        browser.close()
    if not given.no_tour and (missing := album.missing()):
        raise SystemExit(f"not seen: {', '.join(missing)}")
    if not (given.all or given.no_tour):
        album.remove_others()


if __name__ == "__main__":
    main()
