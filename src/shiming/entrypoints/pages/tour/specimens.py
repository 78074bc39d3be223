"""What the pretended camera shows: files, and where in each photograph the card lies."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from shiming.entrypoints.demo_processes import SPECIMENS

if TYPE_CHECKING:
    from shiming.entrypoints.pages.tour.visitor_card import VisitorCard

Box = tuple[float, float, float, float]  # left, top, right, bottom, in pixels
_DOCUMENTS = {
    "front": "demo_front.jpg",
    "back": "demo_back.jpg",
    "other": "other_person_front.jpg",
}
_CLIP, _SIM = "clip", "sim"
_SIMS = 6
_SIM_BOX = 200.0, 160.0, 700.0, 360.0  # of each picture: the barcode and a little around it


def files_of(card: "VisitorCard | None", sims_shown: int) -> Mapping[str, Path]:
    """Return the files by the names that the camera asks for; each look at a SIM card is at another card."""
    made = {}
    if card is not None:
        made = {"made-front": card.front, "made-back": card.back, "made-preview": card.preview}
    documents = {name: SPECIMENS / "documents" / file for name, file in _DOCUMENTS.items()}
    sim = SPECIMENS / "tour" / f"sim-{1 + sims_shown % _SIMS}.png"
    return {**documents, **made, _SIM: sim, _CLIP: SPECIMENS / "clips" / "demo.mp4"}


@cache
def boxes() -> Mapping[str, Box]:
    """Return where the cards lie, so that the camera can hold them into the frame of a page."""
    truth = json.loads((SPECIMENS / "cases.json").read_text("utf-8"))["documents"]
    made = json.loads((SPECIMENS / "tour" / "card.json").read_text("utf-8"))["corners"]
    found = {name: _box(truth[file]["corners"]) for name, file in _DOCUMENTS.items()}
    return {**found, _SIM: _SIM_BOX, "made-front": _box(made), "made-back": found["back"]}


def _box(corners: list[tuple[float, float]]) -> Box:
    across, down = [x for x, _ in corners], [y for _, y in corners]
    return min(across), min(down), max(across), max(down)
