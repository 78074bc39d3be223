"""Run trials: a speaker's strings claimed rightly and wrongly, and sound that is no digit string at all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evaluation.digits.assembly import (
    CONDITIONS,
    Dice,
    Speaker,
    coloured_noise,
    disturbed,
    joined,
    spoken_string,
    trimmed,
)
from shiming.recognition.inference import OnnxModel
from shiming.recognition.model_files import unlisted
from shiming.recognition.spoken_digits.ctc_engine import CtcDigitsEngine, ctc_engine
from shiming.recognition.spoken_digits.features import SAMPLE_RATE, Samples
from shiming.recognition.spoken_digits.measure import measure_digits
from shiming.recognition.spoken_digits.measurement import DigitsTools
from shiming.recognition.spoken_digits.voice_activity import SileroVoiceActivity
from shiming.recognition.waveforms import Waveform, read_waveform
from shiming.vocabulary.errors import BadInput

LENGTH = 6
CLAIMS_PER_SOUND = 30


@dataclass(frozen=True)
class Trial:
    """One claim about one sound. `kind`: genuine, other_string, one_edit, other_speech, noise."""

    language: str
    speaker: str
    condition: str
    kind: str
    said: str
    expected: str
    heard: str
    score: float


class Remembered:
    """Computes an engine once for each sound, so that many claims about it are cheap."""

    def __init__(self, compute: Callable[[Samples], np.ndarray]) -> None:
        self._compute, self._key, self._value = compute, 0, np.zeros(0)

    def __call__(self, samples: Samples) -> np.ndarray:
        """Return what the engine says of these samples."""
        key = hash(samples.tobytes())
        if key != self._key:
            self._key, self._value = key, self._compute(samples)
        return self._value


def tools_for(language: str, net: Path, silero_vad: Path) -> DigitsTools:
    """Load one net under test."""
    engine = ctc_engine(OnnxModel(unlisted(net)))
    remembering: CtcDigitsEngine = replace(engine, net=Remembered(engine.net))
    return DigitsTools(
        {language: remembering}, Remembered(SileroVoiceActivity(OnnxModel(unlisted(silero_vad))))
    )


def random_digits(dice: Dice) -> str:
    """Draw a challenge: six digits without the same digit twice in a row, as the challenge rule does."""
    digits = [str(dice.integers(10))]
    while len(digits) < LENGTH:
        digit = str(dice.integers(10))
        if digit != digits[-1]:
            digits.append(digit)
    return "".join(digits)


def with_one_edit(digits: str, dice: Dice) -> str:
    """Change one digit."""
    at = int(dice.integers(len(digits)))
    other = str((int(digits[at]) + 1 + int(dice.integers(9))) % 10)
    return digits[:at] + other + digits[at + 1 :]


def speaker_trials(
    speaker: Speaker, language: str, tools: DigitsTools, strings: int, dice: Dice
) -> Iterator[Trial]:
    """Yield genuine claims, random other strings and one-edit strings for every condition."""
    for condition in CONDITIONS:
        for _ in range(strings):
            said = random_digits(dice)
            sound = Waveform.of_samples(spoken_string(speaker, said, condition, dice))
            claims = [("genuine", said), ("one_edit", with_one_edit(said, dice))]
            claims += [("other_string", random_digits(dice)) for _ in range(CLAIMS_PER_SOUND)]
            for kind, expected in claims:
                if kind == "genuine" or expected != said:
                    measured = measure_digits(sound, expected, language, tools)
                    yield Trial(
                        language,
                        speaker.name,
                        condition,
                        kind,
                        said,
                        expected,
                        measured.heard,
                        measured.score,
                    )


def impostor_trials(
    sounds: Iterator[tuple[str, Samples]], kind: str, language: str, tools: DigitsTools, dice: Dice
) -> Iterator[Trial]:
    """Yield random claims about sound that holds no digit string of the language."""
    for name, samples in sounds:
        sound = Waveform.of_samples(samples)
        for _ in range(CLAIMS_PER_SOUND):
            expected = random_digits(dice)
            measured = measure_digits(sound, expected, language, tools)
            yield Trial(language, name, kind, kind, "", expected, measured.heard, measured.score)


def syllable_strings(folder: Path, count: int, dice: Dice) -> Iterator[tuple[str, Samples]]:
    """Join recordings of other syllables or words into strings of six."""
    paths = [path for path in sorted(folder.iterdir()) if path.suffix in (".wav", ".mp3")]
    for _ in range(count):
        parts = [trimmed(readable(paths[dice.integers(len(paths))])) for _ in range(LENGTH)]
        yield folder.name, disturbed(joined(parts, dice), CONDITIONS[int(dice.integers(3))], dice)


def readable(path: Path) -> Samples:
    """Return the samples, or a moment of quiet noise for an empty file."""
    try:
        samples = read_waveform(path).samples
    except BadInput:
        samples = np.zeros(0, np.float32)
    return samples if len(samples) > 1600 else np.full(1600, 1e-4, np.float32)


def running_speech(paths: list[Path], count: int, dice: Dice) -> Iterator[tuple[str, Samples]]:
    """Cut stretches of 3-6 s from recordings or clips of people talking."""
    for index in range(count):
        path = paths[index % len(paths)]
        samples = readable(path)
        length = int(dice.uniform(3, 6) * SAMPLE_RATE)
        start = int(dice.integers(0, max(1, len(samples) - length)))
        yield path.stem, samples[start : start + length]


def noises(count: int, dice: Dice) -> Iterator[tuple[str, Samples]]:
    """Make noise, hum, tones, knocks, pulses like syllables, and silence."""
    for index in range(count):
        length = int(dice.uniform(2, 6) * SAMPLE_RATE)
        time = np.arange(length) / SAMPLE_RATE
        noise = coloured_noise(length, dice, dice.uniform(0, 2))
        pulses = (np.sin(2 * np.pi * dice.uniform(1, 3) * time) > dice.uniform(-0.5, 0.5)).astype(np.float32)
        pitch = dice.uniform(90, 250) * (1 + 0.1 * np.sin(2 * np.pi * dice.uniform(0.3, 3) * time))
        buzz = sum(np.sin(2 * np.pi * n * np.cumsum(pitch) / SAMPLE_RATE) / n for n in range(1, 12))
        steps = np.repeat(dice.integers(48, 84, length // 4000 + 1), 4000)[:length]
        melody = np.sin(2 * np.pi * np.cumsum(440 * 2 ** ((steps - 69) / 12)) / SAMPLE_RATE)
        made = {
            "noise": noise,
            "noise_pulses": noise * pulses,
            "buzz": buzz + 0.05 * noise,
            "buzz_pulses": buzz * pulses + 0.02 * noise,
            "melody": melody + 0.02 * noise,
            "silence": noise * 1e-5,
            "zero": noise * 0,
        }
        name = list(made)[index % len(made)]
        scale = 1.0 if name in ("silence", "zero") else dice.uniform(0.05, 0.9) / np.abs(made[name]).max()
        yield name, np.asarray(made[name] * scale, np.float32)
