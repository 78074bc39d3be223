"""How well one face can be compared: pose, sharpness, light, occlusion. Measured on an aligned crop."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from shiming.recognition.face_mesh import (
    LEFT_EYE_RING,
    MOUTH_LEFT_CORNER,
    MOUTH_RIGHT_CORNER,
    NOSE_TIP,
    RIGHT_EYE_RING,
    Points,
    box_of_points,
)
from shiming.recognition.head_pose import HeadPose
from shiming.recognition.measurements import FaceQuality, Image

Matrix = NDArray[np.float32]

ALIGNED_SIDE_PX: Final = 112
#: Where eyes, nose tip and mouth corners stand in an aligned crop of 112 px (the ArcFace layout).
ALIGNED_POINTS: Final = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
    np.float32,
)
#: Bare skin in an uncovered face: forehead, cheeks, nose bridge, sides of the mouth, chin.
_SKIN: Final = np.array([9, 151, 108, 337, 50, 280, 205, 425, 101, 330, 5, 195, 186, 410, 175, 199, 171, 396])
_COLOUR_STEP: Final = 22.0  # distance in a*b* beyond which a patch is not this person's skin
_DARK_STEP: Final = 70.0  # distance in L* beyond which shadow does not explain it


def alignment(points: Points, side_px: int) -> Matrix:
    """Return the 2x3 similarity from the picture to an aligned crop."""
    five = np.array(
        [
            points[list(RIGHT_EYE_RING), :2].mean(axis=0),
            points[list(LEFT_EYE_RING), :2].mean(axis=0),
            points[NOSE_TIP, :2],
            points[MOUTH_RIGHT_CORNER, :2],
            points[MOUTH_LEFT_CORNER, :2],
        ],
        np.float64,
    )
    return similarity_between(five, ALIGNED_POINTS.astype(np.float64) * (side_px / ALIGNED_SIDE_PX))


def similarity_between(start: NDArray[np.float64], end: NDArray[np.float64]) -> Matrix:
    """Return the 2x3 matrix of the similarity (turn, scale, shift) that best moves `start` to `end`."""
    middle, target = start.mean(axis=0), end.mean(axis=0)
    centred, wanted = start - middle, end - target
    spread = float((centred**2).sum())
    along = float((centred * wanted).sum()) / max(spread, 1e-9)
    cross = float((centred[:, 0] * wanted[:, 1] - centred[:, 1] * wanted[:, 0]).sum()) / max(spread, 1e-9)
    turn = np.array([[along, -cross], [cross, along]])
    return np.column_stack([turn, target - turn @ middle]).astype(np.float32)


def aligned(image: Image, points: Points, side_px: int = ALIGNED_SIDE_PX) -> Image:
    """Return the aligned crop of a face; works on BGR and on grey pictures."""
    crop = cv2.warpAffine(image, alignment(points, side_px), (side_px, side_px), flags=cv2.INTER_LINEAR)
    return np.asarray(crop, np.uint8)


def sharpness_of(grey: Image) -> float:
    """Return the variance of the Laplacian of an aligned grey crop of 112 px."""
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def quality_of(image: Image, points: Points, pose: HeadPose, faces_seen: int) -> FaceQuality:
    """Return the quality of one face in a picture."""
    crop = aligned(image, points)
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), np.uint8)
    face = grey[24:104, 16:96]  # inside the outline of the face
    halves = float(face[:, :40].mean()), float(face[:, 40:].mean())
    return FaceQuality(
        yaw_degrees=pose.yaw,
        pitch_degrees=pose.pitch,
        roll_degrees=pose.roll,
        sharpness=sharpness_of(grey),
        light=float(face.mean()),
        light_evenness=min(halves) / max(*halves, 1.0),
        occlusion=occlusion_of(crop, points),
        width_px=box_of_points(points)[2],
        faces_seen=faces_seen,
    )


def occlusion_of(crop: Image, points: Points) -> float:
    """Return the share of skin places of an aligned crop that do not have the person's own skin colour.

    Advisory: masks, scarves and hands in gloves show, a hand does not; strong coloured light does.
    """
    matrix = alignment(points, ALIGNED_SIDE_PX)
    places = points[_SKIN, :2] @ matrix[:, :2].T + matrix[:, 2]
    smooth = cv2.blur(cv2.cvtColor(crop, cv2.COLOR_BGR2LAB), (5, 5)).astype(np.float32)
    columns = np.clip(places[:, 0].round().astype(int), 0, ALIGNED_SIDE_PX - 1)
    rows = np.clip(places[:, 1].round().astype(int), 0, ALIGNED_SIDE_PX - 1)
    colours = smooth[rows, columns]
    away = np.abs(colours - np.median(colours, axis=0))
    strange = (np.hypot(away[:, 1], away[:, 2]) > _COLOUR_STEP) | (away[:, 0] > _DARK_STEP)
    return float(strange.mean())
