"""Where in a clip somebody speaks, by the Silero voice activity net."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shiming.recognition.inference import OnnxModel
from shiming.recognition.spoken_digits.features import SAMPLE_RATE, Samples

STEP = 512  # samples a decision: 32 ms
CONTEXT = 64  # samples of the step before
STATE_SHAPE = (2, 1, 128)
LEVEL = 0.5  # peak to which quiet recordings are raised
LEVEL_GAIN_MAX = 30.0

SpeechProbabilities = NDArray[np.float32]
SpeechActivity = Callable[[Samples], SpeechProbabilities]
Span = tuple[float, float]


class SileroVoiceActivity:
    """Speech probability for every 32 ms. Holds no state between clips: threads may share it."""

    def __init__(self, model: OnnxModel) -> None:
        self._model = model

    def __call__(self, samples: Samples) -> SpeechProbabilities:
        """Return one probability for each 512 samples."""
        peak = float(np.abs(samples).max(initial=0.0))
        samples = samples * np.float32(min(LEVEL_GAIN_MAX, LEVEL / peak) if peak > 0 else 1.0)
        steps = -(-len(samples) // STEP)
        padded = np.pad(samples, (CONTEXT, steps * STEP - len(samples))).astype(np.float32)
        state, rate = np.zeros(STATE_SHAPE, np.float32), np.array(SAMPLE_RATE, np.int64)
        probabilities = np.zeros(steps, np.float32)
        for step in range(steps):
            window = padded[None, step * STEP : step * STEP + CONTEXT + STEP]
            output, state = self._model.run({"input": window, "state": state, "sr": rate})
            probabilities[step] = float(np.asarray(output).ravel()[0])
        return probabilities


@dataclass(frozen=True, slots=True)
class SpeechRule:
    """Hysteresis from probabilities to spans."""

    starts_at: float = 0.5
    stays_above: float = 0.3
    gap_s_max: float = 0.25
    length_s_min: float = 0.08


DEFAULT_RULE = SpeechRule()


def speech_spans(probabilities: SpeechProbabilities, rule: SpeechRule = DEFAULT_RULE) -> tuple[Span, ...]:
    """Return (start_s, end_s) of each stretch of speech, in order, not overlapping."""
    seconds = STEP / SAMPLE_RATE
    spans: list[Span] = []
    start: int | None = None
    for step, probability in enumerate((*probabilities, 0.0)):
        if start is None and probability >= rule.starts_at:
            start = step
        elif start is not None and probability < rule.stays_above:
            spans.append((start * seconds, step * seconds))
            start = None
    joined: list[Span] = []
    for span in spans:
        if joined and span[0] - joined[-1][1] <= rule.gap_s_max:
            joined[-1] = (joined[-1][0], span[1])
        else:
            joined.append(span)
    return tuple((a, b) for a, b in joined if b - a >= rule.length_s_min)
