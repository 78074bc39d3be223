"""The 468 landmarks of one face, as the product itself finds them."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from shiming.recognition.face_detection import FaceDetector
from shiming.recognition.face_mesh import FaceMesh, region_of_face, region_of_points
from shiming.recognition.inference import ModelRuntime
from shiming.recognition.model_files import ModelFiles
from tools.specimens.typefaces import Pixels

Landmarks = NDArray[np.float32]  # (468, 3): x, y in pixels, z in the same unit, smaller = nearer
_PRESENCE_MIN = 0.5


@cache
def _engines() -> tuple[FaceDetector, FaceMesh]:
    runtime = ModelRuntime(ModelFiles())
    return FaceDetector(runtime), FaceMesh(runtime)


def find_landmarks(image: Pixels) -> Landmarks | None:
    """Return the 468 landmarks of the largest face, None if there is none; a second look settles the crop."""
    detector, mesh = _engines()
    faces = detector.detect(image)
    if not faces:
        return None
    first = mesh.read(image, region_of_face(faces[0]))
    settled = mesh.read(image, region_of_points(first.points))
    return np.asarray(settled.points, np.float32) if settled.presence > _PRESENCE_MIN else None


def face_box(mesh: Landmarks) -> tuple[int, int, int, int]:
    """Return x, y, width, height of the landmarks (brow line to chin, ear to ear)."""
    low, high = mesh[:, :2].min(0), mesh[:, :2].max(0)
    return int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])
