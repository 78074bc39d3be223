"""Portraits to print on cards: the public-domain demo face and crops from frames."""

from collections.abc import Callable
from importlib import resources

import cv2
import numpy as np

from tools.specimens.face_mesh import face_box, find_landmarks
from tools.specimens.typefaces import Pixels

DEMO_FACE_BOX = (176, 62, 96, 120)  # the face in the demo portrait: x, y, width, height
DEMO_FACE_SOURCE = "NASA portrait of Eileen Collins (public domain), scikit-image `astronaut.png`"
SECOND_FACE_BOX = (165, 110, 170, 215)
SECOND_FACE_SOURCE = "US Navy portrait of Grace Hopper (public domain), matplotlib `grace_hopper.jpg`"
Box = tuple[int, int, int, int]


def demo_photograph() -> Pixels:
    """Return the whole public-domain photograph (512 x 512, BGR)."""
    path = resources.files("skimage").joinpath("data", "astronaut.png")
    picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise FileNotFoundError("scikit-image carries no astronaut.png")
    return np.asarray(picture, dtype=np.uint8)


def second_photograph() -> Pixels:
    """Return another person's public-domain photograph, for someone else's card and for splices."""
    path = resources.files("matplotlib").joinpath("mpl-data", "sample_data", "grace_hopper.jpg")
    picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise FileNotFoundError("matplotlib carries no grace_hopper.jpg")
    return np.asarray(picture, dtype=np.uint8)


def portrait_from_frame(
    frame_bgr: Pixels, box: Box, *, size: tuple[int, int] = (358, 441), head_room: float = 1.0
) -> Pixels:
    """Cut a portrait of the official proportions around a face (x, y, width, height of brow-to-chin box).

    The face takes 52..62 % of the width. Where the frame ends, its border is continued.
    """
    x, y, width, height = box
    for face_share in (0.52, 0.57, 0.62):  # nearer, where the frame ends below the chin
        crop_width = width / face_share
        crop_height = crop_width * size[1] / size[0]
        top = y + height / 2 - crop_height * (0.5 - 0.02 * head_room)
        if top + crop_height <= frame_bgr.shape[0]:
            break
    left = x + width / 2 - crop_width / 2
    move = np.array([[size[0] / crop_width, 0, -left * size[0] / crop_width],
                     [0, size[1] / crop_height, -top * size[1] / crop_height]])  # fmt: skip
    ratio = size[0] / crop_width
    source = cv2.GaussianBlur(frame_bgr, (0, 0), 0.45 / ratio) if ratio < 0.8 else frame_bgr
    crop = cv2.warpAffine(source, move, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, dtype=np.uint8)


def portrait_of(frame_bgr: Pixels, find_face: Callable[[Pixels], Box | None] | None = None) -> Pixels:
    """Find the face in a frame (by the mesh, or by the given function) and cut a portrait around it."""
    box = find_face(frame_bgr) if find_face else _box_by_mesh(frame_bgr)
    if box is None:
        raise ValueError("no face in the frame")
    return portrait_from_frame(frame_bgr, box)


def _box_by_mesh(frame_bgr: Pixels) -> Box | None:
    mesh = find_landmarks(frame_bgr)
    return None if mesh is None else face_box(mesh)


def demo_portrait() -> Pixels:
    """Return the demo face as a portrait of 358 x 441 pixels."""
    return portrait_from_frame(demo_photograph(), DEMO_FACE_BOX)


def second_portrait() -> Pixels:
    """Return the second face as a portrait of 358 x 441 pixels."""
    return portrait_from_frame(second_photograph(), SECOND_FACE_BOX)


def drawn_portrait(seed: int, size: tuple[int, int] = (358, 441)) -> Pixels:
    """Return a simple drawn head, for documents on which the face does not matter."""
    rng = np.random.default_rng([seed, 41])
    width, height = size
    picture = np.full((height, width, 3), rng.integers(200, 245, 3), np.uint8)
    skin = tuple(int(c) for c in rng.integers((120, 150, 190), (170, 200, 240)))
    hair = tuple(int(c) for c in rng.integers(10, 60, 3))
    coat = tuple(int(c) for c in rng.integers(30, 200, 3))
    middle = width // 2
    cv2.ellipse(picture, (middle, height + 20), (width // 2 - 10, height // 3), 0, 0, 360, coat, -1)
    cv2.rectangle(picture, (middle - 38, height // 2), (middle + 38, height - 90), skin, -1)
    cv2.ellipse(picture, (middle, height * 2 // 5 - 14), (112, 142), 0, 0, 360, hair, -1)
    cv2.ellipse(picture, (middle, height * 2 // 5 + 12), (92, 122), 0, 0, 360, skin, -1)
    for side in (-1, 1):
        eye = (middle + side * 40, height * 2 // 5)
        cv2.ellipse(picture, eye, (17, 9), 0, 0, 360, (245, 245, 245), -1)
        cv2.circle(picture, eye, 8, (30, 30, 40), -1)
        cv2.line(picture, (eye[0] - 20, eye[1] - 24), (eye[0] + 20, eye[1] - 24), hair, 6)
    cv2.line(picture, (middle, height * 2 // 5 + 12), (middle - 8, height * 2 // 5 + 48), (90, 110, 150), 3)
    cv2.ellipse(picture, (middle, height * 2 // 5 + 78), (30, 8), 0, 0, 180, (80, 80, 170), 5)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.6), dtype=np.uint8)
