"""Mouth opening: the gap of the inner lips relative to the height of the face; 0 is closed."""

import numpy as np

from shiming.recognition.face_mesh import CHIN, FOREHEAD, LOWER_LIP_INNER, UPPER_LIP_INNER, Points


def mouth_opening(points: Points) -> float:
    """Return the inner lip gap / face height of one mesh (468, 3), usually 0..0.3."""
    gap = float(np.linalg.norm(points[UPPER_LIP_INNER] - points[LOWER_LIP_INNER]))
    height = float(np.linalg.norm(points[FOREHEAD] - points[CHIN]))
    return gap / height if height > 0 else 0.0
