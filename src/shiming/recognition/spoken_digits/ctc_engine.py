"""The built-in engine: a small CTC net of our own and the score of the claimed string."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shiming.recognition.inference import ModelRuntime, OnnxModel
from shiming.recognition.measurements import ModelUse
from shiming.recognition.spoken_digits.claimed_string import LogProbabilities, log_likelihoods, units_heard
from shiming.recognition.spoken_digits.features import Samples, log_mel
from shiming.recognition.spoken_digits.measurement import (
    LANGUAGES,
    NOT_SAID,
    DigitsReading,
    DigitsTools,
    SpokenDigitsEngine,
)
from shiming.recognition.spoken_digits.voice_activity import SileroVoiceActivity

Net = Callable[[Samples], LogProbabilities]


@dataclass(frozen=True, slots=True)
class CtcDigitsEngine:
    """Scores a claimed string by a CTC net; `net` maps samples to (steps, 12) log probabilities."""

    net: Net
    models: tuple[ModelUse, ...]
    name: str = "shiming-ctc"

    def __call__(self, samples: Samples, expected: str) -> DigitsReading:
        """Return the best path's units and log P(expected) - log P(best path's string)."""
        log_probabilities = self.net(samples)
        heard = units_heard(log_probabilities)
        if not heard:
            return DigitsReading("", NOT_SAID)
        claimed, best = log_likelihoods(log_probabilities, [expected, heard])
        return DigitsReading(heard, max(NOT_SAID, float(min(0.0, claimed - best))))


class OnnxDigitNet:
    """The net as ONNX; may be shared by threads."""

    def __init__(self, model: OnnxModel) -> None:
        self._model = model

    def __call__(self, samples: Samples) -> LogProbabilities:
        """Return (steps, 12) log probabilities, a step every 40 ms."""
        features = np.ascontiguousarray(log_mel(samples).T[None])
        return np.asarray(self._model(features)[0][0], dtype=np.float32)


def ctc_engine(model: OnnxModel) -> CtcDigitsEngine:
    """Return the engine of one loaded net."""
    return CtcDigitsEngine(OnnxDigitNet(model), (model.use,))


def load_digits_tools(runtime: ModelRuntime) -> DigitsTools:
    """Load voice activity and the nets that are there; a language whose net is missing is unavailable."""
    engines: dict[str, SpokenDigitsEngine] = {
        language: ctc_engine(runtime.onnx(f"digits_{language}"))
        for language in LANGUAGES
        if runtime.files.has(f"digits_{language}")
    }
    return DigitsTools(engines, SileroVoiceActivity(runtime.onnx("silero_vad")))
