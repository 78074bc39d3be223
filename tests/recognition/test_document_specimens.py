"""The shipped pictures are read as their list says; faults of a picture are named."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiming.recognition.document_detection.cut_off_cards import cut_edges
from shiming.recognition.documents.copy_signs import missing_colour, moire
from shiming.recognition.documents.reader import read_document
from shiming.recognition.documents.tools import DocumentTools, load_document_tools
from shiming.recognition.images import read_image
from shiming.recognition.inference import ModelRuntime
from shiming.recognition.measurements import DocumentMeasurement
from shiming.recognition.model_files import ModelFiles

SPECIMENS = Path(__file__).parents[2] / "specimens"
TODAY = date(2026, 11, 22)
READ = ("front_minority_name.jpg", "front_strong.jpg", "front_upside_down.jpg", "back_strong.jpg")


@pytest.fixture(scope="module")
def tools() -> DocumentTools:
    return load_document_tools(ModelRuntime(ModelFiles()))


@pytest.fixture(scope="module")
def cases() -> dict[str, Any]:
    return dict(json.loads((SPECIMENS / "cases.json").read_text("utf-8"))["documents"])


def measured(name: str, tools: DocumentTools) -> DocumentMeasurement:
    return read_document(read_image(SPECIMENS / "documents" / name), tools, today=TODAY)


@pytest.mark.models
@pytest.mark.parametrize("name", READ)
def test_a_specimen_is_read_as_printed(name: str, tools: DocumentTools, cases: dict[str, Any]) -> None:
    read = measured(name, tools)
    assert read.kind.value == cases[name]["kind"]
    assert dict(read.fields) == cases[name]["fields"]
    assert read.rectified is not None
    assert "rectified" not in read.to_json()


@pytest.mark.models
def test_a_cut_off_card_gives_no_number_and_says_where_it_is_cut(tools: DocumentTools) -> None:
    read = measured("front_cut_off.jpg", tools)
    assert read.quality.cut_edges == ("right",)
    assert "number" not in read.fields
    assert any("right edge" in advice.en for advice in read.quality.advice)


@pytest.mark.models
def test_two_cards_are_counted_and_not_merged(tools: DocumentTools, cases: dict[str, Any]) -> None:
    read = measured("two_cards.jpg", tools)
    assert read.cards_seen == 2
    people = ("demo_front.jpg", "other_person_front.jpg")
    assert dict(read.fields) in [cases[name]["fields"] for name in people]


@pytest.mark.models
def test_copies_show_signs_that_a_card_does_not(tools: DocumentTools) -> None:
    card = measured("other_person_front.jpg", tools).copy_signs
    screen = measured("front_screen_replay.jpg", tools).copy_signs
    copy = measured("front_photocopy.jpg", tools).copy_signs
    assert max(card.moire, card.missing_colour, card.frame_edges) < 0.1
    assert max(screen.moire, screen.frame_edges) > 0.1
    assert copy.missing_colour > 0.3


@given(st.integers(120, 900), st.floats(0.05, 0.3))
def test_a_card_inside_the_picture_is_not_cut(width: int, margin: float) -> None:
    height, gap = width / 1.585, width * margin
    low, high = gap, np.array((gap + width, gap + height))
    outline = np.array([[low, low], [high[0], low], [*high], [low, high[1]]], np.float32)
    picture = np.zeros((round(height + 2 * gap), round(width + 2 * gap), 3), np.uint8)
    assert cut_edges(picture, outline, ()) == ()


@given(st.floats(0.6, 0.82))
def test_an_outline_too_short_for_a_card_is_cut_where_it_meets_the_rim(kept: float) -> None:
    width, height, gap = round(800 * kept), 505, 60
    outline = np.array([[gap, gap], [gap + width, gap], [gap + width, gap + height], [gap, gap + height]])
    picture = np.zeros((height + 2 * gap, gap + width, 3), np.uint8)
    assert cut_edges(picture, outline.astype(np.float32), ()) == ("right",)


@settings(max_examples=6, deadline=None)
@given(st.sampled_from((2.4, 2.8, 3.3, 3.7, 4.6)), st.integers(0, 99))
def test_a_fine_grid_over_a_picture_is_moire(pitch: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    plain = 180 + random.normal(0, 6, (700, 900))
    across, down = np.arange(900), np.arange(700)[:, None]
    grid = 30 * np.cos(2 * np.pi * (across + 0.21 * down) / pitch)
    pictures = [
        np.repeat(np.clip(p, 0, 255).astype(np.uint8)[..., None], 3, 2) for p in (plain, plain + grid)
    ]
    assert moire(pictures[0], None) < 0.1
    assert moire(pictures[1], None) > 0.5


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 255), st.integers(0, 10))
def test_grey_pictures_miss_colour_and_coloured_print_does_not(level: int, seed: int) -> None:
    grey = np.random.default_rng(seed).integers(max(0, level - 9), level + 1, (60, 90, 1), np.uint8)
    picture = np.repeat(grey, 3, axis=2)
    assert missing_colour(picture) > 0.7
    coloured = picture.copy()
    coloured[:, :30] = (40, 60, 200)
    coloured[:, 30:60] = (200, 120, 30)
    assert missing_colour(coloured) < 0.3
