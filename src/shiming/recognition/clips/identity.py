"""Is it one person through the whole clip? The face of every stretch is compared with the neutral face."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiming.recognition.clips.frames_kept import KeptFrame, neutral_frames
from shiming.recognition.face_embedding import FaceEmbedder, mean_if_known, mean_of, similarity
from shiming.recognition.face_quality import quality_of
from shiming.recognition.measurements import ClipEvent, ClipEventKind, FaceTemplate

Vector = NDArray[np.float32]

TEMPLATE_FRAMES: Final = 5
#: A face turned further is compared too unsurely to say that it is another person's.
_COMPARABLE_YAW_DEGREES: Final = 25.0
#: Below both similarities to the neutral face a stretch is called somebody else's. Spliced people of the
#: study reach 0.32 and 0.60, the same person turned by 20 degrees in the dark 0.28 and 0.68: hence both.
_CHANGE_BELOW: Final = 0.38
_SECOND_CHANGE_BELOW: Final = 0.62


@dataclass(frozen=True, slots=True)
class ClipIdentity:
    """The template of the clip's neutral frames, and how alike the least alike stretch is."""

    template: FaceTemplate = field(repr=False)
    best: KeptFrame = field(repr=False)
    neutral: tuple[KeptFrame, ...] = field(repr=False)
    same_person_min: float | None
    same_person_second_min: float | None
    changes: tuple[ClipEvent, ...]


def clip_identity(
    frames: Sequence[KeptFrame], neutral_yaw: float, faces_max: int, embedder: FaceEmbedder
) -> ClipIdentity:
    """Embed the neutral frames and one frame of every other stretch. `frames` is not empty."""
    neutral = neutral_frames(frames, neutral_yaw, TEMPLATE_FRAMES)
    first = {frame.time_s: embedder.primary(frame.image, frame.points) for frame in neutral}
    second = {frame.time_s: embedder.secondary(frame.image, frame.points) for frame in neutral}
    reference = _most_central(neutral, first)
    others = [
        frame
        for frame in frames
        if frame.time_s not in first and abs(frame.pose.yaw - neutral_yaw) <= _COMPARABLE_YAW_DEGREES
    ]
    first |= {frame.time_s: embedder.primary(frame.image, frame.points) for frame in others}
    likeness = {
        time_s: similarity(vector, first[reference.time_s])
        for time_s, vector in first.items()
        if time_s != reference.time_s
    }
    doubtful = min(likeness, key=lambda time_s: likeness[time_s], default=None)
    for frame in others:
        if frame.time_s == doubtful or likeness[frame.time_s] < _CHANGE_BELOW:
            second[frame.time_s] = embedder.secondary(frame.image, frame.points)
    second_likeness = _second_likeness(second, reference.time_s)
    vectors = [second[frame.time_s] for frame in neutral]
    best = neutral[0]
    return ClipIdentity(
        template=FaceTemplate(
            primary=mean_of([first[frame.time_s] for frame in neutral]),
            secondary=mean_if_known(vectors),
            quality=quality_of(best.image, best.points, best.pose, faces_max),
            frames_used=len(neutral),
            models=embedder.models,
        ),
        best=best,
        neutral=neutral,
        same_person_min=min(likeness.values(), default=None),
        same_person_second_min=min(second_likeness.values(), default=None),
        changes=_changes(frames, likeness, second_likeness),
    )


def _most_central(frames: Sequence[KeptFrame], vectors: dict[float, Vector]) -> KeptFrame:
    """Return the frame most like the others: in a clip of two people, a frame of one of them, not a mean."""
    together = np.stack([vectors[frame.time_s] for frame in frames])
    return frames[int(np.argmax((together @ together.T).sum(axis=1)))]


def _second_likeness(vectors: dict[float, Vector | None], reference_s: float) -> dict[float, float]:
    reference = vectors[reference_s]
    if reference is None:
        return {}
    return {
        time_s: similarity(vector, reference)
        for time_s, vector in vectors.items()
        if time_s != reference_s and vector is not None
    }


def _changes(
    frames: Sequence[KeptFrame], likeness: dict[float, float], second_likeness: dict[float, float]
) -> tuple[ClipEvent, ...]:
    """Return each run of stretches that shows somebody else; without a second vote the first decides."""
    events: list[ClipEvent] = []
    running = False
    for frame in frames:
        if frame.time_s not in likeness and not running:
            continue
        strange = (
            likeness.get(frame.time_s, 1.0) < _CHANGE_BELOW
            and second_likeness.get(frame.time_s, -1.0) < _SECOND_CHANGE_BELOW
        )
        if strange and running:
            events[-1] = ClipEvent(ClipEventKind.IDENTITY_CHANGE, events[-1].start_s, frame.time_s)
        elif strange:
            events.append(ClipEvent(ClipEventKind.IDENTITY_CHANGE, frame.time_s, frame.time_s))
        running = strange
    return tuple(events)
