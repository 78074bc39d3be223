"""The claimed-string score, the gates, voice activity spans and the errors. No model is loaded."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.recognition.spoken_digits.claimed_string import (
    LogProbabilities,
    edit_distance,
    labels_of,
    log_likelihoods,
    units_heard,
)
from shiming.recognition.spoken_digits.ctc_engine import CtcDigitsEngine
from shiming.recognition.spoken_digits.features import BANDS, Samples, log_mel, mel_matrix
from shiming.recognition.spoken_digits.measure import gates_of, measure_digits, penalised, spoken_part
from shiming.recognition.spoken_digits.measurement import (
    LANGUAGES,
    NOT_SAID,
    DigitsReading,
    DigitsTools,
    parse_expected,
)
from shiming.recognition.spoken_digits.voice_activity import SpeechProbabilities, speech_spans
from shiming.recognition.waveforms import Waveform
from shiming.vocabulary.errors import BadInput, Unavailable

WEIGHTS = Path(__file__).parents[2] / "src" / "shiming" / "recognition" / "weights"
digit_strings = st.text("0123456789", min_size=3, max_size=8)
units = st.text("0123456789?", min_size=1, max_size=8)


def outputs_saying(said: str, certainty: float = 0.9) -> LogProbabilities:
    """Return a net's output for a string: each unit two steps, a blank between."""
    path = [step for label in labels_of(said) for step in (0, label, label)] + [0]
    probabilities = np.full((len(path), 12), (1 - certainty) / 11, np.float32)
    probabilities[np.arange(len(path)), path] = certainty
    return np.asarray(np.log(probabilities), np.float32)


def random_outputs(seed: int, steps: int) -> LogProbabilities:
    values = np.random.default_rng(seed).normal(0, 2, (steps, 12))
    return np.asarray(values - np.log(np.exp(values).sum(axis=1, keepdims=True)), np.float32)


def collapsed(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(label for label, _ in itertools.groupby(path) if label != 0)


@given(units)
def test_the_best_path_of_a_clear_output_is_what_was_said(said: str) -> None:
    assert units_heard(outputs_saying(said)) == said


@given(st.integers(0, 1000), st.text("01?", max_size=2))
def test_the_likelihood_is_the_sum_over_all_paths(seed: int, string: str) -> None:
    outputs = random_outputs(seed, 3)[:, [0, 1, 2, 11]]  # blank, digits 0 and 1, other: small enough to list
    whole = np.full((3, 12), -1e9, np.float32)
    whole[:, [0, 1, 2, 11]] = outputs
    columns = {0: 0, 1: 1, 2: 2, 11: 3}
    total = sum(
        math.exp(sum(float(outputs[step, columns[label]]) for step, label in enumerate(path)))
        for path in itertools.product(columns, repeat=3)
        if collapsed(path) == labels_of(string)
    )
    found = float(log_likelihoods(whole, [string])[0])
    if total == 0:
        assert found < -1e6
    else:
        assert found == pytest.approx(math.log(total), abs=1e-4)


@given(st.integers(0, 1000), st.lists(units, min_size=2, max_size=5))
def test_strings_scored_together_score_as_alone(seed: int, strings: list[str]) -> None:
    outputs = random_outputs(seed, 30)
    together = log_likelihoods(outputs, strings)
    for string, score in zip(strings, together, strict=True):
        assert float(log_likelihoods(outputs, [string])[0]) == pytest.approx(float(score))


@given(units, units, units)
def test_edit_distance_is_a_distance(left: str, middle: str, right: str) -> None:
    assert edit_distance(left, left) == 0
    assert edit_distance(left, right) == edit_distance(right, left)
    assert edit_distance(left, right) <= edit_distance(left, middle) + edit_distance(middle, right)
    assert abs(len(left) - len(right)) <= edit_distance(left, right) <= max(len(left), len(right))


@given(digit_strings)
def test_the_string_that_was_said_scores_above_every_other(said: str) -> None:
    engine = an_engine(said)
    other = said[:-1] + str((int(said[-1]) + 5) % 10)
    right, wrong = engine(a_voice(), said), engine(a_voice(), other)
    assert right.heard == said
    assert right.score == pytest.approx(0.0, abs=0.01)
    assert wrong.score < right.score - 2


def an_engine(said: str) -> CtcDigitsEngine:
    return CtcDigitsEngine(lambda _samples: outputs_saying(said), ())


def a_voice(seconds: float = 3.0) -> Samples:
    return np.asarray(0.1 * np.sin(np.arange(int(seconds * 16000)) * 0.1), np.float32)


def always_speech(samples: Samples) -> SpeechProbabilities:
    return np.ones(len(samples) // 512, np.float32)


def never_speech(samples: Samples) -> SpeechProbabilities:
    return np.zeros(len(samples) // 512, np.float32)


def tools_hearing(said: str) -> DigitsTools:
    return DigitsTools({"cmn": an_engine(said)}, always_speech)


def test_a_right_string_is_measured_with_all_gates_open() -> None:
    measured = measure_digits(Waveform.of_samples(a_voice()), "470 913", "cmn", tools_hearing("470913"))
    assert measured.expected == measured.heard == "470913"
    assert measured.voiced_units == 6
    assert all(measured.gates.values())
    assert measured.score > -0.1
    shown = measured.to_json()
    assert {"expected", "heard", "score", "voiced_units", "language", "speech", "clipped_share"} <= set(shown)
    assert shown["speech"][0].keys() == {"start_s", "end_s"}


@given(digit_strings)
def test_without_speech_nothing_was_said_whatever_the_net_hears(said: str) -> None:
    tools = DigitsTools({"eng": an_engine(said)}, never_speech)
    measured = measure_digits(Waveform.of_samples(a_voice()), said, "eng", tools)
    assert measured.score == NOT_SAID
    assert measured.heard == ""
    assert not measured.gates["enough_speech"]


@given(st.text("?", min_size=1, max_size=9), digit_strings)
def test_speech_that_is_no_digits_never_scores(heard: str, expected: str) -> None:
    measured = measure_digits(Waveform.of_samples(a_voice()), expected, "cmn", tools_hearing(heard))
    assert measured.score == NOT_SAID


def test_too_many_or_too_few_units_close_the_count_gate() -> None:
    spans = ((0.0, 3.0),)
    assert gates_of("470913", "470913", spans)["unit_count"]
    assert gates_of("47091301", "470913", spans)["unit_count"]
    assert not gates_of("470913012", "470913", spans)["unit_count"]
    assert not gates_of("470", "470913", spans)["unit_count"]
    assert gates_of("4?0914", "470913", spans)["close_reading"]
    assert gates_of("4?0924", "470913", spans)["close_reading"]
    assert not gates_of("4?0825", "470913", spans)["close_reading"]
    assert not gates_of("4??9?3", "470913", spans)["mostly_digits"]
    assert not gates_of("913470", "470913", spans)["close_reading"]
    assert not gates_of("470913", "470913", ((0.0, 0.3),))["enough_speech"]


def test_edits_beyond_a_third_cost() -> None:
    assert penalised(DigitsReading("470924", -3.0), "470913") == -3.0
    assert penalised(DigitsReading("470824", -3.0), "470913") == -5.0


@given(st.lists(st.floats(0, 1, width=32), max_size=200))
def test_spans_are_ordered_apart_and_inside_the_clip(probabilities: list[float]) -> None:
    spans = speech_spans(np.array(probabilities, np.float32))
    times = [time for span in spans for time in span]
    assert times == sorted(times)
    assert all(0 <= time <= len(probabilities) * 0.032 + 1e-9 for time in times)


def test_the_spoken_part_keeps_a_margin() -> None:
    part = spoken_part(a_voice(3.0), ((1.0, 2.0),))
    assert len(part) == pytest.approx(1.6 * 16000, abs=2)
    assert len(spoken_part(a_voice(), ())) == 0


def test_an_unknown_language_is_unavailable() -> None:
    with pytest.raises(Unavailable) as caught:
        measure_digits(Waveform.of_samples(a_voice()), "470913", "fra", tools_hearing("470913"))
    assert caught.value.code == "DIGITS_LANGUAGE_UNAVAILABLE"
    assert caught.value.text.zh


@pytest.mark.parametrize("text", ["", "12", "1234567890123", "47091a", "４７０９１３", "-47091"])
def test_expected_strings_that_are_no_digits_are_refused(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_expected(text)
    assert caught.value.code == "DIGITS_EXPECTED_INVALID"


def test_features_ignore_loudness_and_have_a_frame_every_10_ms() -> None:
    sound = np.random.default_rng(1).normal(0, 0.1, 16000).astype(np.float32)
    features = log_mel(sound)
    assert features.shape[1] == BANDS
    assert len(features) == pytest.approx(101, abs=3)
    assert np.allclose(features, log_mel(sound * np.float32(0.01)), atol=1e-3)
    assert np.isfinite(log_mel(np.zeros(1600, np.float32))).all()
    assert (mel_matrix().sum(axis=0) > 0).all()


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_net_is_small_and_has_a_card_with_its_attribution(language: str) -> None:
    weights = WEIGHTS / f"digits_{language}.onnx"
    card = weights.with_suffix(".md").read_text(encoding="utf-8")
    assert weights.stat().st_size < 1_000_000
    assert "CC BY-SA" in card
    assert "Known weak points" in card
