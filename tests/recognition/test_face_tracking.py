"""Tracking with a detector and a mesh that see what the test says. No models."""

import itertools
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from shiming.recognition.face_detection import FaceBox, FaceDetector
from shiming.recognition.face_mesh import FaceMesh, MeshReading, Region
from shiming.recognition.face_tracking import (
    FIRST_CHECK_AFTER_S,
    REDETECT_EVERY_S,
    SEARCH_EVERY_S,
    FaceTracker,
)
from shiming.recognition.head_pose import canonical_face

Image = NDArray[np.uint8]
PICTURE = np.zeros((480, 640, 3), np.uint8)


def a_face(x: float, *, width: int = 140, score: float = 0.9) -> FaceBox:
    eyes = np.array(
        [[x - 30, 200], [x + 30, 200], [x, 230], [x, 260], [x - 60, 210], [x + 60, 210]], np.float32
    )
    return FaceBox(box=(round(x - width / 2), 240 - width // 2, width, width), keypoints=eyes, score=score)


@dataclass
class ScriptedDetector:
    faces: tuple[FaceBox, ...]
    far: bool = False  # only the slower nets see the faces
    looks: list[int] = field(default_factory=list)
    searches: int = 0

    def detect(self, _image: Image) -> tuple[FaceBox, ...]:
        self.searches += 1
        return self.faces

    def detect_near(self, _image: Image) -> tuple[FaceBox, ...]:
        self.looks.append(len(self.faces))
        return () if self.far else self.faces


@dataclass
class StickyMesh:
    """Sees a face wherever it is told to look, as a slipped mesh does."""

    presence: float = 0.9
    drift_px: float = 0.0

    def read(self, _image: Image, region: Region) -> MeshReading:
        points = canonical_face() * 10 + [region.centre[0] + self.drift_px, region.centre[1], 0]
        return MeshReading(points.astype(np.float32), self.presence)


def a_tracker(detector: ScriptedDetector, mesh: StickyMesh) -> FaceTracker:
    return FaceTracker(cast("FaceDetector", detector), cast("FaceMesh", mesh))


def test_the_detector_looks_at_first_soon_after_and_then_every_second() -> None:
    detector = ScriptedDetector((a_face(320),))
    tracker = a_tracker(detector, StickyMesh())
    looked = [
        time_s
        for time_s in np.arange(0, 4, 1 / 30)
        if tracker.follow(PICTURE, float(time_s)).faces_seen is not None
    ]
    assert looked[0] == 0
    assert FIRST_CHECK_AFTER_S <= looked[1] < FIRST_CHECK_AFTER_S + 0.05
    assert all(REDETECT_EVERY_S <= b - a < REDETECT_EVERY_S + 0.05 for a, b in itertools.pairwise(looked[1:]))
    assert len(looked) == len(detector.looks)


def test_a_slipped_track_is_moved_back_and_what_it_read_is_doubted() -> None:
    detector, mesh = ScriptedDetector((a_face(320),)), StickyMesh()
    tracker = a_tracker(detector, mesh)
    tracker.follow(PICTURE, 0.0)
    tracker.follow(PICTURE, 0.5)  # a look that agrees
    mesh.drift_px = 40
    for step in range(1, 10):
        assert tracker.follow(PICTURE, 0.5 + step * 0.03).doubted_since_s is None
    mesh.drift_px = 0
    found = tracker.follow(PICTURE, 1.6)
    assert found.doubted_since_s == 0.5
    assert found.points is not None
    assert abs(float(found.points[:, 0].mean()) - 320) < 40


def test_a_cut_is_no_slip() -> None:
    detector, mesh = ScriptedDetector((a_face(150),)), StickyMesh()
    tracker = a_tracker(detector, mesh)
    tracker.follow(PICTURE, 0.0)
    detector.faces = (a_face(500),)
    tracker.look_again(0.1)
    found = tracker.follow(PICTURE, 0.1)
    assert found.faces_seen == 1
    assert found.doubted_since_s == 0.1
    assert found.points is not None
    assert abs(float(found.points[:, 0].mean()) - 500) < 40


def test_a_face_that_goes_is_lost_and_found_again() -> None:
    detector, mesh = ScriptedDetector((a_face(320),)), StickyMesh()
    tracker = a_tracker(detector, mesh)
    assert tracker.follow(PICTURE, 0.0).points is not None
    mesh.presence, detector.faces = 0.1, ()
    assert tracker.follow(PICTURE, 0.1).points is None
    assert tracker.follow(PICTURE, 0.2).points is None
    mesh.presence, detector.faces = 0.9, (a_face(200),)
    assert tracker.follow(PICTURE, 0.3).points is not None


def test_an_empty_room_is_searched_now_and_then_and_a_far_face_is_found() -> None:
    detector = ScriptedDetector((), far=True)
    tracker = a_tracker(detector, StickyMesh())
    for time_s in np.arange(0, 3, 1 / 30):
        assert tracker.follow(PICTURE, float(time_s)).points is None
    assert detector.searches <= 3 / SEARCH_EVERY_S + 1
    detector.faces = (a_face(320),)
    assert tracker.follow(PICTURE, 3.6).points is not None


def test_faces_are_counted_unless_far_behind_or_unsure() -> None:
    near, second = a_face(200), a_face(450, width=120)
    for faces, count in (
        ((near, second), 2),
        ((near, a_face(450, width=30)), 1),
        ((near, a_face(450, score=0.52)), 1),
    ):
        assert a_tracker(ScriptedDetector(faces), StickyMesh()).follow(PICTURE, 0.0).faces_seen == count
