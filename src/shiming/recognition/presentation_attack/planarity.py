"""Say whether the face moves as a head or as a flat picture.

A turned picture gets narrower like a turned head does, but the mesh sees little turn in it: its net
makes up depth only weakly. So the narrowing of the rigid points (fitted as an affine change of the
neutral shape, roll removed) is compared with the narrowing that the measured yaw explains. Study on 5
real clips and 10 simulated held photos: real at least 0.93 of what is explained, photos at most 0.91.
A picture held still cannot be told from a still head; it makes no turn either, which the challenge asks.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]
Places = NDArray[np.floating]

#: Narrowing beyond explanation at which the score is 0 and 1.
_UNSUSPICIOUS: Final = 0.04
_PLANAR: Final = 0.14
_NEUTRAL_FRAMES: Final = 8
_SMOOTHING: Final = 5  # frames; one wild mesh is not a movement
_FRAMES_MIN: Final = 15


def planar_score(places: Places, yaw: Series, roll: Series, neutral_yaw: float) -> float | None:
    """Return 0 (moves as a head) .. 1 (moves as a flat picture); None for too few frames.

    `places` (n, k, 2) are rigid points in any unit, `yaw` and `roll` (n) degrees, none NaN.
    """
    if len(yaw) < _FRAMES_MIN:
        return None
    shapes = upright(places, roll)
    near = np.argsort(np.abs(yaw - neutral_yaw))[:_NEUTRAL_FRAMES]
    scaled = shapes[near] / np.sqrt((shapes[near] ** 2).sum(axis=(1, 2), keepdims=True))
    neutral = np.median(scaled, axis=0)
    affine = np.linalg.pinv(neutral - neutral.mean(axis=0)) @ shapes
    narrowing = affine[:, 0, 0] / np.maximum(affine[:, 1, 1], 1e-9)
    explained = np.cos(np.radians(yaw)) / np.cos(np.radians(neutral_yaw))
    ratio = running_median(narrowing / np.median(narrowing[near]) / explained, _SMOOTHING)
    excess = 1.0 - float(ratio.min())
    return float(np.clip((excess - _UNSUSPICIOUS) / (_PLANAR - _UNSUSPICIOUS), 0.0, 1.0))


def upright(places: Places, roll: Series) -> NDArray[np.float64]:
    """Return the shapes centred, with the roll taken out."""
    angle = np.radians(-roll)
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.stack([np.stack([cosine, -sine], axis=-1), np.stack([sine, cosine], axis=-1)], axis=1)
    centred = places.astype(np.float64) - places.mean(axis=1, keepdims=True)
    return np.asarray(np.einsum("nij,nkj->nki", turn, centred), np.float64)


def running_median(values: Series, width: int) -> Series:
    """Return the median of `width` (odd) neighbours; the ends are padded with themselves."""
    half = width // 2
    padded = np.concatenate([np.repeat(values[:1], half), values, np.repeat(values[-1:], half)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)
    return np.asarray(np.median(windows, axis=-1), np.float64)
