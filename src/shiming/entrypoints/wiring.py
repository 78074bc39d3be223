"""The only place that builds objects: settings, recognition tools, policy, stores, use cases."""

import os
from collections.abc import Callable
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shiming.infrastructure.settings import Settings

if TYPE_CHECKING:  # the engines are imported when they are needed, so that `--help` stays fast
    from shiming.jurisdictions.model import Policy
    from shiming.recognition.clips.measure import ClipTools
    from shiming.recognition.documents.reader import DocumentTools
    from shiming.recognition.face_embedding import FaceTools
    from shiming.recognition.inference import InferenceObserver, ModelRuntime
    from shiming.recognition.measurements import ClipMeasurement, DocumentMeasurement, FaceTemplate
    from shiming.recognition.spoken_digits.measurement import DigitsMeasurement, DigitsTools


def platform_from_environment() -> "Platform":
    """Build the platform that the environment describes."""
    return Platform(Settings.from_environment(os.environ))


class Platform:
    """Everything wired for one installation; parts are built on first use and kept."""

    def __init__(self, settings: Settings, observer: "InferenceObserver | None" = None) -> None:
        self.settings = settings
        self._observer = observer

    # -- recognition ---------------------------------------------------------------------------

    @cached_property
    def runtime(self) -> "ModelRuntime":
        """Return the engines' loader."""
        from shiming.recognition.inference import ModelRuntime
        from shiming.recognition.model_files import ModelFiles

        return ModelRuntime(ModelFiles(), self._observer)
