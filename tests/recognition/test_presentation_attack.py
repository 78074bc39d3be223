import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shiming.recognition.head_pose import RIGID, canonical_face
from shiming.recognition.presentation_attack.loops import closest_repetition
from shiming.recognition.presentation_attack.planarity import planar_score
from shiming.recognition.presentation_attack.screen_signs import frame_edges, peak_strength

seeds = st.integers(0, 2**32 - 1)
FACE_POINTS = (canonical_face() * 20 + [256, 240, 0]).astype(np.float32)


def wandering(count: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Return points that drift and tremble like a living face, in eye distances."""
    path = np.cumsum(random.normal(0, 0.01, (count, 1, 2)), axis=0)
    return (random.uniform(0, 2, (1, 20, 2)) + path + random.normal(0, 0.002, (count, 20, 2))).astype(
        np.float32
    )


def heads(degrees: NDArray[np.float64], *, flat: bool) -> NDArray[np.float64]:
    """Return the rigid points of a head, or of its picture, turned about the vertical axis."""
    rigid = canonical_face()[RIGID] * ([1, 1, 0] if flat else [1, 1, 1])
    turned = []
    for angle in np.radians(degrees):
        x = rigid[:, 0] * math.cos(angle) - rigid[:, 2] * math.sin(angle)
        turned.append(np.stack([x, rigid[:, 1]], axis=1))
    return np.asarray(turned)


@settings(deadline=None, max_examples=25)
@given(seed=seeds)
def test_a_loop_repeats_and_a_wandering_face_does_not(seed: int) -> None:
    random = np.random.default_rng(seed)
    face = wandering(150, random)
    times = np.arange(150) / 30
    looped = np.concatenate([face[:75], face[:75] + random.normal(0, 0.0005, (75, 20, 2)).astype(np.float32)])
    again, real = closest_repetition(times, looped), closest_repetition(times, face)
    assert again is not None
    assert real is not None
    assert again.distance < 0.002 < real.distance
    assert again.again_s - again.first_s == pytest.approx(2.5, abs=0.05)


def test_a_clip_too_short_to_repeat_is_not_judged() -> None:
    assert closest_repetition(np.arange(30) / 30, np.zeros((30, 20, 2), np.float32)) is None
    assert closest_repetition(np.arange(2) / 30, np.zeros((2, 20, 2), np.float32)) is None


@settings(deadline=None)
@given(largest=st.floats(25, 40), seed=seeds)
def test_a_turned_picture_is_planar_and_a_turned_head_is_not(largest: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    path = np.concatenate([np.zeros(20), np.sin(np.linspace(0, 2 * math.pi, 60)) * largest])
    still = np.zeros(path.size)
    noise = random.normal(0, 0.02, (path.size, len(RIGID), 2))
    # the mesh sees a fifth of the turn of a picture, and all the turn of a head
    picture = planar_score(heads(path, flat=True) + noise, path / 5, still, 0.0)
    head = planar_score(heads(path, flat=False) + noise, path, still, 0.0)
    assert picture is not None
    assert head is not None
    assert head < 0.2
    assert picture > 0.3
    assert picture > head


def test_few_frames_are_not_judged() -> None:
    assert planar_score(np.zeros((5, 58, 2)), np.zeros(5), np.zeros(5), 0.0) is None


@settings(deadline=None, max_examples=20)
@given(seed=seeds, period=st.floats(6.5, 20.0), angle=st.floats(0.2, 1.3))
def test_a_regular_pattern_stands_out_of_the_spectrum(seed: int, period: float, angle: float) -> None:
    random = np.random.default_rng(seed)
    skin = random.normal(120, 6, (128, 128)).astype(np.float32)
    y, x = np.mgrid[0:128, 0:128]
    lines = 10 * np.sin(2 * math.pi * (x * math.cos(angle) + y * math.sin(angle)) / period)
    assert peak_strength(skin) < 0.2
    assert peak_strength((skin + lines).astype(np.float32)) > 0.6


def test_the_grid_of_a_codec_is_no_sign() -> None:
    skin = np.random.default_rng(1).normal(120, 6, (128, 128)).astype(np.float32)
    skin[:, ::8] += 15
    skin[::8] += 15
    assert peak_strength(skin) < 0.2


def test_a_dark_frame_round_the_face_is_seen_on_all_sides() -> None:
    plain = np.full((512, 512, 3), 140, np.uint8)
    framed = plain.copy()
    framed[40:60, 40:472] = framed[452:472, 40:472] = framed[40:472, 40:60] = framed[40:472, 452:472] = 10
    assert frame_edges(plain, FACE_POINTS) == 0.0
    assert frame_edges(framed, FACE_POINTS) == 1.0
