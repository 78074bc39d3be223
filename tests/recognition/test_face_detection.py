"""Geometry of the detector: anchors, letterbox, blending. The nets answer as the test says."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shiming.recognition.face_detection import _CASCADE, FaceDetector, _anchors, overlap
from shiming.recognition.inference import ModelRuntime

Tensor = NDArray[Any]


class ScriptedNets:
    """A runtime whose first net reports faces at the given places (0..1 of its square input)."""

    def __init__(self, places: list[tuple[float, float, float]], answers: str = _CASCADE[0].model) -> None:
        self._places = places
        self._answers = answers
        self.asked: list[str] = []

    def litert(self, name: str) -> Callable[[Tensor], list[Tensor]]:
        net = next(net for net in _CASCADE if net.model == name)

        def run(tensor: Tensor) -> list[Tensor]:
            self.asked.append(name)
            assert tensor.shape == (1, net.side, net.side, 3)
            assert tensor.dtype == np.float32
            assert float(np.abs(tensor).max()) <= 1.0
            anchors = _anchors(net)
            boxes, logits = np.zeros((1, len(anchors), 16)), np.full((1, len(anchors), 1), -9.0)
            for x, y, size in self._places if name == self._answers else []:
                for near in np.argsort(np.hypot(*(anchors - [x, y]).T))[
                    :3
                ]:  # as real nets do: several answers
                    logits[0, near] = 3.0
                    offset = (np.array([x, y]) - anchors[near]) * net.side
                    boxes[0, near] = [*offset, size * net.side, size * net.side, *np.tile(offset, 6)]
            return [boxes.astype(np.float32), logits.astype(np.float32)]

        return run


def a_detector(nets: ScriptedNets) -> FaceDetector:
    return FaceDetector(cast("ModelRuntime", nets))


@pytest.mark.parametrize(("net", "count"), list(zip(_CASCADE, (896, 2304, 896), strict=True)))
def test_there_is_an_anchor_for_every_answer_of_the_net(net: Any, count: int) -> None:
    anchors = _anchors(net)
    assert anchors.shape == (count, 2)
    assert anchors.min() > 0
    assert anchors.max() < 1


@given(
    x=st.floats(0.3, 0.7),
    y=st.floats(0.3, 0.7),
    size=st.floats(0.1, 0.4),
    width=st.integers(50, 1500),
    height=st.integers(50, 1500),
)
def test_a_face_is_placed_in_pixels_of_the_picture_whatever_its_shape(
    x: float, y: float, size: float, width: int, height: int
) -> None:
    faces = a_detector(ScriptedNets([(x, y, size)])).detect(np.zeros((height, width, 3), np.uint8))
    assert len(faces) == 1  # several answers for one face are one face
    longer = max(width, height)
    expected = width / 2 + (x - 0.5) * longer, height / 2 + (y - 0.5) * longer
    tolerance = 2 + longer / 64  # rounding of the letterbox
    assert faces[0].centre == pytest.approx(expected, abs=tolerance)
    assert faces[0].side_px == pytest.approx(size * longer, abs=tolerance)
    assert faces[0].keypoints.mean(axis=0) == pytest.approx(np.array(expected), abs=tolerance)
    assert 0.9 < faces[0].score < 1


def test_two_faces_are_two_and_the_larger_is_first() -> None:
    nets = ScriptedNets([(0.25, 0.5, 0.2), (0.7, 0.5, 0.3)])
    first, second = a_detector(nets).detect(np.zeros((400, 400, 3), np.uint8))
    assert first.side_px > second.side_px
    assert overlap(first.box, second.box) == 0


def test_slower_nets_are_asked_only_if_the_faster_see_nothing() -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    seen, unseen, late = (
        ScriptedNets([(0.5, 0.5, 0.3)]),
        ScriptedNets([]),
        ScriptedNets([(0.5, 0.5, 0.3)], _CASCADE[2].model),
    )
    assert a_detector(seen).detect(picture)
    assert a_detector(unseen).detect(picture) == ()
    assert a_detector(late).detect(picture)
    names = [net.model for net in _CASCADE]
    assert (seen.asked, unseen.asked, late.asked) == (names[:1], names, names)
