"""The built-in engine: a small CTC net of our own and the score of the claimed string."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import onnxruntime

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

WEIGHTS_VERSION = "1"
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
    """The net as ONNX on one thread; sessions may be shared by threads."""

    def __init__(self, model: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def __call__(self, samples: Samples) -> LogProbabilities:
        """Return (steps, 12) log probabilities, a step every 40 ms."""
        features = np.ascontiguousarray(log_mel(samples).T[None])
        return np.asarray(self._session.run(None, {"features": features})[0][0], dtype=np.float32)


def built_in_weights(language: str) -> Path:
    """Return the path of the net that ships with the package."""
    return Path(str(files("shiming.recognition") / "weights" / f"digits_{language}.onnx"))


def load_ctc_engine(model: Path) -> CtcDigitsEngine:
    """Load one net."""
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    return CtcDigitsEngine(OnnxDigitNet(model), (ModelUse(model.stem, WEIGHTS_VERSION, digest),))


def load_digits_tools(silero_vad: Path) -> DigitsTools:
    """Load the built-in nets of all languages and voice activity (model key `silero_vad`)."""
    engines: dict[str, SpokenDigitsEngine] = {
        language: load_ctc_engine(built_in_weights(language))
        for language in LANGUAGES
        if built_in_weights(language).is_file()
    }
    return DigitsTools(engines, SileroVoiceActivity(silero_vad))
