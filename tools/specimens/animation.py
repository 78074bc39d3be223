"""A single photograph of a face, animated in three dimensions and marked as such.

The photograph is a square with the whole head in it. What comes out is for demonstrations and tests only:
every frame says "SPECIMEN 3-D ANIMATED" at its border.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage
from PIL import ImageDraw

from tools.specimens.face_mesh import Landmarks, face_box, find_landmarks
from tools.specimens.facial_texture import move_lids_and_jaw
from tools.specimens.gestures import Gesture, head_motion
from tools.specimens.head_in_space import build_relief, turn_head
from tools.specimens.typefaces import Pixels, han

MARK = "SPECIMEN 3-D ANIMATED 样本"


@lru_cache(maxsize=4)
def _mark(side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the letters and the dark ground behind them, both 0..1."""
    letters, ground = PilImage.new("L", (side, side), 0), PilImage.new("L", (side, side), 0)
    face = han(max(9, side // 34))
    left, top = side * 0.02, side - face.size * 1.7
    ImageDraw.Draw(letters).text((left, top), MARK, 255, font=face)
    length = face.getlength(MARK)
    box = (left - 4, top, left + length + 4, top + face.size * 1.5)
    ImageDraw.Draw(ground).rectangle(box, fill=150)
    first, second = (np.asarray(m, dtype=np.float32)[..., None] / np.float32(255) for m in (letters, ground))
    return first, second


def square_around_face(
    photograph: Pixels, size: int = 512, face_share: float = 0.43
) -> tuple[Pixels, Landmarks]:
    """Cut the square in which the face takes `face_share` of the width; returns it with its landmarks."""
    mesh = find_landmarks(photograph)
    if mesh is None:
        raise ValueError("no face in the photograph")
    x, y, width, height = face_box(mesh)
    side = width / face_share
    left, top = x + width / 2 - side / 2, y + height / 2 - side * 0.54
    ratio = size / side
    move = np.array([[ratio, 0, -left * ratio], [0, ratio, -top * ratio]])
    if ratio < 1:
        photograph = np.asarray(cv2.GaussianBlur(photograph, (0, 0), 0.45 / ratio), dtype=np.uint8)
    cut = cv2.warpAffine(
        photograph, move, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    picture = np.asarray(cut, dtype=np.uint8)
    refined = find_landmarks(picture)
    if refined is None:
        raise ValueError("the face was lost when it was cut out")
    return picture, refined


def animate_portrait_3d(
    image: Pixels,
    landmarks: Landmarks,
    script: tuple[Gesture, ...],
    *,
    fps: float = 25,
    size: int = 512,
    seconds: float = 8.0,
    mouth: Callable[[float], float] | None = None,
    seed: int = 0,
    hair: tuple[float, float] = (1.45, 0.30),
    noise: float = 2.2,
    sway: float = 2.5,
) -> Iterator[Pixels]:
    """Yield the frames of a clip in which the head does what the script says.

    `landmarks` (468, 3) belong to the square `image`; `hair` says how far the head reaches beyond the face
    (width ratio, height above the forehead in face heights); `noise` is the sensor's, in grey levels;
    `sway` is how restless the head is.
    """
    ratio = size / image.shape[0]
    if image.shape[0] != size:
        image = np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), dtype=np.uint8)
        landmarks = (landmarks * np.float32(ratio)).astype(np.float32)
    relief = build_relief(landmarks, size, hair)
    state_at = head_motion(script, seed, mouth, sway)
    rng = np.random.default_rng([seed, 4])
    for index in range(round(seconds * fps)):
        state = state_at(index / fps)
        texture = move_lids_and_jaw(image, landmarks, state.eyes_closed, state.mouth_open)
        frame = turn_head(texture, relief, state).astype(np.float32)
        frame = frame * (1 + 0.004 * np.sin(index * 0.7)) + rng.normal(0, noise, frame.shape)
        letters, ground = _mark(size)
        frame = frame * (1 - ground) * (1 - letters) + 235 * letters
        yield np.asarray(np.clip(frame, 0, 255), dtype=np.uint8)
