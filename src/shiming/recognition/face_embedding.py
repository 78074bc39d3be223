"""One-to-one comparison of two faces by two nets; never one-to-many.

A template is the mean embedding of a few frames of ONE person: over the study's clips the only rule that
kept all same-person pairs apart from all others. The second net is a second vote; where its file is
missing, `secondary` and `second_similarity` are None, which a policy must not read as agreement.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from shiming.recognition.face_detection import FaceBox, FaceDetector
from shiming.recognition.face_mesh import FaceMesh, Points, box_of_points, region_of_face, region_of_points
from shiming.recognition.face_quality import aligned, quality_of
from shiming.recognition.face_tracking import PRESENCE_MIN, counted
from shiming.recognition.head_pose import pose_of
from shiming.recognition.inference import ModelRuntime, OnnxModel
from shiming.recognition.measurements import FaceComparison, FaceTemplate, Image, ModelUse
from shiming.vocabulary.errors import BadInput, Text, Unavailable

Vector = NDArray[np.float32]

#: Mean of blue, green, red that the second net was trained with.
_SECOND_MEAN: Final = np.array([103.939, 116.779, 123.68], np.float32)
_SECOND_SIDE_PX: Final = 224
#: A printed portrait on an identity card is 102x126; its face is about 60 px wide.
FACE_WIDTH_PX_MIN: Final = 32
#: A cropped portrait leaves the detector no surroundings; this much is added on each side.
_BORDER_SHARE: Final = 0.35
#: A face larger than this is shrunk to the other before its crops are cut.
_FACE_SIDE_PX_MAX: Final = 420
_FACE_SIDE_PX_WANTED: Final = 280
#: A picture smaller than this is enlarged first.
_PICTURE_SIDE_PX_MIN: Final = 320


class FaceEmbedder:
    """Turns aligned faces into embeddings; safe for threads."""

    def __init__(self, runtime: ModelRuntime) -> None:
        self._primary = runtime.onnx("face_embedding")
        self._secondary: OnnxModel | None = None
        try:
            self._secondary = runtime.onnx("face_embedding_second")
        except Unavailable:
            self._secondary = None

    @property
    def models(self) -> tuple[ModelUse, ...]:
        """Return the models in use."""
        return tuple(model.use for model in (self._primary, self._secondary) if model)

    def primary(self, image: Image, points: Points) -> Vector:
        """Return the first net's embedding (512), unit length."""
        crop = aligned(image, points).astype(np.float32)
        tensor = ((crop - 127) / 128).transpose(2, 0, 1)[None]
        return unit(self._primary(np.ascontiguousarray(tensor, np.float32))[0].ravel())

    def secondary(self, image: Image, points: Points) -> Vector | None:
        """Return the second net's embedding (1024), unit length; None if the model is absent."""
        if self._secondary is None:
            return None
        crop = aligned(image, points, _SECOND_SIDE_PX).astype(np.float32) - _SECOND_MEAN
        return unit(self._secondary(crop[None])[0].ravel())

    def template(self, frames_of_one_person: Sequence[tuple[Image, Points]]) -> FaceTemplate:
        """Return the mean embedding of frames of one person (a picture: one frame). Not empty."""
        first = [self.primary(image, points) for image, points in frames_of_one_person]
        second = [self.secondary(image, points) for image, points in frames_of_one_person]
        image, points = frames_of_one_person[0]
        return FaceTemplate(
            primary=mean_of(first),
            secondary=mean_if_known(second),
            quality=quality_of(image, points, pose_of(points), faces_seen=1),
            frames_used=len(frames_of_one_person),
            models=self.models,
        )


@dataclass(frozen=True, slots=True)
class FaceTools:
    """What measuring a face needs."""

    detector: FaceDetector
    mesh: FaceMesh
    embedder: FaceEmbedder


def face_tools(runtime: ModelRuntime) -> FaceTools:
    """Build the tools; raises `Unavailable` where a required model is missing."""
    cv2.setNumThreads(1)  # as in `inference`: one call, one core; crops of 192 px gain nothing from more
    return FaceTools(detector=FaceDetector(runtime), mesh=FaceMesh(runtime), embedder=FaceEmbedder(runtime))


def measure_face(image: Image, tools: FaceTools) -> FaceTemplate:
    """Measure the one face of a picture; raises `BadInput` FACE_ABSENT, FACE_SEVERAL, FACE_TOO_SMALL."""
    faces, picture, scale = _found(image, tools.detector)
    if not faces:
        raise _absent()
    if counted(faces) > 1:
        raise _several(counted(faces))
    first = tools.mesh.read(picture, region_of_face(faces[0]))
    reading = (
        tools.mesh.read(picture, region_of_points(first.points)) if first.presence > PRESENCE_MIN else first
    )
    if reading.presence <= PRESENCE_MIN:
        raise _absent()
    width_px = round(box_of_points(reading.points)[2] / scale)
    if width_px < FACE_WIDTH_PX_MIN:
        raise _too_small(width_px)
    template = tools.embedder.template([(picture, reading.points)])
    return replace(template, quality=replace(template.quality, width_px=width_px))


def compare(first: FaceTemplate, second: FaceTemplate) -> FaceComparison:
    """Return how alike two faces are; symmetric."""
    both = first.secondary is not None and second.secondary is not None
    return FaceComparison(
        similarity=similarity(first.primary, second.primary),
        second_similarity=similarity(first.secondary, second.secondary) if both else None,
        models=first.models,
    )


def similarity(first: Vector | None, second: Vector | None) -> float:
    """Return the cosine similarity of two unit vectors, -1..1."""
    if first is None or second is None:
        raise ValueError("both embeddings are needed")
    return float(np.clip(first @ second, -1.0, 1.0))


def unit(vector: NDArray[np.floating[Any]]) -> Vector:
    """Return the vector at unit length."""
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / max(length, 1e-9), np.float32)


def mean_of(vectors: Sequence[Vector]) -> Vector:
    """Return the mean direction of unit vectors of one person."""
    return unit(np.mean(np.stack(vectors), axis=0))


def mean_if_known(vectors: Sequence[Vector | None]) -> Vector | None:
    """Return the mean direction, or None if any frame has no embedding."""
    known = [vector for vector in vectors if vector is not None]
    return mean_of(known) if known and len(known) == len(vectors) else None


def _found(image: Image, detector: FaceDetector) -> tuple[tuple[FaceBox, ...], Image, float]:
    """Return faces, the picture they are in and its scale to the input.

    A small picture is enlarged first; where no face is seen a border is added, as a tightly cut portrait
    leaves the detector no surroundings; a large face is shrunk, as the nets' small crops would alias.
    """
    scale = max(1.0, _PICTURE_SIDE_PX_MIN / max(image.shape[:2]))
    picture = _resized(image, scale)
    faces = detector.detect(picture)
    if not faces:
        border = round(max(picture.shape[:2]) * _BORDER_SHARE)
        edges = (border, border, border, border, cv2.BORDER_REPLICATE)
        picture = np.asarray(cv2.copyMakeBorder(picture, *edges), np.uint8)
        faces = detector.detect(picture)
    if faces and faces[0].side_px > _FACE_SIDE_PX_MAX:
        shrink = _FACE_SIDE_PX_WANTED / faces[0].side_px
        smaller = _resized(picture, shrink)
        again = detector.detect(smaller)
        if again:
            return again, smaller, scale * shrink
    return faces, picture, scale


def _resized(image: Image, scale: float) -> Image:
    if scale == 1.0:
        return image
    method = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=method), np.uint8)


def _absent() -> BadInput:
    return BadInput(
        "FACE_ABSENT",
        Text(zh="照片中没有找到人脸。", en="No face was found in the picture."),
        advice=Text(zh="请正对镜头, 保证光线充足。", en="Face the camera in good light."),
    )


def _several(count: int) -> BadInput:
    return BadInput(
        "FACE_SEVERAL",
        Text(zh="照片中有多张人脸。", en="There is more than one face in the picture."),
        advice=Text(zh="画面中只能有本人一人。", en="Only the applicant may be in the picture."),
        details={"faces": count},
    )


def _too_small(width_px: int) -> BadInput:
    return BadInput(
        "FACE_TOO_SMALL",
        Text(zh="人脸太小, 无法比对。", en="The face is too small to compare."),
        advice=Text(zh="请靠近镜头。", en="Move closer to the camera."),
        details={"width_px": width_px, "width_px_min": FACE_WIDTH_PX_MIN},
    )
