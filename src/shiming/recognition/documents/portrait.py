"""The holder's picture on a document."""

import numpy as np

from shiming.recognition.documents.tools import FaceFinder
from shiming.recognition.measurements import Box, Image, Portrait

_FACE_WIDTH_MIN = 0.06  # of the card's width: smaller faces are ghost images and decoration
_BESIDE, _ABOVE, _BELOW = 0.45, 0.65, 0.45  # of the face's box, as far as a portrait reaches


def find_portrait(card: Image, faces: FaceFinder) -> Portrait | None:
    """Return the largest face of the upright card with what belongs to its picture; None without a face."""
    width_min = _FACE_WIDTH_MIN * card.shape[1]
    found = [face for face in faces.detect(card) if face.box[2] >= width_min]
    if not found:
        return None
    box = _with_surroundings(max(found, key=lambda face: face.box[2]).box, card)
    x, y, width, height = box
    return Portrait(box, np.ascontiguousarray(card[y : y + height, x : x + width]))


def _with_surroundings(face: Box, card: Image) -> Box:
    x, y, width, height = face
    left, right = max(0, round(x - _BESIDE * width)), min(card.shape[1], round(x + (1 + _BESIDE) * width))
    top, bottom = max(0, round(y - _ABOVE * height)), min(card.shape[0], round(y + (1 + _BELOW) * height))
    return left, top, right - left, bottom - top
