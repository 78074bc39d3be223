"""Assemble test strings from isolated recordings: tempo, gaps, room, noise, telephone band. In the waveform.

Independent of the training generator, which works on spectra: a test must not share its shortcuts.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt  # type: ignore[import-untyped]

from shiming.recognition.spoken_digits.features import SAMPLE_RATE, Samples
from shiming.recognition.waveforms import read_waveform

Dice = np.random.Generator
CMN_READINGS = {
    "ling": "0",
    "yi": "1",
    "yao": "1",
    "er": "2",
    "san": "3",
    "si": "4",
    "wu": "5",
    "liu": "6",
    "qi": "7",
    "ba": "8",
    "jiu": "9",
}
CONDITIONS = ("clean", "mild", "hard")


@dataclass(frozen=True)
class Speaker:
    """One person's isolated digits."""

    name: str
    digits: dict[str, list[Samples]]


def trimmed(samples: Samples, floor_db: float = 32.0) -> Samples:
    """Cut the silence around an isolated recording and bring it to a common peak."""
    samples = samples * np.float32(0.7 / (np.abs(samples).max() + 1e-6))
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, (0, 400)), 400)[::160]
    level = 10 * np.log10((frames**2).mean(1) + 1e-9)
    loud = np.flatnonzero(level > level.max() - floor_db)
    return samples[max(0, loud[0] * 160 - 320) : loud[-1] * 160 + 720]


def recordings_of(folder: Path) -> Speaker:
    """Read `0_NAME_take.wav` or `0_code.mp3` or `ling2.mp3` files of one speaker."""
    digits: dict[str, list[Samples]] = {}
    for path in sorted(folder.iterdir()):
        label = path.stem[0] if path.stem[0].isdigit() else CMN_READINGS.get(path.stem.rstrip("12345"), "")
        if path.suffix in (".wav", ".mp3") and label:
            digits.setdefault(label, []).append(trimmed(read_waveform(path).samples))
    return Speaker(folder.name, digits)


def speaker_named(name: str, speech: Path) -> Speaker:
    """Find a speaker in the shared test data: a folder, or a name in the English file names."""
    if (speech / name).is_dir():
        return recordings_of(speech / name)
    digits: dict[str, list[Samples]] = {}
    for path in sorted((speech / "eng").glob(f"?_{name}_*.wav")):
        digits.setdefault(path.stem[0], []).append(trimmed(read_waveform(path).samples))
    return Speaker(name, digits)


def stretched(samples: Samples, rate: float) -> Samples:
    """Change the tempo without the pitch (waveform similarity overlap-add); rate > 1 is faster."""
    window, search = 512, 160
    hop = window // 2
    hann = np.hanning(window).astype(np.float32)
    padded = np.pad(samples, (search, window * 2 + search))
    count = max(2, int(len(samples) / rate / hop))
    out, weight = np.zeros(count * hop + window, np.float32), np.zeros(count * hop + window, np.float32)
    follow = padded[search : search + window]
    for index in range(count):
        centre = min(int(index * hop * rate) + search, len(padded) - window - search - 1)
        region = padded[centre - search : centre + search + window]
        best = int(np.correlate(region, follow, "valid").argmax()) if index else search
        at = centre - search + best
        out[index * hop : index * hop + window] += padded[at : at + window] * hann
        weight[index * hop : index * hop + window] += hann
        follow = padded[min(at + hop, len(padded) - window) :][:window]
    return np.asarray(out / np.maximum(weight, 0.1), np.float32)[: max(hop, int(len(samples) / rate))]


def coloured_noise(length: int, dice: Dice, slope: float) -> Samples:
    """Return noise of unit power whose spectrum falls by `slope` (0 white, 1 pink, 2 brown)."""
    spectrum = np.fft.rfft(dice.standard_normal(length))
    frequency = np.maximum(np.fft.rfftfreq(length, 1 / SAMPLE_RATE), 30.0)
    noise = np.fft.irfft(spectrum / frequency ** (slope / 2), length)
    return np.asarray(noise / (noise.std() + 1e-12), np.float32)


def telephone(samples: Samples) -> Samples:
    """Keep 300-3400 Hz and pass through 8-bit mu-law."""
    narrow = sosfilt(butter(4, (300, 3400), "bandpass", fs=SAMPLE_RATE, output="sos"), samples)
    narrow = narrow / (np.abs(narrow).max() + 1e-9) * 0.7
    law = np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)
    law = np.round(law * 127) / 127
    return np.asarray(np.sign(law) * (256 ** np.abs(law) - 1) / 255, np.float32)


def roomy(samples: Samples, decay_s: float, dice: Dice) -> Samples:
    """Convolve with an exponentially decaying noise tail behind a direct path."""
    length = int(decay_s * SAMPLE_RATE)
    tail = dice.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length)
    tail *= dice.uniform(0.2, 0.5) / np.sqrt((tail**2).sum())
    tail[0] = 1.0
    return np.asarray(fftconvolve(samples, tail)[: len(samples) + length // 2], np.float32)


def disturbed(speech: Samples, condition: str, dice: Dice) -> Samples:
    """Add what the condition says: clean 30-40 dB; mild 20-25; hard 15-20, a room, often a telephone."""
    if condition == "hard":
        speech = roomy(speech, dice.uniform(0.2, 0.5), dice)
    elif condition == "mild" and dice.random() < 0.3:
        speech = roomy(speech, dice.uniform(0.1, 0.25), dice)
    decibels = {"clean": (30, 40), "mild": (20, 25), "hard": (15, 20)}[condition]
    loud = np.sort(speech**2)[-len(speech) // 3 :].mean()
    noise = coloured_noise(len(speech), dice, dice.uniform(0, 2))
    noisy = speech + noise * np.float32(np.sqrt(loud * 10 ** (-dice.uniform(*decibels) / 10)))
    if condition == "hard" and dice.random() < 0.6:
        noisy = telephone(noisy)
    return np.asarray(noisy / (np.abs(noisy).max() + 1e-9) * dice.uniform(0.1, 0.9), np.float32)


def joined(parts: list[Samples], dice: Dice) -> Samples:
    """Speak parts one after another at 0.3-0.6 s each with 0.05-0.4 s between, silence around."""
    pace, pause = dice.uniform(0.3, 0.6), dice.uniform(0.05, 0.4)
    pieces: list[NDArray[np.float32]] = [np.zeros(int(dice.uniform(0.2, 1.0) * SAMPLE_RATE), np.float32)]
    for part in parts:
        length = pace * dice.uniform(0.85, 1.15) * SAMPLE_RATE
        pieces.append(stretched(part, float(np.clip(len(part) / length, 0.7, 3.0))) * dice.uniform(0.6, 1.0))
        pieces.append(np.zeros(int(pause * dice.uniform(0.6, 1.4) * SAMPLE_RATE), np.float32))
    pieces.append(np.zeros(int(dice.uniform(0.2, 0.8) * SAMPLE_RATE), np.float32))
    return np.concatenate(pieces).astype(np.float32)


def spoken_string(speaker: Speaker, digits: str, condition: str, dice: Dice) -> Samples:
    """Return a speaker's digit string under a condition."""
    parts = [speaker.digits[digit][dice.integers(len(speaker.digits[digit]))] for digit in digits]
    return disturbed(joined(parts, dice), condition, dice)
