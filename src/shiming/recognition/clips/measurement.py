"""Measure a live clip: one streaming pass over the frames, then the events and attack signs of its signals.

`measure_arriving_clip` does the same while the clip is still being uploaded.

(1) decode within limits; every frame is dropped before the next one comes, but for one a stretch of time
(2) follow the face; pose, eyes and mouth of every frame up to 30 a second
(3) the neutral pose, then turns, blinks, mouth, losses, freezes, repetitions, gaps
(4) the face: template of sharp frontal frames, same person through the clip
(5) signs of a presentation attack
"""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shiming.recognition.clips.decoding import ArrivingFile, ClipHeader, OpenClip, Pace, arriving, opened
from shiming.recognition.clips.events import EventRules, clip_events, time_gaps
from shiming.recognition.clips.frames_kept import FrameKeeper, KeptFrame
from shiming.recognition.clips.identity import ClipIdentity, clip_identity, first_votes
from shiming.recognition.clips.limits import ClipLimits
from shiming.recognition.clips.refusals import too_short, unreadable, without_face
from shiming.recognition.clips.remembered import FaceViews
from shiming.recognition.clips.signals import SignalRecorder, Signals, is_cut
from shiming.recognition.clips.turns import neutral_yaw
from shiming.recognition.eye_state import EyeReader
from shiming.recognition.face_embedding import FaceTools, face_tools
from shiming.recognition.face_tracking import FaceTracker
from shiming.recognition.inference import ModelRuntime
from shiming.recognition.measurements import (
    AttackSigns,
    ClipEvent,
    ClipEventKind,
    ClipFace,
    ClipMeasurement,
    ClipTimeline,
    ModelUse,
)
from shiming.recognition.presentation_attack.loops import Repetition, closest_repetition
from shiming.recognition.presentation_attack.passive_liveness import PassiveLiveness
from shiming.recognition.presentation_attack.planarity import planar_score
from shiming.vocabulary.errors import Unavailable

Series = NDArray[np.float64]

#: A stretch closer to another than this is called repeated (study: real at least .016, loops at most .006),
#: unless it hardly moves at all: a person at rest is no recording.
REPEATED_DISTANCE_MAX = 0.009
REPEATED_MOVEMENT_SHARE_MAX = 0.5


@dataclass(frozen=True, slots=True)
class ClipTools:
    """What measuring a clip needs; `liveness` is None where its optional model is absent."""

    face: FaceTools
    eyes: EyeReader
    liveness: PassiveLiveness | None
    models: tuple[ModelUse, ...]
    rules: EventRules = field(default_factory=EventRules)


def clip_tools(runtime: ModelRuntime) -> ClipTools:
    """Build the tools; raises `Unavailable` where a required model is missing."""
    try:
        liveness = PassiveLiveness(runtime)
    except Unavailable:
        liveness = None
    face = face_tools(runtime)
    used = [runtime.litert(name).use for name in ("face_detection_short", "face_mesh", "iris")]
    return ClipTools(
        face=face,
        eyes=EyeReader(runtime),
        liveness=liveness,
        models=(*used, *face.embedder.models, *((liveness.use,) if liveness else ())),
    )


@dataclass(frozen=True, slots=True)
class _Pass:
    """What the streaming pass leaves."""

    signals: Signals
    frame_times_s: Series
    kept: tuple[KeptFrame, ...]


@dataclass(frozen=True, slots=True)
class _Findings:
    """What the signals say, before events and signs are drawn from it."""

    signals: Signals
    frame_times_s: Series
    neutral_yaw: float
    faces_max: int
    identity: ClipIdentity | None  # None without a face
    repetition: Repetition | None  # None in a clip too short to repeat


def measure_clip(source: Path | bytes, tools: ClipTools, limits: ClipLimits) -> ClipMeasurement:
    """Measure a clip; raises `BadInput` (CLIP_...) if it cannot be used."""
    started = time.perf_counter()
    views = FaceViews.of(tools.face.embedder, tools.liveness)
    with opened(source, limits) as clip:
        passed = _stream(clip, tools, limits, views, early=False)
    return _measured(clip.header, passed, tools, limits, views, started)


def measure_arriving_clip(
    file: ArrivingFile, tools: ClipTools, limits: ClipLimits, pace: Pace = contextlib.nullcontext
) -> ClipMeasurement:
    """Measure a clip while it arrives, and find the same as `measure_clip` does of the whole; raises as that.

    `pace` is entered around the work on each packet, never while waiting for bytes. What the kept frames
    will be asked is asked as soon as they are probably kept, so that little is left to do at the end.
    """
    started = time.perf_counter()
    views = FaceViews.of(tools.face.embedder, tools.liveness)
    with arriving(file, limits, pace) as clip:
        passed = _stream(clip, tools, limits, views, early=True)
    with pace():
        return _measured(clip.header, passed, tools, limits, views, started)


def _measured(  # noqa: PLR0917 - the end of both ways
    header: ClipHeader,
    passed: _Pass,
    tools: ClipTools,
    limits: ClipLimits,
    views: FaceViews,
    started: float,
) -> ClipMeasurement:
    _check_length(passed.frame_times_s, limits)
    found = _findings(passed, tools, views)
    events = _events(found, tools.rules)
    return ClipMeasurement(
        events=events,
        attack_signs=_attack_signs(events, found, views),
        face=_clip_face(found),
        timeline=_timeline(found.signals),
        frames=len(found.frame_times_s),
        frames_analysed=len(found.signals.times_s),
        duration_s=round(float(found.frame_times_s[-1]) + 1 / header.frame_rate, 3),
        width=header.width,
        height=header.height,
        frame_rate=round(header.frame_rate, 3),
        has_audio=header.has_audio,
        models=tools.models,
        seconds=round(time.perf_counter() - started, 3),
    )


def _stream(clip: OpenClip, tools: ClipTools, limits: ClipLimits, views: FaceViews, *, early: bool) -> _Pass:
    tracker = FaceTracker(tools.face.detector, tools.face.mesh)
    recorder = SignalRecorder(tools.eyes)
    keeper = FrameKeeper(clip.header.duration_s)
    frame_times_s: list[float] = []
    with contextlib.closing(clip.frames()) as frames:  # so that the pace is left at once on a refusal
        for frame in frames:
            frame_times_s.append(frame.time_s)
            if frame.picture is None:
                continue
            change = recorder.change_of(frame.picture)
            if is_cut(change):
                tracker.look_again(frame.time_s)
            tracked = tracker.follow(frame.picture, frame.time_s)
            if tracked.doubted_since_s is not None:
                recorder.forget_since(tracked.doubted_since_s)
                keeper.forget_since(tracked.doubted_since_s)
            pose = recorder.record(frame.time_s, frame.picture, tracked, change)
            if not recorder.face_seen and frame.time_s > limits.face_within_s:
                raise without_face(limits.face_within_s)
            if pose is not None and tracked.points is not None:
                closed = keeper.offer(frame.time_s, frame.picture, tracked.points, pose)
                if early and closed is not None:
                    _look_early(closed, keeper, recorder, tools, views)
    return _Pass(recorder.signals(), np.asarray(frame_times_s, np.float64), keeper.frames())


def _look_early(
    frame: KeptFrame, keeper: FrameKeeper, recorder: SignalRecorder, tools: ClipTools, views: FaceViews
) -> None:
    """Ask of a frame now what will be asked of it at the end, as far as can be foreseen."""
    neutral = neutral_yaw(recorder.yaw_so_far(), tools.rules.turn)
    ended = [each for each in keeper.frames() if each.time_s <= frame.time_s]
    votes = first_votes(ended, ended, neutral, views)
    for doubted in votes.doubted:
        views.secondary(doubted.image, doubted.points)
    for seen in votes.neutral:
        views.look(seen.image, seen.points)


def _check_length(frame_times_s: Series, limits: ClipLimits) -> None:
    if frame_times_s.size == 0:
        raise unreadable("no frame could be decoded")
    if frame_times_s.size < limits.frames_min or frame_times_s[-1] < limits.duration_s_min:
        raise too_short(float(frame_times_s[-1]), frame_times_s.size)


def _findings(passed: _Pass, tools: ClipTools, views: FaceViews) -> _Findings:
    signals = passed.signals
    seen = signals.present
    neutral = neutral_yaw(signals.yaw, tools.rules.turn)
    faces_max = max((count for _, count in signals.faces_seen), default=0)
    identity = clip_identity(passed.kept, neutral, faces_max, views) if passed.kept else None
    return _Findings(
        signals=signals,
        frame_times_s=passed.frame_times_s,
        neutral_yaw=neutral,
        faces_max=faces_max,
        identity=identity,
        repetition=closest_repetition(signals.times_s[seen], signals.places[seen]),
    )


def _events(found: _Findings, rules: EventRules) -> tuple[ClipEvent, ...]:
    events = [
        *clip_events(found.signals, found.neutral_yaw, rules),
        *time_gaps(found.frame_times_s, rules.time_gap_s_min),
        *(found.identity.changes if found.identity else ()),
    ]
    if found.repetition and is_repeated(found.repetition):
        start_s = found.repetition.again_s
        events.append(ClipEvent(ClipEventKind.REPEATED, start_s, start_s + found.repetition.seconds))
    rounded = (
        replace(event, start_s=round(event.start_s, 3), end_s=round(event.end_s, 3)) for event in events
    )
    return tuple(sorted(rounded, key=lambda event: (event.start_s, event.kind.value)))


def is_repeated(repetition: Repetition) -> bool:
    """Say whether the closest repetition is closer than a person repeats a movement."""
    close = repetition.distance < REPEATED_DISTANCE_MAX
    return close and repetition.distance < REPEATED_MOVEMENT_SHARE_MAX * repetition.movement


def _attack_signs(events: tuple[ClipEvent, ...], found: _Findings, views: FaceViews) -> AttackSigns:
    duration_s = max(float(found.frame_times_s[-1]), 1e-3)
    still_s = sum(event.end_s - event.start_s for event in events if event.kind is ClipEventKind.FROZEN)
    identity, signals, seen = found.identity, found.signals, found.signals.present
    shown = identity.neutral if identity else ()
    live = [views.live(frame.image, frame.points) for frame in shown] if views.live else []
    return AttackSigns(
        passive_live_score=_mean(live),
        frozen_share=min(still_s / duration_s, 1.0),
        loop_distance=found.repetition.distance if found.repetition else None,
        planar_score=planar_score(
            signals.rigid_places[seen], signals.yaw[seen], signals.roll[seen], found.neutral_yaw
        ),
        moire=_median([views.moire(frame.image, frame.points) for frame in shown]),
        frame_edges=_median([views.frame_edges(frame.image, frame.points) for frame in shown[:2]]),
        same_person_min=identity.same_person_min if identity else None,
        same_person_second_min=identity.same_person_second_min if identity else None,
        time_gap_s_max=round(float(np.diff(found.frame_times_s).max(initial=0.0)), 3),
        faces_max=found.faces_max,
    )


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if values else None


def _clip_face(found: _Findings) -> ClipFace:
    identity, seen = found.identity, found.signals.present
    return ClipFace(
        quality=identity.template.quality if identity else None,
        template=identity.template if identity else None,
        width_px_median=float(np.median(found.signals.width_px[seen])) if seen.any() else 0.0,
        present_share=float(seen.mean()) if seen.size else 0.0,
        neutral_yaw_degrees=found.neutral_yaw,
        best_frame=identity.best.image if identity else None,
    )


def _timeline(signals: Signals) -> ClipTimeline:
    return ClipTimeline(
        times_s=tuple(signals.times_s.tolist()),
        yaw_degrees=tuple(signals.yaw.tolist()),
        eye_openness=tuple(signals.eyes.mean(axis=1).tolist()),
        mouth_opening=tuple(signals.mouth.tolist()),
    )
