"""Head pose: the turn that lays the canonical face onto the mesh (orthogonal Procrustes, similarity).

Only points that do not move with expression take part (forehead, nose, eye corners, temples). Image axes:
x right, y down, z away from the camera. Yaw is positive when the person turns to their own left, which is
the right of an unmirrored picture; pitch is positive when the nose goes up (it moves with the mouth too:
MODELS study, do not ask for nods); roll is positive clockwise in the picture.

`canonical_face.npy` (468, 3) is a symmetric mean shape of 17 people, no single person's face.
"""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Shape = NDArray[np.floating[Any]]
_CANONICAL: Final = Path(__file__).with_name("canonical_face.npy")

RIGID: Final = np.array(
    [
        *(
            1,
            2,
            4,
            5,
            6,
            8,
            9,
            10,
            19,
            21,
            33,
            54,
            67,
            93,
            94,
            97,
            98,
            103,
            108,
            109,
            122,
            127,
            129,
            132,
            133,
        ),
        *(143, 151, 162, 168, 193, 195, 196, 197, 226, 234, 248, 251, 263, 278, 284, 297, 323, 326, 327, 332),
        *(337, 338, 351, 356, 358, 361, 362, 372, 389, 417, 419, 446, 454),
    ]
)


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Angles in degrees; yaw positive = the person's own left."""

    yaw: float
    pitch: float
    roll: float


@cache
def canonical_face() -> NDArray[np.float64]:
    """Return the canonical face (468, 3), centred on its rigid points."""
    shape: NDArray[np.float64] = np.load(_CANONICAL, allow_pickle=False).astype(np.float64)
    shape.setflags(write=False)
    return shape


@cache
def _rigid_canonical() -> NDArray[np.float64]:
    rigid = canonical_face()[RIGID]
    return np.asarray(rigid - rigid.mean(axis=0), np.float64)


def pose_of(points: Shape) -> HeadPose:
    """Return the pose of one mesh (468, 3)."""
    rigid = points[RIGID].astype(np.float64)
    return angles_of(rotation_between(_rigid_canonical(), rigid - rigid.mean(axis=0)))


def rotation_between(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the proper rotation (3, 3) that best turns centred points `start` (n, 3) into `end`."""
    left, _, right = np.linalg.svd(end.T @ start)
    if np.linalg.det(left @ right) < 0:
        left[:, 2] = -left[:, 2]
    rotation: NDArray[np.float64] = left @ right
    return rotation


def angles_of(rotation: NDArray[np.float64]) -> HeadPose:
    """Return the angles of a rotation of the canonical face."""
    forward = -rotation[:, 2]
    yaw = math.degrees(math.atan2(forward[0], -forward[2]))
    pitch = math.degrees(math.atan2(-forward[1], math.hypot(forward[0], forward[2])))
    roll = math.degrees(math.atan2(rotation[1, 0], rotation[0, 0]))
    return HeadPose(yaw=yaw, pitch=pitch, roll=roll)
