"""Advice follows what is wrong with a picture."""

import cv2
import numpy as np
import pytest

from shiming.recognition.image_quality import (
    GLARE,
    TOO_BLURRED,
    TOO_DARK,
    TOO_SMALL,
    cut_off,
    glare_share,
    measure_quality,
)
from shiming.recognition.measurements import Image, ImageQuality


def a_card() -> Image:
    rng = np.random.default_rng(4)
    card = np.full((540, 856, 3), 190, np.uint8)
    for _ in range(120):
        x, y = int(rng.integers(20, 780)), int(rng.integers(20, 500))
        cv2.putText(card, "8", (x, y), cv2.FONT_HERSHEY_SIMPLEX, 1, (30, 30, 30), 2)
    return card


def measured(card: Image, **changes: object) -> ImageQuality:
    return measure_quality(card, card, **{"object_width_px": 856, **changes})  # type: ignore[arg-type]


def test_a_good_picture_needs_no_advice() -> None:
    assert measured(a_card()).advice == ()


def test_blur_lowers_sharpness_and_is_named() -> None:
    blurred = np.asarray(cv2.GaussianBlur(a_card(), (0, 0), 8), np.uint8)
    assert measured(blurred).sharpness < measured(a_card()).sharpness
    assert TOO_BLURRED in measured(blurred).advice


def test_darkness_is_named() -> None:
    assert TOO_DARK in measured((a_card() // 5).astype(np.uint8)).advice


def test_a_burnt_patch_is_glare_and_thin_white_print_is_not() -> None:
    card = a_card()
    cv2.circle(card, (400, 250), 90, (255, 255, 255), -1)
    assert GLARE in measured(card).advice
    lines = a_card()
    lines[::12] = 255
    assert glare_share(lines) == 0


def test_a_small_card_is_named() -> None:
    assert TOO_SMALL in measured(a_card(), object_width_px=200).advice


@pytest.mark.parametrize("edge", ["left", "right", "top", "bottom"])
def test_a_cut_edge_is_named_in_both_languages(edge: str) -> None:
    quality = measured(a_card(), cut_edges=(edge,))
    assert quality.advice == (cut_off(edge),)
    assert edge in quality.advice[0].en
    assert quality.to_json()["cut_edges"] == [edge]
