"""Sharpness, light and glare move the right way; advice names what is wrong."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiming.recognition.image_quality import (
    GLARE,
    TOO_BLURRED,
    TOO_DARK,
    TOO_SMALL,
    glare_share,
    measure_quality,
)
from shiming.recognition.measurements import Image


def print_on_paper(seed: int = 0) -> Image:
    picture = np.full((404, 640, 3), 205, np.uint8)
    for row in range(30, 380, 36):
        cv2.putText(picture, f"line {seed + row}", (20, row), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (30, 30, 30), 2)
    return picture


def test_a_good_picture_gets_no_advice() -> None:
    assert measure_quality(print_on_paper(), print_on_paper(), object_width_px=900).advice == ()


@settings(max_examples=8, deadline=None)
@given(st.floats(0.8, 6.0))
def test_blur_lowers_sharpness(sigma: float) -> None:
    sharp = print_on_paper()
    soft = np.asarray(cv2.GaussianBlur(sharp, (0, 0), sigma), np.uint8)
    softer = np.asarray(cv2.GaussianBlur(soft, (0, 0), sigma), np.uint8)
    found = [measure_quality(one, one, object_width_px=900).sharpness for one in (sharp, soft, softer)]
    assert found == sorted(found, reverse=True)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.05, 0.25))
def test_darkness_is_named(light: float) -> None:
    dark = (print_on_paper() * light).astype(np.uint8)
    assert TOO_DARK in measure_quality(dark, dark, object_width_px=900).advice


@settings(max_examples=20, deadline=None)
@given(st.integers(20, 200).filter(lambda side: not 66 < side < 78))
def test_a_burnt_out_patch_is_glare_and_white_print_is_not(side: int) -> None:
    picture = print_on_paper()
    assert glare_share(picture) == 0
    picture[::9, ::9] = 255
    assert glare_share(picture) == 0
    picture[100 : 100 + side, 200 : 200 + side] = 255
    assert glare_share(picture) == pytest.approx(side * side / picture[..., 0].size, rel=0.1)
    expected = side * side / picture[..., 0].size > 0.02
    assert (GLARE in measure_quality(picture, picture, object_width_px=900).advice) is expected


def test_smallness_blur_and_cut_edges_are_named() -> None:
    soft = np.asarray(cv2.GaussianBlur(print_on_paper(), (0, 0), 6), np.uint8)
    advice = measure_quality(soft, soft, object_width_px=200, cut_edges=("left",)).advice
    assert TOO_SMALL in advice
    assert TOO_BLURRED in advice
    assert any("left edge" in text.en for text in advice)
