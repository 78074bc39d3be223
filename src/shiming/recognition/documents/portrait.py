"""The holder's picture on a document."""

import numpy as np

from shiming.recognition.documents.tools import FaceFinder
from shiming.recognition.measurements import Box, Image, Portrait

_FACE_WIDTH_MIN = 0.06  # of the card's width: smaller faces are ghost images and decoration
_BESIDE, _ABOVE, _BELOW = 0.45, 0.65, 0.45  # of the face's box, as far as a portrait reaches


def find_portrait(card: Image, faces: FaceFinder) -> Portrait | None:
    """Return the largest face of the upright card with what belongs to its picture; None without a face."""
    found = _largest_face(card, faces)
    if found is None:
        return None
    box = _with_surroundings(found, card)
    x, y, width, height = box
    return Portrait(box, np.ascontiguousarray(card[y : y + height, x : x + width]))


def _largest_face(card: Image, faces: FaceFinder) -> Box | None:
    """Return the box of the largest face; portraits stand at one side, where they are looked for closer."""
    across = card.shape[1]
    for left, right in ((0.0, 1.0), (0.55, 1.0), (0.0, 0.5)):
        start = round(left * across)
        part = np.ascontiguousarray(card[:, start : round(right * across)])
        boxes = [face.box for face in faces.detect(part) if face.box[2] >= _FACE_WIDTH_MIN * across]
        if boxes:
            x, y, width, height = max(boxes, key=lambda box: box[2])
            return x + start, y, width, height
    return None


def _with_surroundings(face: Box, card: Image) -> Box:
    x, y, width, height = face
    left, right = max(0, round(x - _BESIDE * width)), min(card.shape[1], round(x + (1 + _BESIDE) * width))
    top, bottom = max(0, round(y - _ABOVE * height)), min(card.shape[0], round(y + (1 + _BELOW) * height))
    return left, top, right - left, bottom - top
