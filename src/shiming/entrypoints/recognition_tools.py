"""Recognition wired: engines loaded on first use, kept, and shared by all threads of the process."""

import contextlib
import threading
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from shiming.recognition.clips.decoding import ArrivingFile, Pace
from shiming.recognition.clips.limits import ClipLimits
from shiming.recognition.clips.measurement import ClipTools, clip_tools, measure_arriving_clip, measure_clip
from shiming.recognition.documents.barcodes import read_barcodes
from shiming.recognition.documents.reader import read_document
from shiming.recognition.documents.tools import DocumentTools, load_document_tools
from shiming.recognition.face_embedding import FaceTools, compare, measure_face
from shiming.recognition.images import read_image
from shiming.recognition.inference import InferenceObserver, ModelRuntime
from shiming.recognition.measurements import (
    ClipMeasurement,
    DocumentMeasurement,
    FaceComparison,
    FaceTemplate,
    Image,
)
from shiming.recognition.model_files import ModelFiles
from shiming.recognition.spoken_digits.ctc_engine import load_digits_tools
from shiming.recognition.spoken_digits.lip_synchrony import UNKNOWN, LipSynchrony, lip_synchrony
from shiming.recognition.spoken_digits.measure import measure_digits
from shiming.recognition.spoken_digits.measurement import DigitsMeasurement, DigitsTools
from shiming.recognition.spoken_digits.voice_activity import speech_spans
from shiming.recognition.waveforms import read_waveform
from shiming.vocabulary.errors import BadInput, Text, Unavailable

Content = bytes | Path


class Recognition:
    """All measurements of `shiming.recognition` behind plain calls."""

    def __init__(
        self, observer: InferenceObserver | None = None, clip_limits: ClipLimits | None = None
    ) -> None:
        self.runtime = ModelRuntime(ModelFiles(), observer)
        self._clip_limits = clip_limits or ClipLimits()
        self._loading = threading.RLock()
        self._warming: threading.Thread | None = None

    @cached_property
    def _document_tools(self) -> DocumentTools:
        return load_document_tools(self.runtime)

    @cached_property
    def _clip_tools(self) -> ClipTools:
        return clip_tools(self.runtime)

    @cached_property
    def _digits_tools(self) -> DigitsTools:
        return load_digits_tools(self.runtime)

    def begin_loading(self) -> None:
        """Load the engines beside whatever else goes on, so that the first person does not wait for them."""
        with self._loading:
            if self._warming is None:
                self._warming = threading.Thread(target=self._load_all, name="warm-up", daemon=True)
                self._warming.start()

    def _load_all(self) -> None:
        for name in ("_document_tools", "_clip_tools", "_digits_tools"):
            with contextlib.suppress(Unavailable):  # said to whoever asks for it
                self._tools(name)

    def _tools(self, name: str) -> Any:
        """Return the tools by attribute; one thread loads, the others wait."""
        with self._loading:
            return getattr(self, name)

    @property
    def face_tools(self) -> FaceTools:
        """Return the tools that clips and pictures share."""
        tools: ClipTools = self._tools("_clip_tools")
        return tools.face

    def document(self, source: Content, *, today: date) -> DocumentMeasurement:
        """Read one side of a document from an encoded picture."""
        return read_document(read_image(source), self._tools("_document_tools"), today=today)

    def clip(self, clip: Content) -> ClipMeasurement:
        """Measure a live clip."""
        return measure_clip(clip, self._tools("_clip_tools"), self._clip_limits)

    def arriving_clip(self, file: ArrivingFile, pace: Pace) -> ClipMeasurement:
        """Measure a live clip while it arrives; `pace` is entered around each packet's work."""
        return measure_arriving_clip(file, self._tools("_clip_tools"), self._clip_limits, pace)

    def warm_up(self) -> None:
        """Load what a clip will need, before its first frame is here."""
        self._tools("_clip_tools")
        self._tools("_digits_tools")

    def digits(self, source: Content, expected: str, language: str) -> DigitsMeasurement:
        """Score a claimed digit string in a sound file or in a clip's sound."""
        return measure_digits(read_waveform(source), expected, language, self._tools("_digits_tools"))

    def lip_synchrony(self, clip: Path, measured: ClipMeasurement) -> LipSynchrony:
        """Compare the moving mouth of a measured clip with its sound; advisory."""
        if not measured.has_audio:
            return UNKNOWN
        sound = read_waveform(clip)
        tools: DigitsTools = self._tools("_digits_tools")
        speech = speech_spans(tools.speech_activity(sound.samples))
        timeline = measured.timeline
        return lip_synchrony(timeline.times_s, timeline.mouth_opening, sound.samples, speech)

    @staticmethod
    def barcodes(source: Content) -> tuple[str, ...]:
        """Return what the codes of an encoded picture say."""
        return tuple(code.text for code in read_barcodes(read_image(source)))

    def portrait(self, picture: Image) -> FaceTemplate:
        """Measure the one face of a decoded picture."""
        return measure_face(picture, self.face_tools)

    def picture(self, source: Content) -> FaceTemplate:
        """Measure the one face of an encoded picture."""
        return self.portrait(read_image(source))

    def face_of(self, source: Content) -> FaceTemplate:
        """Measure the one person of a picture or of a clip."""
        try:
            image = read_image(source)
        except BadInput as refusal:
            if refusal.code != "IMAGE_UNREADABLE":
                raise
            return self._face_of_clip(source, refusal)
        return self.portrait(image)

    def _face_of_clip(self, source: Content, not_a_picture: BadInput) -> FaceTemplate:
        try:
            measured = self.clip(source)
        except BadInput as refusal:
            if refusal.code in {"CLIP_UNREADABLE", "CLIP_IS_PICTURE"}:
                raise not_a_picture from refusal
            raise
        if measured.face.template is None:
            raise BadInput(
                "FACE_ABSENT",
                Text(zh="视频中没有可用的人脸。", en="There is no usable face in the clip."),
                advice=Text(zh="请正对镜头重新录制。", en="Record again, facing the camera."),
            )
        return measured.face.template

    @staticmethod
    def compare(first: FaceTemplate, second: FaceTemplate) -> FaceComparison:
        """Compare two faces one to one."""
        return compare(first, second)
