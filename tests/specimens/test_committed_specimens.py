"""The committed files are there, small, and say what `cases.json` says."""

import json
from pathlib import Path
from typing import Any

import cv2
import pytest
from PIL import Image as PilImage
from stdnum.cn import ric

from tools.specimens.bad_inputs import hundred_megapixels
from tools.specimens.build import GROUPS
from tools.specimens.clip_files import read_clip
from tools.specimens.demo_clip import DEMO_PERFORMANCE
from tools.specimens.document_cases import DEMO_PERSON, document_cases

FOLDER = Path(__file__).parents[2] / "specimens"
CASES: dict[str, Any] = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))
BYTES_MAX = 8_000_000


def test_together_they_stay_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < BYTES_MAX


@pytest.mark.parametrize("group", GROUPS)
def test_every_file_has_its_truth_and_every_truth_its_file(group: str) -> None:
    assert {path.name for path in (FOLDER / group).iterdir()} == set(CASES[group])


def test_truth_of_the_demo_is_that_of_its_maker() -> None:
    demo = CASES["demo"]
    assert demo["person"] == DEMO_PERSON.front_truth() | DEMO_PERSON.back_truth()
    assert demo["gestures"] == [gesture.kind for gesture in DEMO_PERFORMANCE.gestures]
    assert ric.validate(demo["person"]["number"])
    for key in ("document_front", "document_back", "clip", "digits_audio"):
        assert (FOLDER / demo[key]).is_file()


def test_prompts_come_before_their_gestures() -> None:
    for performance in (DEMO_PERFORMANCE,):
        starts = [*(gesture.start_s for gesture in performance.gestures), performance.digits_at_s]
        ends = [0.0, *(gesture.end_s for gesture in performance.gestures)]
        for prompt, start, end_before in zip(performance.prompts_s, starts, ends, strict=True):
            assert end_before <= prompt < start - 0.15


def test_documents_are_pictures_that_hold_their_card() -> None:
    assert set(CASES["documents"]) == set(document_cases())
    for name, truth in CASES["documents"].items():
        picture = cv2.imread(str(FOLDER / "documents" / name))
        assert picture is not None
        inside = all(0 <= x < picture.shape[1] and 0 <= y < picture.shape[0] for x, y in truth["corners"])
        assert inside is (name != "front_cut_off.jpg"), name


def test_demo_clip_is_as_long_as_its_script_and_has_sound() -> None:
    clip = read_clip(FOLDER / "clips" / "demo.mp4")
    assert clip.frames[0].shape == (512, 512, 3)
    assert clip.seconds == pytest.approx(DEMO_PERFORMANCE.seconds, abs=0.1)
    assert clip.sound is not None


def test_frozen_clip_is_frozen_only_where_it_says() -> None:
    clip = read_clip(FOLDER / "clips" / "frozen.mp4")
    start, end = CASES["clips"]["frozen.mp4"]["frozen_s"]
    change = [cv2.absdiff(a, b).mean() for a, b in zip(clip.frames[:-1], clip.frames[1:], strict=True)]
    held = change[round(start * 25) + 2 : round(end * 25) - 2]
    assert max(held) < min(change[10:20])


def test_small_file_declares_a_hundred_megapixels(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(hundred_megapixels())
    assert path.stat().st_size < 200_000
    with pytest.warns(PilImage.DecompressionBombWarning), PilImage.open(path) as image:
        assert image.size == (10_000, 10_000)
