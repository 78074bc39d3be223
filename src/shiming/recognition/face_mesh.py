"""468 points of one face by MediaPipe's face mesh, read from a square region of a picture.

Points are (468, 3): x and y in pixels of the picture, z in the same unit (away from the camera, relative
to the head's centre). The point numbers are MediaPipe's.
"""

import math
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from shiming.recognition.face_detection import LEFT_EYE, RIGHT_EYE, FaceBox
from shiming.recognition.inference import ModelRuntime
from shiming.recognition.measurements import Box, Image

Points = NDArray[np.float32]
Affine = NDArray[np.float64]

SIDE_PX: Final = 192
#: The net was trained on regions half as large again as the face.
REGION_MARGIN: Final = 1.5

# The person's right eye is on the left of an unmirrored picture.
RIGHT_EYE_OUTER, RIGHT_EYE_INNER = 33, 133
LEFT_EYE_INNER, LEFT_EYE_OUTER = 362, 263
RIGHT_EYE_RING: Final = (33, 160, 158, 133, 153, 144)
LEFT_EYE_RING: Final = (362, 385, 387, 263, 373, 380)
NOSE_TIP: Final = 1
MOUTH_RIGHT_CORNER, MOUTH_LEFT_CORNER = 61, 291
UPPER_LIP_INNER, LOWER_LIP_INNER = 13, 14
FOREHEAD, CHIN = 10, 152
RIGHT_CHEEK, LEFT_CHEEK = 234, 454


@dataclass(frozen=True, slots=True)
class Region:
    """A square of the picture, turned by `angle_degrees` so that the eyes are level in it."""

    centre: tuple[float, float]
    side_px: float
    angle_degrees: float


@dataclass(frozen=True, slots=True)
class MeshReading:
    """The points and how sure the net is that the region shows a face, 0..1."""

    points: Points = field(repr=False)
    presence: float


class FaceMesh:
    """Reads the mesh; safe for threads."""

    def __init__(self, runtime: ModelRuntime) -> None:
        self._model = runtime.litert("face_mesh")

    def read(self, image: Image, region: Region) -> MeshReading:
        """Read the points from one region; always answers, see `presence`."""
        to_crop = crop_affine(region, SIDE_PX)
        tensor = crop_tensor(image, to_crop, SIDE_PX)
        raw, flag = self._model(tensor)
        points = raw.reshape(468, 3).astype(np.float32)
        back = np.asarray(cv2.invertAffineTransform(to_crop), np.float32)
        points[:, :2] = points[:, :2] @ back[:, :2].T + back[:, 2]
        points[:, 2] *= region.side_px / SIDE_PX
        presence = 1 / (1 + math.exp(-min(max(float(flag.ravel()[0]), -80.0), 80.0)))
        return MeshReading(points=points, presence=presence)


def region_of_face(face: FaceBox) -> Region:
    """Return the region for a freshly detected face."""
    (right_x, right_y), (left_x, left_y) = face.keypoints[RIGHT_EYE], face.keypoints[LEFT_EYE]
    angle = math.degrees(math.atan2(float(left_y - right_y), float(left_x - right_x)))
    return Region(centre=face.centre, side_px=max(face.side_px * REGION_MARGIN, 1.0), angle_degrees=angle)


def region_of_points(points: Points) -> Region:
    """Return the region for the next frame of the same face."""
    across = points[LEFT_EYE_OUTER, :2] - points[RIGHT_EYE_OUTER, :2]
    angle = math.atan2(float(across[1]), float(across[0]))
    turn = np.array(
        [[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]], dtype=np.float32
    )
    level = points[:, :2] @ turn.T
    low, high = level.min(axis=0), level.max(axis=0)
    x, y = turn.T @ ((low + high) / 2)
    side = float((high - low).max()) * REGION_MARGIN
    return Region(centre=(float(x), float(y)), side_px=max(side, 1.0), angle_degrees=math.degrees(angle))


def crop_affine(region: Region, side_px: int) -> Affine:
    """Return the 2x3 matrix from the picture to an upright crop of `side_px`."""
    matrix = np.asarray(
        cv2.getRotationMatrix2D(region.centre, region.angle_degrees, side_px / region.side_px), np.float64
    )
    matrix[:, 2] += side_px / 2 - np.asarray(region.centre)
    return matrix


def crop_tensor(image: Image, to_crop: Affine, side_px: int) -> NDArray[np.float32]:
    """Return the crop as (1, side, side, 3) RGB, 0..1."""
    crop = cv2.warpAffine(image, to_crop, (side_px, side_px), flags=cv2.INTER_LINEAR)
    rgb = cv2.cvtColor(crop, cv2.COLOR_BGR2RGB)
    return np.multiply(rgb, np.float32(1 / 255), dtype=np.float32)[None]


def box_of_points(points: Points) -> Box:
    """Return the box around the points."""
    left, top = points[:, :2].min(axis=0)
    right, bottom = points[:, :2].max(axis=0)
    return round(float(left)), round(float(top)), round(float(right - left)), round(float(bottom - top))


def eye_distance_px(points: Points) -> float:
    """Return the distance between the outer corners of the eyes."""
    return float(np.linalg.norm(points[LEFT_EYE_OUTER, :2] - points[RIGHT_EYE_OUTER, :2]))
