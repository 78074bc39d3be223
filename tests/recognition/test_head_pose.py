import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shiming.recognition.head_pose import HeadPose, canonical_face, pose_of

angle = st.floats(-50, 50)


def rotation_of(pose: HeadPose) -> NDArray[np.float64]:
    """Return the rotation with the angles of `pose`: what `angles_of` inverts."""
    yaw, pitch, roll = (math.radians(value) for value in (pose.yaw, pose.pitch, pose.roll))
    back = np.array([-math.sin(yaw) * math.cos(pitch), math.sin(pitch), math.cos(yaw) * math.cos(pitch)])
    flat = np.array([math.cos(roll), math.sin(roll)])
    across = np.array([*flat, -float(flat @ back[:2]) / float(back[2])])
    across /= np.linalg.norm(across)
    return np.column_stack([across, np.cross(back, across), back])


@given(yaw=angle, pitch=angle, roll=angle, scale=st.floats(0.5, 60), shift=st.floats(-500, 500))
def test_a_turned_canonical_face_has_the_angles_it_was_turned_by(
    yaw: float, pitch: float, roll: float, scale: float, shift: float
) -> None:
    turned = canonical_face() @ rotation_of(HeadPose(yaw, pitch, roll)).T * scale + shift
    pose = pose_of(turned)
    assert (pose.yaw, pose.pitch, pose.roll) == pytest.approx((yaw, pitch, roll), abs=1e-6)


@given(yaw=angle)
def test_a_mirrored_face_turns_to_the_other_side(yaw: float) -> None:
    turned = canonical_face() @ rotation_of(HeadPose(yaw, 0, 0)).T
    # in a mirrored picture every point changes sides, and so do the names of the points
    mirror = np.array(
        [np.argmin(np.abs(canonical_face() * [-1, 1, 1] - point).sum(axis=1)) for point in canonical_face()]
    )
    assert pose_of((turned * [-1, 1, 1])[mirror]).yaw == pytest.approx(-yaw, abs=0.5)


def test_yaw_is_positive_when_the_nose_points_to_the_right_of_the_picture() -> None:
    turned = canonical_face() @ rotation_of(HeadPose(30, 0, 0)).T
    assert turned[1, 0] > canonical_face()[1, 0]
    assert pose_of(turned).yaw == pytest.approx(30)


@given(noise=st.integers(0, 2**32 - 1))
def test_a_little_noise_moves_the_pose_little(noise: int) -> None:
    random = np.random.default_rng(noise)
    points = canonical_face() * 20 + random.normal(0, 1.0, (468, 3))  # a face 280 px wide, 1 px noise
    assert abs(pose_of(points).yaw) < 2
