"""Is it one person through the whole clip? The face of every stretch is compared with the neutral face."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from shiming.recognition.clips.frames_kept import KeptFrame, neutral_frames
from shiming.recognition.face_embedding import mean_if_known, mean_of, similarity
from shiming.recognition.face_mesh import Points
from shiming.recognition.face_quality import quality_of
from shiming.recognition.measurements import ClipEvent, ClipEventKind, FaceTemplate, Image, ModelUse

Vector = NDArray[np.float32]

TEMPLATE_FRAMES: Final = 5
#: Faces turned further are less alike to the neutral one; they do not count towards `same_person_min`.
_COMPARABLE_YAW_DEGREES: Final = 25.0
#: And beyond this a face is not compared at all.
_SEEN_YAW_DEGREES: Final = 45.0
#: Below both similarities to the neutral face a stretch is called somebody else's. Spliced people of the
#: study reach 0.32 and 0.60, the same person turned by 20 degrees in the dark 0.28 and 0.68: hence both.
_CHANGE_BELOW: Final = (0.38, 0.62)
#: The same for a face turned by 25 to 45 degrees (five people turned by a relief: 0.24 and 0.57 at least;
#: other people 0.19 and 0.49 at most). Otherwise somebody else could make just the large turns.
_TURNED_CHANGE_BELOW: Final = (0.20, 0.50)


class Embedder(Protocol):
    """The two embeddings of a face; the second is None without its model."""

    @property
    def models(self) -> tuple[ModelUse, ...]: ...  # noqa: D102 - see the class

    @property
    def primary(self) -> Callable[[Image, Points], Vector]: ...  # noqa: D102 - see the class

    @property
    def secondary(self) -> Callable[[Image, Points], Vector | None]: ...  # noqa: D102 - see the class


@dataclass(frozen=True, slots=True)
class ClipIdentity:
    """The template of the clip's neutral frames, and how alike the least alike stretch is."""

    template: FaceTemplate = field(repr=False)
    best: KeptFrame = field(repr=False)
    neutral: tuple[KeptFrame, ...] = field(repr=False)
    same_person_min: float | None
    same_person_second_min: float | None
    changes: tuple[ClipEvent, ...]


@dataclass(frozen=True, slots=True)
class FirstVotes:
    """What the first embedding says of the stretches, and of which the second is asked besides."""

    neutral: tuple[KeptFrame, ...] = field(repr=False)
    vectors: Mapping[float, Vector] = field(repr=False)
    reference_s: float
    comparable: Mapping[float, float]
    doubted: tuple[KeptFrame, ...] = field(repr=False)


def settled(frames: Sequence[KeptFrame]) -> Sequence[KeptFrame]:
    """Return the stretches of which neutral frames are taken: not the last, where there are enough.

    It ends with the clip; who waits for an answer need not wait for what is asked of neutral frames alone.
    """
    return frames[:-1] if len(frames) > TEMPLATE_FRAMES else frames


def first_votes(
    frames: Sequence[KeptFrame], ended: Sequence[KeptFrame], neutral_yaw: float, embedder: Embedder
) -> FirstVotes:
    """Compare one frame of every stretch with the neutral ones among those `ended`. Neither is empty."""
    neutral = neutral_frames(ended, neutral_yaw, TEMPLATE_FRAMES)
    vectors = {frame.time_s: embedder.primary(frame.image, frame.points) for frame in neutral}
    reference_s = _most_central(neutral, vectors).time_s
    away = {frame.time_s: abs(frame.pose.yaw - neutral_yaw) for frame in frames}
    others = [f for f in frames if f.time_s not in vectors and away[f.time_s] <= _SEEN_YAW_DEGREES]
    vectors |= {frame.time_s: embedder.primary(frame.image, frame.points) for frame in others}
    likeness = _likeness(vectors, reference_s)
    comparable = {at: value for at, value in likeness.items() if away[at] <= _COMPARABLE_YAW_DEGREES}
    least = min(comparable, key=lambda at: comparable[at], default=None)
    doubted = (f for f in others if f.time_s == least or likeness[f.time_s] < _limits(away[f.time_s])[0])
    return FirstVotes(neutral, vectors, reference_s, comparable, tuple(doubted))


def clip_identity(
    frames: Sequence[KeptFrame], neutral_yaw: float, faces_max: int, embedder: Embedder
) -> ClipIdentity:
    """Embed the neutral frames and one frame of every other stretch. `frames` is not empty."""
    votes = first_votes(frames, settled(frames), neutral_yaw, embedder)
    neutral, first, comparable = votes.neutral, votes.vectors, votes.comparable
    asked = (*neutral, *votes.doubted)
    second = {frame.time_s: embedder.secondary(frame.image, frame.points) for frame in asked}
    likeness = _likeness(first, votes.reference_s)
    second_likeness = _likeness(second, votes.reference_s)
    away = {frame.time_s: abs(frame.pose.yaw - neutral_yaw) for frame in frames}
    strange = {at for at in likeness if _is_strange(likeness[at], second_likeness.get(at), away[at])}
    best = neutral[0]
    return ClipIdentity(
        template=FaceTemplate(
            primary=mean_of([first[frame.time_s] for frame in neutral]),
            secondary=mean_if_known([second[frame.time_s] for frame in neutral]),
            quality=quality_of(best.image, best.points, best.pose, faces_max),
            frames_used=len(neutral),
            models=embedder.models,
        ),
        best=best,
        neutral=neutral,
        same_person_min=min(comparable.values(), default=None),
        same_person_second_min=min(
            (second_likeness[at] for at in comparable if at in second_likeness), default=None
        ),
        changes=_changes([frame.time_s for frame in frames], strange),
    )


def _most_central(frames: Sequence[KeptFrame], vectors: dict[float, Vector]) -> KeptFrame:
    """Return the frame most like the others: in a clip of two people, a frame of one of them, not a mean."""
    together = np.stack([vectors[frame.time_s] for frame in frames])
    return frames[int(np.argmax((together @ together.T).sum(axis=1)))]


def _likeness(vectors: Mapping[float, Vector | None], reference_s: float) -> dict[float, float]:
    """Return the similarity of every other embedded frame to the reference; nothing without a model."""
    reference = vectors[reference_s]
    return {
        time_s: similarity(vector, reference)
        for time_s, vector in vectors.items()
        if time_s != reference_s and vector is not None and reference is not None
    }


def _limits(away_degrees: float) -> tuple[float, float]:
    return _CHANGE_BELOW if away_degrees <= _COMPARABLE_YAW_DEGREES else _TURNED_CHANGE_BELOW


def _is_strange(first: float, second: float | None, away_degrees: float) -> bool:
    """Say whether a stretch shows somebody else; without a second vote the first decides."""
    first_below, second_below = _limits(away_degrees)
    return first < first_below and (second is None or second < second_below)


def _changes(times_s: Sequence[float], strange: Collection[float]) -> tuple[ClipEvent, ...]:
    """Return each run of stretches that shows somebody else."""
    events: list[ClipEvent] = []
    running = False
    for time_s in times_s:
        if time_s in strange:
            start_s = events.pop().start_s if running else time_s
            events.append(ClipEvent(ClipEventKind.IDENTITY_CHANGE, start_s, time_s))
        running = time_s in strange
    return tuple(events)
