"""What reading a document needs, built once a process."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shiming.recognition.face_detection import FaceDetector
from shiming.recognition.inference import ModelRuntime
from shiming.recognition.measurements import Box, Image
from shiming.recognition.text_recognition import TextReader


class FoundFace(Protocol):
    """A face in a picture: its box and how sure, 0..1."""

    @property
    def box(self) -> Box:
        """Return x, y, width, height in pixels."""
        ...

    @property
    def score(self) -> float:
        """Return the confidence, 0..1."""
        ...


class FaceFinder(Protocol):
    """Finds faces, the largest first."""

    def detect(self, image: Image) -> Sequence[FoundFace]:
        """Return the faces of a picture."""
        ...


@dataclass(frozen=True, slots=True)
class DocumentTools:
    """The engines behind `read_document`; safe for threads."""

    text: TextReader
    faces: FaceFinder


def load_document_tools(runtime: ModelRuntime) -> DocumentTools:
    """Load the engines; raises `Unavailable` if a model is missing or altered."""
    return DocumentTools(text=TextReader(runtime), faces=FaceDetector(runtime))
