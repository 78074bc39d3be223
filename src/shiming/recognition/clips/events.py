"""Find the events in the signals of a clip. Pure: series in, events out."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiming.recognition.clips.signals import Signals
from shiming.recognition.clips.turns import TurnRule, hysteresis_runs, turns
from shiming.recognition.eye_state import ClosureRule, closures
from shiming.recognition.measurements import ClipEvent, ClipEventKind

Series = NDArray[np.float64]

LONG_AGO: Final = float("-inf")


@dataclass(frozen=True, slots=True)
class MouthRule:
    """Mouth openings and speech, in units of `mouth_opening`."""

    open_at: float = 0.06
    release_share: float = 0.66
    open_s_min: float = 0.1
    speech_window_s: float = 0.8
    speech_deviation_min: float = 0.008  # standard deviation within the window
    speech_s_min: float = 0.4


@dataclass(frozen=True, slots=True)
class EventRules:
    """Everything that decides what is called an event; what is enough for a proof, a policy decides."""

    turn: TurnRule = field(default_factory=TurnRule)
    closure: ClosureRule = field(default_factory=ClosureRule)
    mouth: MouthRule = field(default_factory=MouthRule)
    face_lost_s_min: float = 0.2
    time_gap_s_min: float = 0.2
    frozen_s_min: float = 0.7
    #: Mean step; a held frame encoded again has 0.00 to 0.03, a calm person strongly compressed 0.10.
    frozen_change_max: float = 0.06


def clip_events(signals: Signals, neutral_yaw_degrees: float, rules: EventRules) -> tuple[ClipEvent, ...]:
    """Return the events of the face's movements and of the frames, ascending in time."""
    seen = signals.present
    times_s, yaw = signals.times_s[seen], signals.yaw[seen]
    found = [
        *turns(times_s, yaw, neutral_yaw_degrees, rules.turn),
        *eye_events(times_s, signals.eyes[seen], rules.closure),
        *mouth_events(times_s, signals.mouth[seen], rules.mouth),
        *face_lost(signals.times_s, seen, rules.face_lost_s_min),
        *second_face(signals),
        *frozen(signals.times_s, signals.change, rules),
    ]
    return tuple(sorted(found, key=lambda event: (event.start_s, event.kind.value)))


def eye_events(times_s: Series, eyes: Series, rule: ClosureRule) -> tuple[ClipEvent, ...]:
    """Return blinks, and longer closures as eyes closed."""
    found = closures(times_s, eyes.mean(axis=1) if eyes.size else np.empty(0), rule)
    return tuple(
        ClipEvent(
            ClipEventKind.BLINK if dip.seconds <= rule.blink_s_max else ClipEventKind.EYES_CLOSED,
            dip.start_s,
            dip.end_s,
        )
        for dip in found
    )


def mouth_events(times_s: Series, mouth: Series, rule: MouthRule) -> tuple[ClipEvent, ...]:
    """Return openings of the mouth, and times when it moves as in speech."""
    opened = [
        ClipEvent(ClipEventKind.MOUTH_OPEN, float(times_s[start]), float(times_s[end]))
        for start, end in hysteresis_runs(mouth, rule.open_at, rule.open_at * rule.release_share)
        if times_s[end] - times_s[start] >= rule.open_s_min
    ]
    if mouth.size < 3:
        return tuple(opened)
    moving = moving_deviation(times_s, mouth, rule.speech_window_s)
    least = rule.speech_deviation_min
    spoken = [
        ClipEvent(ClipEventKind.SPEECH, float(times_s[start]), float(times_s[end]))
        for start, end in hysteresis_runs(moving, least, least)
        if times_s[end] - times_s[start] >= rule.speech_s_min
    ]
    return (*opened, *spoken)


def moving_deviation(times_s: Series, values: Series, window_s: float) -> Series:
    """Return the standard deviation within a window centred on each instant."""
    starts = np.searchsorted(times_s, times_s - window_s / 2, side="left")
    ends = np.searchsorted(times_s, times_s + window_s / 2, side="right")
    sums = np.concatenate([[0.0], np.cumsum(values)])
    squares = np.concatenate([[0.0], np.cumsum(values**2)])
    count = ends - starts
    mean = (sums[ends] - sums[starts]) / count
    variance = (squares[ends] - squares[starts]) / count - mean**2
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)), np.float64)


def face_lost(times_s: Series, seen: NDArray[np.bool_], seconds_min: float) -> tuple[ClipEvent, ...]:
    """Return the times without a tracked face."""
    runs = hysteresis_runs((~seen).astype(np.float64), 1.0, 1.0)
    events = (
        ClipEvent(ClipEventKind.FACE_LOST, float(times_s[start]), float(times_s[end])) for start, end in runs
    )
    return tuple(event for event in events if event.end_s - event.start_s >= seconds_min)


def second_face(signals: Signals) -> tuple[ClipEvent, ...]:
    """Return the looks of the detector that saw more than one face, neighbouring looks joined."""
    events: list[ClipEvent] = []
    before = False
    for time_s, count in signals.faces_seen:
        if count > 1 and before:
            events[-1] = ClipEvent(ClipEventKind.SECOND_FACE, events[-1].start_s, time_s)
        elif count > 1:
            events.append(ClipEvent(ClipEventKind.SECOND_FACE, time_s, time_s))
        before = count > 1
    return tuple(events)


def frozen(times_s: Series, change: Series, rules: EventRules) -> tuple[ClipEvent, ...]:
    """Return the runs in which the face's place does not change at all."""
    still = (np.nan_to_num(change, nan=np.inf) <= rules.frozen_change_max).astype(np.float64)
    events = (
        ClipEvent(ClipEventKind.FROZEN, float(times_s[max(start - 1, 0)]), float(times_s[end]))
        for start, end in hysteresis_runs(still, 1.0, 1.0)
    )
    return tuple(event for event in events if event.end_s - event.start_s >= rules.frozen_s_min)


def time_gaps(frame_times_s: Series, seconds_min: float) -> tuple[ClipEvent, ...]:
    """Return the gaps between time stamps of successive frames."""
    steps = np.diff(frame_times_s)
    usual = float(np.median(steps)) if steps.size else 0.0
    wide = np.flatnonzero(steps >= max(seconds_min, 2.5 * usual))
    return tuple(
        ClipEvent(ClipEventKind.TIME_GAP, float(frame_times_s[at]), float(frame_times_s[at + 1]))
        for at in wide
    )
