"""Which template of ours each picture shows, so that no page is left out without anybody noticing.

Servers in this process and the tour's, which is started through this module, write down each page that they
render. The last one is what a picture shows; `pages_of_templates` are those that there are.

python -m tools.screenshots_notes FILE tour --json     `shiming tour --json`, noted into FILE
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jinja2

from shiming.entrypoints.pages.rendering import TEMPLATES, environment_of

LANGUAGES = ("en", "zh")
_FRAME = "layout.html"  # what every page extends
_EXTENDS = re.compile(r'\{% extends "([^"]+)" %\}')


def note_into(file: Path) -> None:
    """Write the name of every template that this process renders from now on into a file, a line each."""

    class Noted(jinja2.Template):
        def render(self, *given: Any, **named: Any) -> str:
            with file.open("a", encoding="utf-8") as notes:
                notes.write(f"{self.name}\n")
            return super().render(*given, **named)

    for language in LANGUAGES:
        environment_of(language).template_class = Noted


def pages_of_templates() -> frozenset[str]:
    """Return the templates that are a whole page: they extend the frame, and none extends them."""
    parents = {}
    for path in TEMPLATES.rglob("*.html"):
        if found := _EXTENDS.search(path.read_text("utf-8")):
            parents[path.relative_to(TEMPLATES).as_posix()] = found[1]
    framed = {name for name in parents if _outermost(name, parents) == _FRAME}
    return frozenset(framed - set(parents.values()))


def last_page(file: Path, pages: Iterable[str]) -> str:
    """Return the page that was rendered last; parts of pages, which scripts ask for, are passed over."""
    wanted = frozenset(pages)
    return next((name for name in reversed(file.read_text("utf-8").split()) if name in wanted), "")


def _outermost(name: str, parents: dict[str, str]) -> str:
    while name in parents:
        name = parents[name]
    return name


if __name__ == "__main__":
    note_into(Path(sys.argv.pop(1)))
    from shiming.entrypoints.cli import main

    main()
