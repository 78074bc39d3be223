"""Template maths and alignment. No models."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shiming.recognition.clips.frames_kept import STRETCHES_MAX, FrameKeeper, KeptFrame, neutral_frames
from shiming.recognition.face_detection import overlap
from shiming.recognition.face_embedding import compare, mean_of, similarity, unit
from shiming.recognition.face_quality import ALIGNED_POINTS, similarity_between
from shiming.recognition.head_pose import HeadPose, canonical_face
from shiming.recognition.measurements import FaceQuality, FaceTemplate

Vector = NDArray[np.float32]
seeds = st.integers(0, 2**32 - 1)
QUALITY = FaceQuality(
    yaw_degrees=0,
    pitch_degrees=0,
    roll_degrees=0,
    sharpness=100,
    light=120,
    light_evenness=1,
    occlusion=0,
    width_px=200,
    faces_seen=1,
)


def a_vector(seed: int, size: int = 512) -> Vector:
    return unit(np.random.default_rng(seed).normal(size=size).astype(np.float32))


def a_template(seed: int, *, second: bool = True) -> FaceTemplate:
    secondary = a_vector(seed + 1, 1024) if second else None
    return FaceTemplate(primary=a_vector(seed), secondary=secondary, quality=QUALITY)


@given(first=seeds, second=seeds)
def test_comparison_is_symmetric_and_bounded(first: int, second: int) -> None:
    there, back = (
        compare(a_template(first), a_template(second)),
        compare(a_template(second), a_template(first)),
    )
    assert there.similarity == pytest.approx(back.similarity)
    assert -1 <= there.similarity <= 1
    assert there.second_similarity is not None
    assert compare(a_template(first), a_template(first)).similarity == pytest.approx(1, abs=1e-5)


@given(first=seeds, second=seeds, which=st.sampled_from([(True, False), (False, True), (False, False)]))
def test_a_missing_second_vote_is_none_and_never_a_number(
    first: int, second: int, which: tuple[bool, bool]
) -> None:
    found = compare(a_template(first, second=which[0]), a_template(second, second=which[1]))
    assert found.second_similarity is None


def test_the_similarity_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="both"):
        similarity(None, a_vector(1))


@given(seed=seeds, count=st.integers(1, 8))
def test_a_mean_of_noisy_frames_is_nearer_to_the_person_than_they_are(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    person = a_vector(seed)
    frames = [unit(person + random.normal(0, 0.04, 512).astype(np.float32)) for _ in range(count)]
    mean = mean_of(frames)
    assert float(np.linalg.norm(mean)) == pytest.approx(1, abs=1e-5)
    assert similarity(mean, person) >= np.mean([similarity(frame, person) for frame in frames]) - 1e-6


@given(angle=st.floats(-180, 180), scale=st.floats(0.05, 20), x=st.floats(-900, 900), y=st.floats(-900, 900))
def test_alignment_undoes_any_turn_scale_and_shift(angle: float, scale: float, x: float, y: float) -> None:
    turn = math.radians(angle)
    matrix = scale * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    placed = ALIGNED_POINTS.astype(np.float64) @ matrix.T + [x, y]
    back = similarity_between(placed, ALIGNED_POINTS.astype(np.float64))
    assert np.allclose(placed @ back[:, :2].T + back[:, 2], ALIGNED_POINTS, atol=0.05)


@given(
    data=st.tuples(*[st.integers(-50, 50), st.integers(-50, 50), st.integers(1, 80), st.integers(1, 80)] * 2)
)
def test_overlap_is_symmetric_and_one_only_for_the_same_box(data: tuple[int, ...]) -> None:
    first, second = (data[0], data[1], data[2], data[3]), (data[4], data[5], data[6], data[7])
    assert overlap(first, second) == overlap(second, first)
    assert 0 <= overlap(first, second) <= 1
    assert overlap(first, first) == 1
    assert (overlap(first, second) == 1) == (first == second)


@given(seed=seeds, duration=st.floats(1, 60))
def test_few_frames_are_kept_whatever_the_length(seed: int, duration: float) -> None:
    random = np.random.default_rng(seed)
    keeper = FrameKeeper(duration)
    image = random.integers(0, 255, (64, 64, 3), np.uint8)
    points = (canonical_face() * 4 + 32).astype(np.float32)
    times = np.arange(0, duration, 0.5)
    for time_s in times:
        keeper.offer(float(time_s), image, points, HeadPose(float(random.uniform(-40, 40)), 0, 0))
    kept = keeper.frames()
    assert 1 <= len(kept) <= STRETCHES_MAX + 1
    assert [frame.time_s for frame in kept] == sorted(frame.time_s for frame in kept)


@given(yaws=st.lists(st.floats(-40, 40), min_size=1, max_size=20), neutral=st.floats(-10, 10))
def test_neutral_frames_are_near_neutral_if_there_are_any(yaws: list[float], neutral: float) -> None:
    empty = np.zeros((1, 1, 3), np.uint8)
    frames = [
        KeptFrame(float(at), empty, np.zeros((468, 3), np.float32), HeadPose(yaw, 0, 0), 100.0, 1.0)
        for at, yaw in enumerate(yaws)
    ]
    chosen = neutral_frames(frames, neutral, 5)
    assert 1 <= len(chosen) <= 5
    nearest = min(abs(yaw - neutral) for yaw in yaws)
    assert min(abs(frame.pose.yaw - neutral) for frame in chosen) <= max(nearest, 8.0)
