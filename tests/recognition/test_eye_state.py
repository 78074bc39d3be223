import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shiming.recognition.clips.events import eye_events
from shiming.recognition.eye_state import ClosureRule, closures, lid_opening
from shiming.recognition.measurements import ClipEventKind

RULE = ClosureRule()


def series(
    seconds: float,
    dips: list[tuple[float, float]],
    *,
    rate: float = 30,
    level: float = 0.3,
    depth: float = 0.2,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    times = np.arange(0, seconds, 1 / rate)
    openness = np.full(times.size, level)
    for start, length in dips:
        openness[(times >= start) & (times < start + length)] = level * depth
    return times, openness


@given(
    starts=st.lists(st.integers(2, 18), min_size=0, max_size=4, unique=True),
    length=st.floats(0.07, 0.5),
    level=st.floats(0.1, 0.5),
    rate=st.sampled_from([15, 25, 30]),
)
def test_every_dip_is_one_blink_whatever_the_eye(
    starts: list[int], length: float, level: float, rate: int
) -> None:
    times, openness = series(20, [(start, length) for start in starts], rate=rate, level=level)
    found = closures(times, openness, RULE)
    assert len(found) == len(starts)
    for dip, start in zip(found, sorted(starts), strict=True):
        assert dip.start_s == pytest.approx(start, abs=1.01 / rate)
        assert dip.seconds == pytest.approx(length, abs=2.01 / rate)


@given(ratio=st.floats(0.65, 1.0))
def test_a_half_lowered_lid_is_no_blink(ratio: float) -> None:
    assert closures(*series(6, [(3, 0.2)], depth=ratio), RULE) == ()


@given(slope=st.floats(-0.02, 0.02))
def test_a_slow_change_of_the_open_level_is_no_blink(slope: float) -> None:
    times, openness = series(10, [])
    assert closures(times, openness + slope * times, RULE) == ()


def test_a_flicker_inside_one_closure_does_not_make_two() -> None:
    times, openness = series(6, [(3, 0.1), (3.13, 0.1)])
    assert len(closures(times, openness, RULE)) == 1


def test_a_long_closure_is_closed_eyes_and_not_a_blink() -> None:
    times, openness = series(8, [(2, 0.15), (4, 1.2)])
    events = eye_events(times, np.stack([openness, openness], axis=1), RULE)
    assert [event.kind for event in events] == [ClipEventKind.BLINK, ClipEventKind.EYES_CLOSED]


def test_nothing_in_nothing_out() -> None:
    assert closures(np.empty(0), np.empty(0), RULE) == ()
    assert eye_events(np.empty(0), np.empty((0, 2)), RULE) == ()


@given(gap=st.floats(0, 20))
def test_openness_is_the_lid_distance_by_the_corner_distance(gap: float) -> None:
    contour = np.zeros((71, 3), np.float32)
    contour[0, 0], contour[8, 0] = 10, 50
    contour[3:6, 1], contour[11:14, 1] = 30 - gap / 2, 30 + gap / 2
    assert lid_opening(contour) == pytest.approx(gap / 40, abs=1e-5)


def test_an_eye_without_width_is_closed() -> None:
    assert lid_opening(np.zeros((1, 213), np.float32)) == 0.0
