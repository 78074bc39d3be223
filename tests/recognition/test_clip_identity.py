"""Is it one person through the clip? The embedder sees what the test paints into the corner of a frame."""

from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shiming.recognition.clips.frames_kept import KeptFrame
from shiming.recognition.clips.identity import ClipIdentity, clip_identity
from shiming.recognition.face_embedding import FaceEmbedder, unit
from shiming.recognition.head_pose import HeadPose, canonical_face
from shiming.recognition.measurements import ClipEventKind

Image = NDArray[np.uint8]
Vector = NDArray[np.float32]
POINTS = (canonical_face() * 6 + 64).astype(np.float32)
PEOPLE = np.eye(64, dtype=np.float32)[:5]  # nobody is like anybody else


class PaintedEmbedder:
    """Returns the painted person's vector, a little different in every frame."""

    models = ()

    def __init__(self, *, second: bool = True) -> None:
        self._second = second

    def primary(self, image: Image, _points: Vector) -> Vector:
        noise = np.random.default_rng(int(image[0, 1, 0])).normal(0, 0.03, 64)
        return unit(PEOPLE[int(image[0, 0, 0])] + noise.astype(np.float32))

    def secondary(self, image: Image, points: Vector) -> Vector | None:
        return self.primary(image, points) if self._second else None


def a_frame(time_s: float, person: int, yaw: float = 0.0) -> KeptFrame:
    image = np.full((128, 128, 3), 128, np.uint8)
    image[0, :2, 0] = person, round(time_s * 2)
    return KeptFrame(time_s, image, POINTS, HeadPose(yaw, 0, 0), 200.0, 200.0)


def identity(frames: list[KeptFrame], *, second: bool = True) -> ClipIdentity:
    return clip_identity(frames, 0.0, 1, cast("FaceEmbedder", PaintedEmbedder(second=second)))


@settings(deadline=None, max_examples=30)
@given(person=st.integers(0, 4), yaws=st.lists(st.floats(-40, 40), min_size=2, max_size=14))
def test_one_person_is_one_person_however_they_turn(person: int, yaws: list[float]) -> None:
    found = identity([a_frame(at / 2, person, yaw) for at, yaw in enumerate(yaws)])
    assert found.changes == ()
    assert found.same_person_min is None or found.same_person_min > 0.8


@settings(deadline=None, max_examples=30)
@given(first=st.integers(0, 4), second=st.integers(0, 4), at=st.integers(1, 9), second_vote=st.booleans())
def test_a_splice_anywhere_is_found(first: int, second: int, at: int, second_vote: bool) -> None:
    frames = [a_frame(number / 2, first if number < at else second) for number in range(10)]
    found = identity(frames, second=second_vote)
    assert bool(found.changes) == (first != second)
    if first != second:
        assert found.same_person_min is not None
        assert found.same_person_min < 0.4
        assert found.changes[0].kind is ClipEventKind.IDENTITY_CHANGE


def test_somebody_else_who_makes_only_the_large_turn_is_found() -> None:
    frames = [a_frame(at / 2, 0) for at in range(4)]
    frames += [a_frame(2.0, 1, 33.0), a_frame(2.5, 1, 35.0)]
    frames += [a_frame(3 + at / 2, 0) for at in range(4)]
    found = identity(frames)
    assert [(event.start_s, event.end_s) for event in found.changes] == [(2.0, 2.5)]
    assert found.same_person_min is not None
    assert found.same_person_min > 0.8  # a far turned face does not count here


def test_the_template_is_of_neutral_frames_only() -> None:
    found = identity([a_frame(0, 0), a_frame(0.5, 0), a_frame(1, 0, 20.0)])
    assert found.template.frames_used == 2
    assert float(np.linalg.norm(found.template.primary)) == pytest.approx(1, abs=1e-5)
    assert identity([a_frame(0, 0)], second=False).template.secondary is None
    assert identity([a_frame(0, 0)]).same_person_min is None
