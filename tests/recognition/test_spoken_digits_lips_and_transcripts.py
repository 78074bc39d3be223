"""Lip synchrony, transcripts of general recognisers, and the optional engines when they are absent."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.recognition.spoken_digits.features import Samples
from shiming.recognition.spoken_digits.lip_synchrony import lip_synchrony
from shiming.recognition.spoken_digits.measurement import NOT_SAID, DigitsTools
from shiming.recognition.spoken_digits.optional_engines import (
    TranscriptDigitsEngine,
    load_sense_voice,
    load_whisper,
    required_package,
    whisper_features,
    with_engine,
)
from shiming.recognition.spoken_digits.transcripts import digits_of_transcript, reading_of_transcript
from shiming.vocabulary.errors import Unavailable

RATE = 16_000


def syllables(starts_s: list[float], seconds: float) -> Samples:
    """Return noise that is loud for 0.25 s from each start."""
    time = np.arange(int(seconds * RATE)) / RATE
    level = np.full(len(time), 0.001)
    for start in starts_s:
        level += 0.3 * np.exp(-(((time - start - 0.12) / 0.09) ** 2))
    return (level * np.random.default_rng(3).standard_normal(len(time))).astype(np.float32)


def mouth(starts_s: list[float], times_s: list[float]) -> list[float]:
    return [
        0.05 + sum(0.3 * np.exp(-(((t - start - 0.12) / 0.09) ** 2)) for start in starts_s) for t in times_s
    ]


TIMES = [n / 25 for n in range(125)]
STARTS = [0.5, 1.1, 1.9, 2.4, 3.3, 4.0]
SPOKEN = tuple((start, start + 0.25) for start in STARTS)


def test_a_mouth_that_moves_with_the_sound_correlates_and_the_lag_is_found() -> None:
    together = lip_synchrony(TIMES, mouth(STARTS, TIMES), syllables(STARTS, 5.0), SPOKEN)
    later = lip_synchrony(TIMES, mouth(STARTS, TIMES), syllables([s + 0.2 for s in STARTS], 5.0), SPOKEN)
    assert together.correlation is not None
    assert together.correlation > 0.8
    assert together.lag_s == pytest.approx(0.0, abs=0.05)
    assert later.lag_s == pytest.approx(0.2, abs=0.05)
    assert together.voiced_with_movement_share is not None
    assert together.voiced_with_movement_share > 0.9


def test_another_sound_and_a_still_mouth_do_not_correlate() -> None:
    other = lip_synchrony(TIMES, mouth([0.2, 2.9, 3.0, 3.1], TIMES), syllables(STARTS, 5.0), SPOKEN)
    still = lip_synchrony(TIMES, [0.1] * len(TIMES), syllables(STARTS, 5.0), SPOKEN)
    assert other.correlation is not None
    assert other.correlation < 0.6
    assert still.correlation is None


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), max_size=40))
def test_any_mouth_series_gives_a_bounded_answer(opening: list[float]) -> None:
    found = lip_synchrony(TIMES[: len(opening)], opening, syllables(STARTS, 5.0), SPOKEN)
    if found.correlation is not None:
        assert -1.0001 <= found.correlation <= 1.0001
    assert set(found.to_json()) == {"correlation", "lag_s", "voiced_with_movement_share"}


def test_nothing_seen_or_nothing_said_is_unknown() -> None:
    assert lip_synchrony([], [], syllables(STARTS, 5.0), SPOKEN).correlation is None
    assert lip_synchrony(TIMES, mouth(STARTS, TIMES), syllables(STARTS, 5.0), ()).correlation is None


@given(st.text("0123456789", max_size=12))
def test_digits_survive_both_scripts(digits: str) -> None:
    han = "".join("零一二三四五六七八九"[int(digit)] for digit in digits)
    assert digits_of_transcript(digits) == digits
    assert digits_of_transcript(han) == digits
    assert digits_of_transcript(" , ".join(han)) == digits


@pytest.mark.parametrize(
    ("transcript", "digits"),
    [
        ("<|zh|><|NEUTRAL|>四七零九幺三。", "470913"),
        ("four seven oh nine one three", "470913"),
        ("Four, seven, zero, nine... one-three!", "470913"),
        ("double four triple 0", "44000"),
        ("two er 两", "2?2"),
        ("你好", "??"),
        ("", ""),
    ],
)
def test_transcripts_become_digits(transcript: str, digits: str) -> None:
    assert digits_of_transcript(transcript) == digits


def test_every_edit_costs_and_no_digit_is_not_said() -> None:
    assert reading_of_transcript("四七零九一三", "470913").score == 0.0
    assert reading_of_transcript("四七零九一四", "470913").score == -6.0
    assert reading_of_transcript("hello", "470913").score == NOT_SAID


def test_an_operator_engine_takes_the_place_of_one_language() -> None:
    engine = TranscriptDigitsEngine("fake", lambda _samples: "470913", ())
    tools = with_engine(
        DigitsTools({}, lambda samples: np.ones(len(samples) // 512, np.float32)), "cmn", engine
    )
    assert tools.engine_for("cmn")(np.zeros(1600, np.float32), "470913").heard == "470913"


def test_absent_models_and_packages_are_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        load_sense_voice(tmp_path / "model.onnx", tmp_path / "tokens.txt", ())
    assert caught.value.code == "DIGITS_MODEL_UNAVAILABLE"
    with pytest.raises(Unavailable) as caught:
        load_whisper(tmp_path / "whisper", "cmn", ())
    assert caught.value.code == "DIGITS_MODEL_UNAVAILABLE"
    with pytest.raises(Unavailable) as caught:
        required_package("shiming_no_such_engine")
    assert caught.value.code == "DIGITS_ENGINE_UNAVAILABLE"


@pytest.mark.skipif(
    importlib.util.find_spec("sherpa_onnx") is not None, reason="sherpa-onnx is installed here"
)
def test_sense_voice_without_its_package_is_unavailable(tmp_path: Path) -> None:
    for name in ("model.onnx", "tokens.txt"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(Unavailable) as caught:
        load_sense_voice(tmp_path / "model.onnx", tmp_path / "tokens.txt", ())
    assert caught.value.details == {"package": "sherpa_onnx"}


def test_whisper_features_have_the_published_shape_and_range() -> None:
    filters = np.abs(np.random.default_rng(1).normal(0, 1, (80, 201))).astype(np.float32)
    features = whisper_features(syllables(STARTS, 5.0), filters)
    assert features.shape == (80, 3000)
    assert features.max() - features.min() <= 2.0 + 1e-6
