"""A photographed head as a relief that can be turned: dense depth, z-buffered warp.

Depth inside the face comes from the landmarks; outside it runs to the plane of the ears at the border of
an ellipse around the head. Neck and shoulders follow less and less, the background not at all.
Axes: x right, y down, depth towards the viewer, all in pixels.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator  # type: ignore[import-untyped]  # no types

from tools.specimens.face_mesh import Landmarks
from tools.specimens.gestures import HeadState
from tools.specimens.typefaces import Pixels

Field = NDArray[np.float32]
_RIGHT_EAR, _LEFT_EAR, _CHIN, _FOREHEAD = 234, 454, 152, 10


@dataclass(frozen=True, slots=True)
class Relief:
    """Depth and mobility of each pixel, and the point about which the head turns."""

    depth: Field = field(repr=False)
    mobility: Field = field(repr=False)
    pivot: tuple[float, float]
    lens: float  # distance of the viewer in pixels


def _head_ellipse(mesh: Landmarks, hair: tuple[float, float]) -> tuple[NDArray[np.float64], float, float]:
    """Return centre and half axes; `hair` widens and heightens the head beyond the face."""
    width = float(np.linalg.norm(mesh[_LEFT_EAR, :2] - mesh[_RIGHT_EAR, :2]))
    height = float(np.linalg.norm(mesh[_CHIN, :2] - mesh[_FOREHEAD, :2]))
    middle_x = float(mesh[[_LEFT_EAR, _RIGHT_EAR], 0].mean())
    top = float(mesh[_FOREHEAD, 1]) - height * hair[1]
    bottom = float(mesh[_CHIN, 1]) + height * 0.02
    return np.array([middle_x, (top + bottom) / 2]), width / 2 * hair[0], (bottom - top) / 2


def _depth_field(mesh: Landmarks, side: int, ellipse: tuple[NDArray[np.float64], float, float]) -> Field:
    centre, half_x, half_y = ellipse
    ears = float(mesh[[_RIGHT_EAR, _LEFT_EAR], 2].mean())
    width = float(np.linalg.norm(mesh[_LEFT_EAR, :2] - mesh[_RIGHT_EAR, :2]))
    known = [np.column_stack([mesh[:, :2], ears + 0.12 * width - mesh[:, 2]])]
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    for share, height in ((1.0, 0.10), (1.3, 0.0), (1.7, 0.0), (2.4, 0.0)):
        ring = centre + share * np.column_stack([half_x * np.cos(angle), half_y * np.sin(angle)])
        # under the chin the ring would press on the jaw: leave that part to the mesh
        keep = (np.sin(angle) < 0.75) | (share > 1.2)
        known.append(np.column_stack([ring, np.full(len(ring), height * width)])[keep])
    # hair above the face is a dome, at its sides it lies a little before the ears
    for share, height in ((0.85, 0.30), (0.62, 0.46)):
        ring = centre + share * np.column_stack([half_x * np.cos(angle), half_y * np.sin(angle)])
        rise = np.clip(-np.sin(angle), 0, 1)
        outside = ring[:, 1] < mesh[_FOREHEAD, 1] - 0.03 * width
        known.append(np.column_stack([ring, width * (0.12 + (height - 0.12) * rise)])[outside])
    points = np.concatenate(known)
    grid = np.linspace(0, side - 1, 96)
    at = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    spread = RBFInterpolator(
        points[:, :2] / side, points[:, 2], kernel="linear", neighbors=40, smoothing=1e-4
    )
    depth = spread(at / side).reshape(96, 96).astype(np.float32)
    depth = cv2.resize(depth, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.GaussianBlur(depth, (0, 0), side / 130), dtype=np.float32)


def build_relief(mesh: Landmarks, side: int, hair: tuple[float, float] = (1.45, 0.30)) -> Relief:
    """Build the relief of a square portrait of this side length from its landmarks."""
    ellipse = _head_ellipse(mesh, hair)
    centre, half_x, half_y = ellipse
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    radius = np.hypot((x - centre[0]) / half_x, (y - centre[1]) / half_y)
    mobility = np.clip((1.75 - radius) / 0.7, 0, 1)
    chin = float(mesh[_CHIN, 1])
    neck = np.clip(1 - (y - chin) / (0.9 * half_y), 0, 1)
    mobility = np.where(y > chin, mobility * neck, mobility)
    mobility = mobility * mobility * (3 - 2 * mobility)
    mobility = cv2.GaussianBlur(mobility.astype(np.float32), (0, 0), side / 60)
    pivot = float(centre[0]), float(mesh[_CHIN, 1] * 0.45 + mesh[_FOREHEAD, 1] * 0.55)
    return Relief(_depth_field(mesh, side, ellipse), mobility, pivot, 8.0 * half_x)


def _rotation(state: HeadState) -> NDArray[np.float64]:
    yaw, pitch, roll = np.radians([state.yaw, state.pitch, state.roll])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x)


def _project(relief: Relief, state: HeadState) -> tuple[Field, Field, Field]:
    """Return where each source pixel goes (x, y) and its new depth."""
    side = relief.depth.shape[0]
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    px, py = x - relief.pivot[0], y - relief.pivot[1]
    m = _rotation(state).astype(np.float32)
    depth = relief.depth
    new = [m[i, 0] * px + m[i, 1] * py + m[i, 2] * depth for i in range(3)]
    zoom = relief.lens / (relief.lens - new[2])
    rest = relief.lens / (relief.lens - depth)  # the photograph already holds the perspective at rest
    unit = side / 512
    to_x = new[0] * zoom / rest + relief.pivot[0] + state.shift[0] * unit
    to_y = new[1] * zoom / rest + relief.pivot[1] + state.shift[1] * unit
    w = relief.mobility
    return x + w * (to_x - x), y + w * (to_y - y), new[2] * w


def _inverse(to_x: Field, to_y: Field, near: Field) -> tuple[Field, Field]:
    """Turn "where does each pixel go" into "where does each pixel come from"; the nearest one wins."""
    side = to_x.shape[0]
    column, row = np.rint(to_x).astype(np.int64).ravel(), np.rint(to_y).astype(np.int64).ravel()
    seen = (column >= 0) & (column < side) & (row >= 0) & (row < side)
    order = np.flatnonzero(seen)[np.argsort(near.ravel()[seen], kind="stable")]
    target = row[order] * side + column[order]
    source = np.full((2, side * side), -1, np.float32)
    source[0, target], source[1, target] = order % side, order // side
    known = (source[0] >= 0).reshape(side, side).astype(np.float32)
    maps = source.reshape(2, side, side)
    share = cv2.GaussianBlur(known, (0, 0), 1.5) + 1e-6
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    filled = [
        np.where(
            known > 0, m, np.where(share > 0.02, cv2.GaussianBlur(m * known, (0, 0), 1.5) / share, still)
        )
        for m, still in zip(maps, (x, y), strict=True)
    ]
    map_x, map_y = (cv2.GaussianBlur(m.astype(np.float32), (0, 0), 1.0) for m in filled)
    for _ in range(3):  # settle between the pixels
        off_x = x - cv2.remap(to_x, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        off_y = y - cv2.remap(to_y, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        map_x = map_x + np.clip(0.6 * off_x, -1, 1)
        map_y = map_y + np.clip(0.6 * off_y, -1, 1)
    smooth_x, smooth_y = (cv2.GaussianBlur(m, (0, 0), 0.7) for m in (map_x, map_y))
    return np.asarray(smooth_x, dtype=np.float32), np.asarray(smooth_y, dtype=np.float32)


def turn_head(texture: Pixels, relief: Relief, state: HeadState) -> Pixels:
    """Return the picture with the head turned and shifted."""
    map_x, map_y = _inverse(*_project(relief, state))
    turned = cv2.remap(texture, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, dtype=np.uint8)
