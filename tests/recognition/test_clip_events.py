import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shiming.recognition.clips.events import (
    EventRules,
    MouthRule,
    clip_events,
    frozen,
    mouth_events,
    second_face,
    time_gaps,
)
from shiming.recognition.clips.signals import KEPT_POINTS, Signals
from shiming.recognition.clips.turns import TurnRule, hysteresis_runs, neutral_yaw, turns
from shiming.recognition.measurements import ClipEventKind

RULE = TurnRule()
Series = NDArray[np.float64]


def head_path(*poses: tuple[float, float], rate: float = 30) -> tuple[Series, Series]:
    """Return times and yaw of a head that goes to each (degrees) and stays there for (seconds)."""
    parts: list[Series] = []
    last = poses[0][0]
    for degrees, seconds in poses:
        parts += [np.linspace(last, degrees, 10), np.full(round(seconds * rate), degrees)]
        last = degrees
    yaw = np.concatenate(parts)
    return np.arange(yaw.size) / rate, yaw


def signals(times_s: Series, yaw: Series) -> Signals:
    count = len(times_s)
    still = np.zeros(count)
    return Signals(
        times_s=times_s,
        yaw=yaw,
        pitch=still,
        roll=still,
        eyes=np.full((count, 2), 0.3),
        mouth=still,
        width_px=np.full(count, 200.0),
        change=np.full(count, 2.0),
        places=np.zeros((count, len(KEPT_POINTS), 2), np.float32),
    )


@given(
    neutral=st.floats(-12, 12),
    first=st.floats(12, 40),
    second=st.floats(12, 40),
    noise=st.integers(0, 1000),
)
def test_turns_are_found_on_the_persons_own_side_with_their_degrees(
    neutral: float, first: float, second: float, noise: int
) -> None:
    times, yaw = head_path(
        (neutral, 1.5), (neutral + first, 0.5), (neutral, 1.5), (neutral - second, 0.5), (neutral, 1)
    )
    yaw = yaw + np.random.default_rng(noise).normal(0, 0.3, yaw.size)
    found = turns(times, yaw, neutral_yaw(yaw, RULE), RULE)
    assert [event.kind for event in found] == [ClipEventKind.TURN_LEFT, ClipEventKind.TURN_RIGHT]
    assert [event.degrees for event in found] == [
        pytest.approx(first, abs=2.5),
        pytest.approx(second, abs=2.5),
    ]
    assert found[0].end_s < found[1].start_s


@given(yaw=st.lists(st.floats(-60, 60), min_size=3, max_size=80))
def test_mirroring_swaps_the_sides(yaw: list[float]) -> None:
    times, path = np.arange(len(yaw)) / 30, np.asarray(yaw)
    opposite = {
        ClipEventKind.TURN_LEFT: ClipEventKind.TURN_RIGHT,
        ClipEventKind.TURN_RIGHT: ClipEventKind.TURN_LEFT,
    }
    plain, mirrored = turns(times, path, 0.0, RULE), turns(times, -path, 0.0, RULE)
    assert {(opposite[e.kind], e.start_s, e.end_s, e.degrees) for e in plain} == {
        (e.kind, e.start_s, e.end_s, e.degrees) for e in mirrored
    }


def test_a_clip_that_begins_turned_has_its_neutral_where_the_head_mostly_is() -> None:
    times, yaw = head_path((22, 0.4), (1, 4))
    assert neutral_yaw(yaw, RULE) == pytest.approx(1, abs=1)
    assert [event.kind for event in turns(times, yaw, neutral_yaw(yaw, RULE), RULE)] == [
        ClipEventKind.TURN_LEFT
    ]


def test_looking_to_both_sides_for_long_does_not_move_the_neutral() -> None:
    _, yaw = head_path((0, 0.8), (32, 2), (0, 0.4), (-32, 2), (0, 0.4))
    assert neutral_yaw(yaw, RULE) == pytest.approx(0, abs=1.5)


def test_a_single_wild_frame_is_no_turn() -> None:
    times, yaw = head_path((0, 3))
    yaw[40] = 45
    assert turns(times, yaw, 0.0, RULE) == ()


def test_no_face_has_no_turns() -> None:
    assert neutral_yaw(np.full(5, np.nan), RULE) == 0.0
    assert turns(np.empty(0), np.empty(0), 0.0, RULE) == ()


@given(values=st.lists(st.floats(0, 30), max_size=60))
def test_runs_are_disjoint_reach_the_threshold_and_never_fall_below_the_release(values: list[float]) -> None:
    series = np.asarray(values, np.float64)
    runs = hysteresis_runs(series, 12.0, 7.0)
    for start, end in runs:
        assert series[start : end + 1].max() >= 12.0
        assert series[start : end + 1].min() >= 7.0
        assert start == 0 or series[start - 1] < 7.0
        assert end == series.size - 1 or series[end + 1] < 7.0
    assert all(one[1] < two[0] for one, two in itertools.pairwise(runs))
    inside = {index for start, end in runs for index in range(start, end + 1)}
    assert {index for index, value in enumerate(values) if value >= 12.0} <= inside


def test_speech_moves_the_mouth_and_a_smile_does_not() -> None:
    times = np.arange(0, 6, 1 / 30)
    talking = np.where((times > 2) & (times < 4), 0.04 + 0.03 * np.sin(times * 25), 0.01)
    found = mouth_events(times, talking, MouthRule())
    speech = [event for event in found if event.kind is ClipEventKind.SPEECH]
    assert len(speech) == 1
    assert speech[0].start_s == pytest.approx(2, abs=0.4)
    assert speech[0].end_s == pytest.approx(4, abs=0.4)
    assert mouth_events(times, np.full(times.size, 0.03), MouthRule()) == ()


def test_a_held_open_mouth_is_one_opening() -> None:
    times = np.arange(0, 4, 1 / 30)
    found = mouth_events(times, np.where((times > 1) & (times < 2), 0.15, 0.0), MouthRule())
    assert [event.kind for event in found].count(ClipEventKind.MOUTH_OPEN) == 1


def test_a_face_that_leaves_is_lost() -> None:
    times, yaw = head_path((0, 3))
    yaw[30:60] = np.nan
    events = clip_events(signals(times, yaw), 0.0, EventRules())
    lost = [event for event in events if event.kind is ClipEventKind.FACE_LOST]
    assert [(round(event.start_s), round(event.end_s)) for event in lost] == [(1, 2)]


def test_neighbouring_looks_at_two_faces_are_one_event() -> None:
    times, yaw = head_path((0, 3))
    seen = replace(signals(times, yaw), faces_seen=((0, 1), (1, 2), (2, 2), (3, 1), (4, 3)))
    assert [(event.start_s, event.end_s) for event in second_face(seen)] == [(1, 2), (4, 4)]


def test_unchanged_frames_are_frozen_only_if_they_last() -> None:
    times = np.arange(0, 5, 1 / 30)
    change = np.full(times.size, 1.0)
    change[0] = np.nan
    change[20:25] = 0.0  # a repeated frame of a slow camera
    change[60:100] = 0.0
    found = frozen(times, change, EventRules())
    assert [(round(event.start_s, 1), round(event.end_s, 1)) for event in found] == [(2.0, 3.3)]


@given(
    gap=st.floats(0.25, 3),
    rate=st.sampled_from([15.0, 25.0, 30.0]),
    at=st.integers(5, 40),
)
def test_a_hole_in_the_time_stamps_is_a_gap(gap: float, rate: float, at: int) -> None:
    times = np.arange(60) / rate
    times[at:] += gap
    found = time_gaps(times, 0.2)
    assert len(found) == 1
    assert found[0].end_s - found[0].start_s == pytest.approx(gap + 1 / rate)
    assert time_gaps(np.arange(60) / rate, 0.2) == ()
