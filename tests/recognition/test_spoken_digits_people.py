"""The shipped nets and voice activity on recordings of people, joined to strings at test time.

The nets have heard these people in training: this shows that the pieces fit together, not the error rates of
strangers (`evaluation/digits`, leave one speaker out, shows those).
"""

import threading
from pathlib import Path

import numpy as np
import pytest

from shiming.recognition.inference import ModelRuntime
from shiming.recognition.model_files import ModelFiles
from shiming.recognition.spoken_digits.ctc_engine import load_digits_tools
from shiming.recognition.spoken_digits.features import Samples
from shiming.recognition.spoken_digits.measure import measure_digits
from shiming.recognition.spoken_digits.measurement import NOT_SAID, DigitsMeasurement, DigitsTools
from shiming.recognition.waveforms import Waveform, read_waveform

SPEECH = Path(__file__).parents[3] / "shared" / "testdata" / "speech"
SYLLABLES = {"0": "ling2", "1": "yao1", "2": "er4", "3": "san1", "4": "si4"} | {
    "5": "wu3",
    "6": "liu4",
    "7": "qi1",
    "8": "ba1",
    "9": "jiu3",
}
FLOOR_OF_SAID = -8.0
STRINGS = ("470913", "258061", "936472")

pytestmark = [
    pytest.mark.models,
    pytest.mark.real_people,
    pytest.mark.skipif(not SPEECH.is_dir(), reason="../shared/testdata/speech is not here"),
]


@pytest.fixture(scope="module")
def tools() -> DigitsTools:
    return load_digits_tools(ModelRuntime(ModelFiles()))


def without_silence(samples: Samples) -> Samples:
    loud = np.flatnonzero(np.abs(samples) > 0.03 * np.abs(samples).max())
    return samples[max(0, loud[0] - 400) : loud[-1] + 800]


def joined(paths: list[Path], noise: float = 0.003) -> Waveform:
    dice = np.random.default_rng(11)
    parts = [np.zeros(6400, np.float32)]
    for path in paths:
        samples = without_silence(read_waveform(path).samples)
        parts += [samples * np.float32(0.5 / np.abs(samples).max()), np.zeros(2400, np.float32)]
    speech = np.concatenate([*parts, np.zeros(4800, np.float32)])
    return Waveform.of_samples((speech + noise * dice.standard_normal(len(speech))).astype(np.float32))


def said(digits: str, language: str) -> Waveform:
    if language == "cmn":
        return joined([SPEECH / "cmn_a" / f"{SYLLABLES[digit]}.mp3" for digit in digits])
    return joined([SPEECH / "eng" / f"{digit}_jackson_{index}.wav" for index, digit in enumerate(digits)])


@pytest.mark.parametrize("language", ["cmn", "eng"])
@pytest.mark.parametrize("digits", STRINGS)
def test_the_right_string_scores_high_and_another_low(language: str, digits: str, tools: DigitsTools) -> None:
    waveform = said(digits, language)
    right = measure_digits(waveform, digits, language, tools)
    assert right.score > FLOOR_OF_SAID
    assert abs(right.voiced_units - 6) <= 1
    assert right.models[0].sha256
    assert right.speech[0][0] > 0.1
    for other in STRINGS:
        if other != digits:
            assert measure_digits(waveform, other, language, tools).score < FLOOR_OF_SAID


@pytest.mark.parametrize("language", ["cmn", "eng"])
def test_other_syllables_noise_and_silence_are_never_the_string(language: str, tools: DigitsTools) -> None:
    dice = np.random.default_rng(4)
    filler = sorted((SPEECH / "cmn_a" / "filler").glob("*.mp3"))
    sounds = [joined([filler[dice.integers(len(filler))] for _ in range(6)]) for _ in range(4)]
    sounds += [
        Waveform.of_samples((scale * dice.standard_normal(48000)).astype(np.float32)) for scale in (0, 0.2)
    ]
    sounds.append(Waveform.of_samples(np.zeros(0, np.float32)))
    for sound in sounds:
        for digits in STRINGS:
            assert measure_digits(sound, digits, language, tools).score < FLOOR_OF_SAID


def test_silence_is_not_said(tools: DigitsTools) -> None:
    measured = measure_digits(Waveform.of_samples(np.zeros(32000, np.float32)), "470913", "eng", tools)
    assert (measured.score, measured.heard, measured.speech) == (NOT_SAID, "", ())


def test_threads_share_the_engines(tools: DigitsTools) -> None:
    waveform, found = said("470913", "eng"), list[DigitsMeasurement]()
    threads = [
        threading.Thread(target=lambda: found.append(measure_digits(waveform, "470913", "eng", tools)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({measured.score for measured in found}) == 1
