"""The models on clips of real people, and on what must not pass for one."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.clip_attacks import encoded, frames_of, frozen, loop, splice
from evaluation.faces import PORTRAITS, portrait_of
from shiming.recognition.clips.limits import ClipLimits
from shiming.recognition.clips.measurement import ClipTools, clip_tools, measure_clip
from shiming.recognition.face_embedding import compare, measure_face
from shiming.recognition.inference import ModelRuntime
from shiming.recognition.measurements import ClipEventKind, ClipMeasurement
from shiming.recognition.model_files import MANIFEST, ModelFiles
from shiming.vocabulary.errors import BadInput, Unavailable
from tests.recognition.clips_for_tests import REAL_PEOPLE, a_clip, pictures

Image = NDArray[np.uint8]
pytestmark = pytest.mark.models
real_people = pytest.mark.real_people
#: Below what people of the study reach among strangers and above what they reach with themselves.
FIRST, SECOND = 0.45, 0.65


@pytest.fixture(scope="module")
def tools() -> ClipTools:
    return clip_tools(ModelRuntime(ModelFiles()))


@pytest.fixture(scope="module")
def people() -> Path:
    if not REAL_PEOPLE.is_dir():
        pytest.skip(f"clips of real people are not at {REAL_PEOPLE}")
    return REAL_PEOPLE


@pytest.fixture(scope="module")
def frames(people: Path) -> dict[str, list[Image]]:
    return {name: frames_of(people / f"{name}.mp4", 4.0)[0] for name in ("d12", "d18", "d20")}


@pytest.fixture(scope="module")
def d12(people: Path, tools: ClipTools) -> ClipMeasurement:
    return measure_clip(people / "d12.mp4", tools, ClipLimits())


def measured(images: Sequence[Image], tools: ClipTools) -> ClipMeasurement:
    return measure_clip(encoded(images, 25), tools, ClipLimits())


def kinds(found: ClipMeasurement) -> set[ClipEventKind]:
    return {event.kind for event in found.events}


@real_people
def test_turns_and_blinks_of_a_person_are_found(d12: ClipMeasurement) -> None:
    turns = [event for event in d12.events if event.kind.value.startswith("turn")]
    assert [event.kind.value for event in turns] == ["turn_left", "turn_right", "turn_left"]
    assert [round(event.start_s) for event in turns] == [1, 3, 6]
    assert all(event.degrees is not None and event.degrees > 12 for event in turns)
    blinks = [event.start_s for event in d12.events if event.kind is ClipEventKind.BLINK]
    assert any(1.8 < start < 2.1 for start in blinks)
    assert any(5.3 < start < 5.6 for start in blinks)
    assert len(blinks) <= 4


@real_people
def test_a_living_person_shows_no_sign_of_an_attack(d12: ClipMeasurement) -> None:
    signs = d12.attack_signs
    assert kinds(d12).isdisjoint(
        {ClipEventKind.IDENTITY_CHANGE, ClipEventKind.FROZEN, ClipEventKind.REPEATED, ClipEventKind.TIME_GAP}
        | {ClipEventKind.FACE_LOST, ClipEventKind.SECOND_FACE}
    )
    assert signs.faces_max == 1
    assert signs.planar_score is not None
    assert signs.planar_score < 0.4
    assert signs.passive_live_score is not None
    assert signs.passive_live_score > 0.5
    assert d12.face.present_share == 1.0
    assert d12.face.template is not None
    assert d12.face.template.frames_used == 5
    assert d12.has_audio


@real_people
@pytest.mark.long  # `make evaluate` measures the same on more pairs
def test_portraits_match_their_person_only(frames: dict[str, list[Image]], tools: ClipTools) -> None:
    clips = {name: measured(images[50:], tools).face.template for name, images in frames.items()}
    for name, images in frames.items():
        box = tools.face.detector.detect(images[0])[0].box
        portrait = measure_face(portrait_of(images[0], box, PORTRAITS[0]), tools.face)
        for other, clip in clips.items():
            assert clip is not None
            likeness = compare(portrait, clip)
            assert likeness.second_similarity is not None
            same = likeness.similarity >= FIRST and likeness.second_similarity >= SECOND
            assert same == (name == other), (name, other, likeness)


@real_people
def test_two_people_spliced_are_two_people(frames: dict[str, list[Image]], tools: ClipTools) -> None:
    found = measured(splice(frames["d18"], frames["d20"]), tools)
    assert ClipEventKind.IDENTITY_CHANGE in kinds(found)
    assert found.attack_signs.same_person_min is not None
    assert found.attack_signs.same_person_min < 0.3


@real_people
@pytest.mark.long  # the made clips of tests/specimens show the same in a tenth of the time
def test_a_held_and_a_repeated_recording_show(frames: dict[str, list[Image]], tools: ClipTools) -> None:
    held = measured(frozen(frames["d20"], 1.5, 25), tools)
    assert ClipEventKind.FROZEN in kinds(held)
    assert held.attack_signs.frozen_share > 0.2
    assert ClipEventKind.REPEATED in kinds(measured(loop(frames["d20"], 1.8, 25), tools))


@real_people
def test_a_second_face_is_reported_and_a_photo_of_two_is_refused(
    frames: dict[str, list[Image]], tools: ClipTools
) -> None:
    both = [np.hstack([a, b]) for a, b in zip(frames["d18"][:40], frames["d20"][:40], strict=True)]
    assert measured(both, tools).attack_signs.faces_max == 2
    with pytest.raises(BadInput) as caught:
        measure_face(both[0], tools.face)
    assert caught.value.code == "FACE_SEVERAL"


@real_people
def test_a_face_far_away_is_too_small(frames: dict[str, list[Image]], tools: ClipTools) -> None:
    far = np.full((720, 720, 3), 120, np.uint8)
    far[340:388, 340:388] = cv2.resize(frames["d18"][0], (48, 48), interpolation=cv2.INTER_AREA)
    with pytest.raises(BadInput) as caught:
        measure_face(far, tools.face)
    assert caught.value.code in {"FACE_TOO_SMALL", "FACE_ABSENT"}


@real_people
def test_losing_optional_models_is_said_and_not_covered_up(
    frames: dict[str, list[Image]], tmp_path: Path
) -> None:
    manifest = tmp_path / "models.toml"
    tables = MANIFEST.read_text("utf-8").split("\n\n")
    gone = ("[model.face_embedding_second]", "[model.passive_liveness]")
    manifest.write_text("\n\n".join(table for table in tables if not table.startswith(gone)), "utf-8")
    reduced = clip_tools(ModelRuntime(ModelFiles(manifest=manifest)))
    found = measured(frames["d20"][:30], reduced)
    assert found.attack_signs.passive_live_score is None
    assert found.attack_signs.same_person_second_min is None
    assert found.face.template is not None
    assert found.face.template.secondary is None


def test_without_a_required_model_there_are_no_tools(tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text("", "utf-8")
    with pytest.raises(Unavailable):
        clip_tools(ModelRuntime(ModelFiles(manifest=tmp_path / "models.toml")))


def test_a_clip_without_a_face_is_measured_as_that(tools: ClipTools) -> None:
    found = measure_clip(a_clip(pictures(30, 320, 240)), tools, ClipLimits())
    assert found.face.present_share == 0
    assert found.face.template is None
    assert found.attack_signs.same_person_min is None
    assert found.attack_signs.faces_max == 0
    assert ClipEventKind.FACE_LOST in kinds(found)


def test_a_long_clip_without_a_face_is_not_read_to_its_end(tools: ClipTools) -> None:
    with pytest.raises(BadInput) as caught:
        measure_clip(a_clip(pictures(30, 160, 120), rate=5), tools, replace(ClipLimits(), face_within_s=2.0))
    assert caught.value.code == "CLIP_WITHOUT_FACE"


def test_a_picture_without_a_face_is_refused(tools: ClipTools) -> None:
    with pytest.raises(BadInput) as caught:
        measure_face(np.full((400, 300, 3), 128, np.uint8), tools.face)
    assert caught.value.code == "FACE_ABSENT"
