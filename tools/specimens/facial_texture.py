"""Moves eyelids and jaw within the photograph, before the head is turned in space.

The lid: the skin between brow and upper lid is stretched down over the eye. The jaw: all below the
inner edge of the lower lip moves down, and the gap is painted as the inside of a mouth.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.specimens.face_mesh import Landmarks
from tools.specimens.typefaces import Pixels

Field = NDArray[np.float32]
# upper lid, lower lid, skin above the upper lid: from the outer to the inner corner
_RIGHT_EYE = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133),
    (33, 7, 163, 144, 145, 153, 154, 155, 133),
    (130, 225, 224, 223, 222, 221, 189),
)
_LEFT_EYE = (
    (263, 466, 388, 387, 386, 385, 384, 398, 362),
    (263, 249, 390, 373, 374, 380, 381, 382, 362),
    (359, 445, 444, 443, 442, 441, 413),
)
_INNER_LOWER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
_INNER_UPPER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
_CHIN, _FOREHEAD = 152, 10


def _curve(mesh: Landmarks, indices: tuple[int, ...], columns: Field) -> Field:
    """Return y of a smooth curve through landmarks at each column."""
    points = mesh[list(indices), :2]
    order = np.argsort(points[:, 0])
    x, y = points[order, 0], points[order, 1]
    degree = min(4, len(x) - 1)
    middle = x.mean()
    return np.asarray(np.polyval(np.polyfit(x - middle, y, degree), columns - middle), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Lid:
    """One lid on its way down: where its skin comes from, where it lies, and its dark edge."""

    source_rows: Field
    cover: Field  # 0..1
    edge: Field  # 0..1


def _lower_lid(
    mesh: Landmarks, eye: tuple[tuple[int, ...], ...], closed: float, side: tuple[int, int]
) -> _Lid:
    """Stretch the skin above the lashes down to the lid's present edge."""
    upper_ids, lower_ids, fold_ids = eye
    corners = mesh[[upper_ids[0], upper_ids[-1]], 0]
    left, right = float(corners.min()), float(corners.max())
    length = right - left
    columns = np.arange(side[1], dtype=np.float32)
    rows = np.arange(side[0], dtype=np.float32)[:, None]
    inside = np.clip(
        np.minimum(columns - left + 0.06 * length, right - columns + 0.06 * length) / (0.2 * length), 0, 1
    )
    upper, lower = _curve(mesh, upper_ids, columns), _curve(mesh, lower_ids, columns)
    skin_end = upper - 0.13 * length  # above the lashes
    fold = np.minimum(_curve(mesh, fold_ids, columns), skin_end - 0.12 * length)
    edge_now = upper + (np.maximum(lower - upper, 0) + 0.03 * length) * closed * inside
    source = fold + (rows - fold) * (skin_end - fold) / np.maximum(edge_now - fold, 1)
    fade_in = np.clip(closed / 0.3, 0, 1) * inside
    soft = 0.03 * length
    cover = np.clip((rows - fold) / soft, 0, 1) * np.clip((edge_now - rows) / soft + 0.5, 0, 1) * fade_in
    thickness = (0.035 + 0.02 * closed) * length
    edge = np.exp(-(((rows - edge_now + thickness * 0.3) / thickness) ** 2)) * fade_in
    return _Lid(source.astype(np.float32), cover.astype(np.float32), edge.astype(np.float32))


def _open_jaw(map_y: Field, mesh: Landmarks, opening: float) -> tuple[Field, Field]:
    """Return the new source rows and the mask of the mouth's inside (0..1). Opening 1 = 0.13 of the face."""
    face_height = float(np.linalg.norm(mesh[_CHIN, :2] - mesh[_FOREHEAD, :2]))
    reach = 0.13 * face_height * opening
    left, right = float(mesh[78, 0]), float(mesh[308, 0])
    middle, half = (left + right) / 2, (right - left) / 2
    height, width = map_y.shape
    columns, rows = np.arange(width, dtype=np.float32)[None], np.arange(height, dtype=np.float32)[:, None]
    lip = _curve(mesh, _INNER_LOWER_LIP, np.clip(columns[0], left, right))[None]
    u = (columns - middle) / half
    at_lip = np.clip(1 - u * u, 0, 1) ** 0.7
    chin_y = float(mesh[_CHIN, 1])
    depth = np.clip((rows - lip) / max(chin_y - float(mesh[14, 1]), 1), 0, 4)
    spread = np.exp(-((u / (1.1 + 0.9 * np.minimum(depth, 1))) ** 2))
    weight = at_lip * np.clip(1 - depth * 2.5, 0, 1) + spread * np.clip(depth * 2.5, 0, 1)
    weight = weight * np.where(depth > 1, np.clip(1 - (depth - 1) / 1.6, 0, 1), 1)
    gap = reach * at_lip
    below = rows > lip + gap
    new = np.where(below, map_y - reach * weight, map_y)
    new = np.where(below, np.maximum(new, lip), new)
    inside = np.clip(rows - lip + 0.5, 0, 1) * np.clip(lip + gap - rows + 0.5, 0, 1) * (np.abs(u) < 1)
    return new.astype(np.float32), inside.astype(np.float32)


def _inside_of_mouth(cavity: Field) -> Field:
    """Paint the inside: dark, with a tongue that shows towards the lower lip."""
    from_above = np.cumsum(cavity, axis=0)
    share = from_above / np.maximum(from_above[-1:], 1)
    tongue = (cv2.GaussianBlur(np.clip((share - 0.45) * 2, 0, 1), (0, 0), 1.5) * 0.6)[..., None]
    dark, flesh = np.array((34, 24, 52), np.float32), np.array((96, 92, 168), np.float32)
    return np.asarray(dark * (1 - tongue) + flesh * tongue, dtype=np.float32)


def _draw_lid(picture: Field, lid: _Lid, skin_tone: Field) -> Field:
    columns = np.broadcast_to(np.arange(picture.shape[1], dtype=np.float32), picture.shape[:2])
    skin = cv2.remap(picture, np.ascontiguousarray(columns), lid.source_rows, cv2.INTER_CUBIC)
    drawn = picture * (1 - lid.cover[..., None]) + skin * lid.cover[..., None]
    return np.asarray(drawn * (1 - 0.72 * lid.edge[..., None]) + skin_tone * 0.12 * lid.edge[..., None])


def move_lids_and_jaw(image: Pixels, mesh: Landmarks, eyes_closed: float, mouth_open: float) -> Pixels:
    """Return the photograph with the eyes closed (0..1) and the mouth opened (0..1)."""
    if eyes_closed < 0.01 and mouth_open < 0.01:
        return image
    height, width = image.shape[:2]
    moved: Field = image.astype(np.float32)
    if mouth_open >= 0.01:
        map_x, map_y = (m.astype(np.float32) for m in np.meshgrid(np.arange(width), np.arange(height)))
        map_y, cavity = _open_jaw(map_y, mesh, mouth_open)
        warped = cv2.remap(moved, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        soft = cv2.GaussianBlur(cavity, (0, 0), 1.0)[..., None]
        moved = np.asarray(warped, np.float32) * (1 - soft) + _inside_of_mouth(cavity) * soft
    if eyes_closed >= 0.01:
        tone = moved[int(mesh[5, 1]), int(mesh[5, 0])]
        for eye in (_RIGHT_EYE, _LEFT_EYE):
            moved = _draw_lid(moved, _lower_lid(mesh, eye, eyes_closed, (height, width)), tone)
    return np.asarray(np.clip(moved, 0, 255), dtype=np.uint8)
