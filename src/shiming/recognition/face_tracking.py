"""Follow one face from frame to frame, and check about every second that it is still a face.

The mesh of one frame gives the region of the next, so that detection is not needed for every frame.
Tracking cannot check itself: a mesh that has slipped onto a background may still report a face. So the
detector looks again at intervals, and the largest face it sees must be the one that is tracked.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from shiming.recognition.face_detection import FaceBox, FaceDetector, overlap
from shiming.recognition.face_mesh import (
    FaceMesh,
    Points,
    Region,
    box_of_points,
    region_of_face,
    region_of_points,
)
from shiming.recognition.measurements import Image

PRESENCE_MIN: Final = 0.5
REDETECT_EVERY_S: Final = 1.0
#: A fresh track is checked sooner: small faces are sometimes met wrongly at first.
FIRST_CHECK_AFTER_S: Final = 0.2
#: Without a face the fast net looks at every frame, the slow ones only this often.
SEARCH_EVERY_S: Final = 0.5
#: Below this overlap with the largest detected face the track has slipped.
OVERLAP_MIN: Final = 0.3
#: A second face narrower than this share of the first is a picture on a wall, not a second person.
SECOND_FACE_WIDTH_SHARE_MIN: Final = 0.3
SECOND_FACE_SCORE_MIN: Final = 0.6


@dataclass(frozen=True, slots=True)
class TrackedFace:
    """One frame's answer: points (468, 3), or None without a face; faces counted if the detector looked."""

    points: Points | None = field(repr=False)
    presence: float
    faces_seen: int | None
    doubted_since_s: float | None = None  # the track had slipped: what was read since then is not this face


class FaceTracker:
    """Follows the largest face of one clip; holds the state of that clip, so one tracker a clip."""

    def __init__(self, detector: FaceDetector, mesh: FaceMesh) -> None:
        self._detector = detector
        self._mesh = mesh
        self._points: Points | None = None
        self._next_look_s = 0.0
        self._next_search_s = 0.0
        self._sure_s = 0.0  # the detector last agreed with the track

    def follow(self, image: Image, time_s: float) -> TrackedFace:
        """Find the face in the next frame; times must not go backwards."""
        if self._points is None:
            return self._found_anew(image, time_s)
        if time_s >= self._next_look_s:
            return self._checked(image, time_s, self._points)
        reading = self._mesh.read(image, region_of_points(self._points))
        if reading.presence > PRESENCE_MIN:
            self._points = reading.points
            return TrackedFace(points=reading.points, presence=reading.presence, faces_seen=None)
        return self._found_anew(image, time_s)

    def look_again(self, time_s: float) -> None:
        """Have the detector look at the frame of this time: the picture was cut, so the face may have moved.

        What was read before the cut stays: it was no slip, and may be another person's face.
        """
        self._next_look_s = self._sure_s = time_s

    def _checked(self, image: Image, time_s: float, last: Points) -> TrackedFace:
        faces = self._detector.detect_near(image)
        if not faces:
            faces = self._detector.detect(image)
        self._next_look_s = time_s + REDETECT_EVERY_S
        if not faces:
            return self._read(image, region_of_points(last), faces_seen=0)
        box = box_of_points(last)
        sure_s, self._sure_s = self._sure_s, time_s
        if max(overlap(box, face.box) for face in faces) >= OVERLAP_MIN:
            return self._read(image, region_of_points(last), faces_seen=counted(faces))
        return replace(self._settled(image, faces), doubted_since_s=sure_s)

    def _found_anew(self, image: Image, time_s: float) -> TrackedFace:
        faces = self._detector.detect_near(image)
        if not faces and time_s >= self._next_search_s:
            faces = self._detector.detect(image)
            self._next_search_s = time_s + SEARCH_EVERY_S
        self._next_look_s = time_s + FIRST_CHECK_AFTER_S
        self._sure_s = time_s
        if not faces:
            self._points = None
            return TrackedFace(points=None, presence=0.0, faces_seen=0)
        return self._settled(image, faces)

    def _settled(self, image: Image, faces: tuple[FaceBox, ...]) -> TrackedFace:
        """Read a freshly detected face twice: the first reading centres the region of the second."""
        region = region_of_face(faces[0])
        first = self._mesh.read(image, region)
        if first.presence > PRESENCE_MIN:
            region = region_of_points(first.points)
        return self._read(image, region, faces_seen=counted(faces))

    def _read(self, image: Image, region: Region, *, faces_seen: int) -> TrackedFace:
        reading = self._mesh.read(image, region)
        self._points = reading.points if reading.presence > PRESENCE_MIN else None
        return TrackedFace(points=self._points, presence=reading.presence, faces_seen=faces_seen)


def counted(faces: tuple[FaceBox, ...]) -> int:
    """Count the faces that may be persons in front of the camera."""
    if not faces:
        return 0
    width_min = faces[0].side_px * SECOND_FACE_WIDTH_SHARE_MIN
    return 1 + sum(face.side_px >= width_min and face.score >= SECOND_FACE_SCORE_MIN for face in faces[1:])
