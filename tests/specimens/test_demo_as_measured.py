"""The product's own measurements see in the demo clip what its script says."""

import json
from pathlib import Path
from typing import Any

import pytest

from shiming.recognition.clips.limits import ClipLimits
from shiming.recognition.clips.measurement import ClipTools, clip_tools, measure_clip
from shiming.recognition.face_embedding import compare, measure_face
from shiming.recognition.inference import ModelRuntime
from shiming.recognition.measurements import ClipMeasurement
from shiming.recognition.model_files import ModelFiles
from tools.specimens.portraits import demo_portrait, second_portrait

pytestmark = pytest.mark.models
FOLDER = Path(__file__).parents[2] / "specimens"
DEMO: dict[str, Any] = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))["demo"]
LARGE_TURN_DEGREES = 22.0


@pytest.fixture(scope="module")
def tools() -> ClipTools:
    return clip_tools(ModelRuntime(ModelFiles()))


@pytest.fixture(scope="module")
def demo(tools: ClipTools) -> ClipMeasurement:
    return measure_clip(FOLDER / "clips" / "demo.mp4", tools, ClipLimits())


def test_gestures_are_seen_in_their_order_and_at_their_times(demo: ClipMeasurement) -> None:
    wanted = DEMO["events"]
    seen = [event for event in demo.events if event.kind.value in DEMO["gestures"]]
    assert [event.kind.value for event in seen] == DEMO["gestures"]
    for event, truth in zip(seen, wanted, strict=True):
        assert truth["start_s"] <= event.start_s < event.end_s <= truth["end_s"] + 0.1
        assert event.degrees is None or event.degrees > LARGE_TURN_DEGREES


def test_events_follow_their_prompts(demo: ClipMeasurement) -> None:
    prompts = {prompt["kind"]: prompt["prompt_s"] for prompt in DEMO["prompts"]}
    for event in demo.events:
        if event.kind.value in DEMO["gestures"]:
            assert 0.15 < event.start_s - prompts[event.kind.value] < 3


def test_face_of_the_clip_is_that_of_the_portrait_and_nobody_elses(
    demo: ClipMeasurement, tools: ClipTools
) -> None:
    assert demo.face.template is not None
    own = compare(demo.face.template, measure_face(demo_portrait(), tools.face))
    other = compare(demo.face.template, measure_face(second_portrait(), tools.face))
    assert own.similarity > 0.8
    assert other.similarity < 0.3


def test_flat_photo_shows_no_large_turn(tools: ClipTools) -> None:
    seen = measure_clip(FOLDER / "clips" / "flat_photo.mp4", tools, ClipLimits())
    assert not [event for event in seen.events if (event.degrees or 0) > LARGE_TURN_DEGREES]


def test_splice_shows_two_persons(tools: ClipTools, demo: ClipMeasurement) -> None:
    seen = measure_clip(FOLDER / "clips" / "splice.mp4", tools, ClipLimits())
    assert seen.attack_signs.same_person_min is not None
    assert demo.attack_signs.same_person_min is not None
    assert seen.attack_signs.same_person_min < 0.4 < demo.attack_signs.same_person_min
