"""Zones are read from pictures: every format, every way up, small too; other pictures have none."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from shiming.recognition.document_detection.rectification import SEARCH_SIDE_PX
from shiming.recognition.documents.mrz.effort import READINGS_MAX, SEARCHES_MAX, CountedReader, EffortSpent
from shiming.recognition.documents.mrz.places import dark_bars
from shiming.recognition.documents.mrz.travel_document import ZoneReading, read_travel_document
from shiming.recognition.images import read_image
from shiming.recognition.inference import ModelRuntime
from shiming.recognition.measurements import Image
from shiming.recognition.model_files import ModelFiles
from shiming.recognition.text_recognition import TextReader

FOLDER = Path(__file__).parents[2] / "specimens"
CASES: dict[str, Any] = json.loads((FOLDER / "cases.json").read_text("utf-8"))["documents"]
ZONES = sorted(name for name, case in CASES.items() if case["kind"].startswith("mrz_"))
TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def reader() -> TextReader:
    return TextReader(ModelRuntime(ModelFiles()))


def read(image: Image, reader: TextReader, *, thorough: bool = False) -> ZoneReading | None:
    lines = reader.find_lines(image, SEARCH_SIDE_PX)
    return read_travel_document(image, lines, reader, today=TODAY, thorough=thorough)


def web_picture(name: str, width: int, quality: int) -> Image:
    image = read_image(FOLDER / "documents" / name)
    small = cv2.resize(
        image, (width, round(width * image.shape[0] / image.shape[1])), interpolation=cv2.INTER_AREA
    )
    _, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


@pytest.mark.models
@pytest.mark.parametrize("name", ZONES)
def test_every_format_is_read(name: str, reader: TextReader) -> None:
    found = read(read_image(FOLDER / "documents" / name), reader)
    assert found is not None
    assert found.check_digits_valid
    assert found.kind.value == CASES[name]["kind"]
    assert {key: found.fields[key] for key in CASES[name]["fields"]} == CASES[name]["fields"]


@pytest.mark.models
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turned_pictures_are_read(quarters: int, reader: TextReader) -> None:
    turned = np.ascontiguousarray(np.rot90(web_picture("passport_td3.jpg", 900, 75), quarters))
    found = read(turned, reader, thorough=True)
    assert found is not None
    assert list(found.fields["mrz"]) == CASES["passport_td3.jpg"]["fields"]["mrz"]  # type: ignore[call-overload]


@pytest.mark.models
def test_a_small_picture_is_read(reader: TextReader) -> None:
    found = read(web_picture("card_td1.jpg", 520, 60), reader, thorough=True)
    assert found is not None
    assert found.check_digits_valid


@pytest.mark.models
@pytest.mark.parametrize("name", ["demo_front.jpg", "demo_back.jpg"])
def test_a_resident_card_has_no_zone(name: str, reader: TextReader) -> None:
    assert read(read_image(FOLDER / "documents" / name), reader) is None


@pytest.mark.models
def test_a_covered_digit_is_not_made_up(reader: TextReader) -> None:
    """A blot over the document number may cost the reading, never its truth."""
    image = web_picture("visa_mrva.jpg", 1100, 85)
    truth = CASES["visa_mrva.jpg"]["fields"]["document_number"]
    lines = [line for line in reader.find_lines(image, SEARCH_SIDE_PX) if line.width > 15 * line.height]
    lowest = max(lines, key=lambda line: float(line.centre[1])).corners
    at = lowest[0] + (lowest[1] - lowest[0]) * 0.08 + (lowest[3] - lowest[0]) * 0.5
    blotted = cv2.circle(image.copy(), (int(at[0]), int(at[1])), 14, (40, 40, 40), -1)
    found = read(np.asarray(blotted, np.uint8), reader)
    assert found is None or not found.check_digits_valid or found.fields["document_number"] == truth


class FakeReader(TextReader):
    """Finds and reads nothing."""

    def __init__(self) -> None:
        pass

    def find_lines(self, image: Image, side_px: int) -> tuple[()]:
        assert image.size
        assert side_px
        return ()


def test_the_effort_has_an_end() -> None:
    counted = CountedReader(FakeReader())
    picture = np.zeros((40, 40, 3), np.uint8)
    for _ in range(SEARCHES_MAX):
        counted.find_lines(picture, 64)
    with pytest.raises(EffortSpent):
        counted.find_lines(picture, 64)
    counted.readings_left = 0
    with pytest.raises(EffortSpent):
        counted.read_prose(picture)
    assert READINGS_MAX < 100


def test_a_picture_without_lines_has_no_zone() -> None:
    blank = np.full((300, 400, 3), 230, np.uint8)
    assert read_travel_document(blank, (), FakeReader(), today=TODAY, thorough=True) is None


def test_dark_bars_are_rows() -> None:
    picture = np.full((600, 900, 3), 235, np.uint8)
    for row, column in ((r, c) for r in (500, 545) for c in range(44)):
        cv2.putText(picture, "H", (40 + column * 18, row), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (20, 20, 20), 2)
    bars = [bar for bar in dark_bars(picture) if bar.width > 700]
    assert sorted(round(float(bar.centre[1]) / 20) for bar in bars) == [25, 27]
