"""What models say of a kept frame, asked once: early, while the clip still arrives, or at its end."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shiming.recognition.face_embedding import FaceEmbedder, Vector
from shiming.recognition.face_mesh import Points
from shiming.recognition.measurements import Image, ModelUse
from shiming.recognition.presentation_attack.passive_liveness import PassiveLiveness
from shiming.recognition.presentation_attack.screen_signs import frame_edges, moire

T = TypeVar("T")


class Remembered(Generic[T]):
    """A measurement of one frame's face, remembered for the clip by the frame's own mesh."""

    def __init__(self, measure: Callable[[Image, Points], T]) -> None:
        self._measure = measure
        self._known: dict[int, tuple[Points, T]] = {}  # the mesh is held so that its id stays its own

    def __call__(self, image: Image, points: Points) -> T:
        """Return the measurement; make it if nobody has."""
        if id(points) not in self._known:
            self._known[id(points)] = (points, self._measure(image, points))
        return self._known[id(points)][1]


@dataclass(frozen=True, slots=True)
class FaceViews:
    """Everything that is asked about kept frames; `live` is None without its model."""

    primary: Callable[[Image, Points], Vector]
    secondary: Callable[[Image, Points], Vector | None]
    live: Callable[[Image, Points], float] | None
    moire: Callable[[Image, Points], float]
    frame_edges: Callable[[Image, Points], float]
    models: tuple[ModelUse, ...] = field(default=())

    @classmethod
    def of(cls, embedder: FaceEmbedder, liveness: PassiveLiveness | None) -> "FaceViews":
        """Return fresh views for one clip."""
        return cls(
            Remembered(embedder.primary),
            Remembered(embedder.secondary),
            Remembered(liveness.live_score) if liveness else None,
            Remembered(moire),
            Remembered(frame_edges),
            embedder.models,
        )

    def look(self, image: Image, points: Points) -> None:
        """Ask everything about a frame that will probably be among the clip's neutral ones."""
        self.secondary(image, points)
        if self.live is not None:
            self.live(image, points)
        self.moire(image, points)
        self.frame_edges(image, points)
