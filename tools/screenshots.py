"""Pictures of the pages: `make screenshots`, or `python -m tools.screenshots --all FOLDER`.

A tour is started (`shiming tour`), somebody walks through it in headless Chromium with the tour's own
pretended camera, and every page is kept in both languages and two sizes. Without `--all`, docs/screenshots
gets the few of `KEPT`, and in `pages/` each page once a language, small: a repository keeps them for ever.
"""

import argparse
import os
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

from tools.screenshots_studio import KEPT, Studio, a_tour
from tools.screenshots_walk import walk_desk, walk_journeys, walk_open_pages

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
    parser.add_argument("--no-journeys", action="store_true", help="without what needs models and minutes")
    given = parser.parse_args()
    chromium = os.environ.get("SHIMING_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        raise SystemExit("no Chromium: install Debian's package `chromium`, or name one by SHIMING_CHROMIUM")
    folder: Path = given.all or TARGET
    folder.mkdir(parents=True, exist_ok=True)
    with a_tour() as tour, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_SWITCHES))
        studio = Studio(browser, tour, folder, everything=given.all is not None)
        walk_open_pages(studio)
        if not given.no_journeys:
            walk_journeys(studio)
        walk_desk(studio)
        browser.close()
    missing = () if given.no_journeys else sorted(KEPT - set(studio.written))
    if missing:
        raise SystemExit(f"not seen: {', '.join(missing)}")


if __name__ == "__main__":
    main()
