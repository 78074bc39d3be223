"""`make screenshots` leaves no page out: what a page is, and which one a picture shows."""

from pathlib import Path

from shiming.entrypoints.pages.rendering import TEMPLATES
from tools.screenshots_notes import last_page, pages_of_templates


def test_pages_are_the_templates_that_nothing_extends() -> None:
    pages = pages_of_templates()
    assert {"problem.html", "home/result.html", "desk/line.html", "counter/over.html"} <= pages
    assert not pages & {"layout.html", "desk/base.html", "counter/frame.html", "home/line_facts.html"}
    headed = {
        path.relative_to(TEMPLATES).as_posix()
        for path in TEMPLATES.rglob("*.html")
        if "{% block title %}" in path.read_text("utf-8")
    }
    assert pages <= headed, "each has a title of its own"
    assert headed - pages <= {"layout.html", "desk/base.html", "counter/frame.html", "home/frame.html"}


def test_a_picture_shows_the_page_that_came_last_whatever_scripts_asked_for(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.write_text("desk/line.html\nhome/activation.html\nhome/line_state.html\n", "utf-8")
    assert last_page(notes, pages_of_templates()) == "home/activation.html"
    notes.write_text("home/line_state.html\n", "utf-8")
    assert not last_page(notes, pages_of_templates())
