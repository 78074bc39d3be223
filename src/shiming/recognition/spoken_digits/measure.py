"""Measure one clip: where is speech, how many units are in it, how well does the claimed string fit.

A score counts only behind gates, because a likelihood ratio alone would also accept noise now and then:

(1) the voice activity net found enough speech for that many digits;
(2) the number of units heard is close to the number of digits;
(3) at most a third of the units heard are no digits;
(4) the best reading is within half of the claimed digits (three edits of six).

Every edit beyond a third of the digits lowers the score by `EDIT_PENALTY`: a string of other syllables may
by chance hold a few of the digits, and a likelihood ratio alone would let it pass now and then.

A closed gate sets the score to `NOT_SAID`; the gates are reported.
"""

import time

import numpy as np

from shiming.recognition.spoken_digits.claimed_string import OTHER_SIGN, edit_distance
from shiming.recognition.spoken_digits.features import SAMPLE_RATE, Samples
from shiming.recognition.spoken_digits.measurement import (
    NOT_SAID,
    DigitsMeasurement,
    DigitsReading,
    DigitsTools,
    parse_expected,
)
from shiming.recognition.spoken_digits.voice_activity import Span, speech_spans
from shiming.recognition.waveforms import Waveform

MARGIN_S = 0.3  # kept around the speech: soft first and last consonants
SPEECH_S_PER_DIGIT_MIN = 0.1
UNITS_OFF_MAX = 2
OTHER_UNITS_SHARE = 3
EDITS_FREE_SHARE = 3
EDITS_SHARE_MAX = 2
EDIT_PENALTY = 2.0  # measured: the one false acceptance by a net that knew neither voice would have fallen


def measure_digits(waveform: Waveform, expected: str, language: str, tools: DigitsTools) -> DigitsMeasurement:
    """Score a claimed digit string; raise `Unavailable` for a language without an engine."""
    started = time.perf_counter()
    digits = parse_expected(expected)
    engine = tools.engine_for(language)
    spans = speech_spans(tools.speech_activity(waveform.samples))
    spoken = spoken_part(waveform.samples, spans)
    reading = engine(spoken, digits) if len(spoken) else DigitsReading("", NOT_SAID)
    gates = gates_of(reading.heard, digits, spans)
    return DigitsMeasurement(
        expected=digits,
        heard=reading.heard,
        score=penalised(reading, digits) if all(gates.values()) else NOT_SAID,
        voiced_units=reading.voiced_units,
        language=language,
        speech=spans,
        clipped_share=waveform.clipped_share,
        engine=engine.name,
        models=engine.models,
        seconds=time.perf_counter() - started,
        gates=gates,
    )


def penalised(reading: DigitsReading, expected: str) -> float:
    """Return the score less a penalty for every edit beyond a third of the digits."""
    edits = edit_distance(reading.heard, expected) - len(expected) // EDITS_FREE_SHARE
    return max(NOT_SAID, reading.score - EDIT_PENALTY * max(0, edits))


def spoken_part(samples: Samples, spans: tuple[Span, ...]) -> Samples:
    """Return the samples from the first to the last speech with a margin; empty without speech."""
    if not spans:
        return np.zeros(0, np.float32)
    start = max(0, round((spans[0][0] - MARGIN_S) * SAMPLE_RATE))
    return samples[start : round((spans[-1][1] + MARGIN_S) * SAMPLE_RATE)]


def gates_of(heard: str, expected: str, spans: tuple[Span, ...]) -> dict[str, bool]:
    """Return whether each gate is open."""
    speech_s = sum(end - start for start, end in spans)
    return {
        "enough_speech": speech_s >= SPEECH_S_PER_DIGIT_MIN * len(expected),
        "unit_count": abs(len(heard) - len(expected)) <= UNITS_OFF_MAX,
        "mostly_digits": heard.count(OTHER_SIGN) <= len(expected) // OTHER_UNITS_SHARE,
        "close_reading": edit_distance(heard, expected) <= len(expected) // EDITS_SHARE_MAX,
    }
