"""Spoken digit strings by espeak-ng (a program of the maker's machine, needed only to make the files).

Mandarin is spoken from pinyin, because espeak-ng reads some Han digits as English letters.
Sound is float32, mono, 16 kHz, -1..1.
"""

import subprocess
import wave
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly  # type: ignore[import-untyped]  # scipy has no types

Sound = NDArray[np.float32]
SAMPLE_RATE = 16_000
PINYIN = {
    "0": "ling2", "1": "yi1", "2": "er4", "3": "san1", "4": "si4",
    "5": "wu3", "6": "liu4", "7": "qi1", "8": "ba1", "9": "jiu3",
}  # fmt: skip
_ENGLISH_WORDS = "zero one two three four five six seven eight nine"
ENGLISH = dict(zip("0123456789", _ENGLISH_WORDS.split(), strict=True))
_ESPEAK_VOICES = {"cmn": "cmn-latn-pinyin", "eng": "en-us"}


@dataclass(frozen=True, slots=True)
class Speech:
    """A sound and when each digit is in it."""

    sound: Sound = field(repr=False)
    digits: str
    spans_s: tuple[tuple[float, float], ...]


def _espeak(text: str, voice: str, *, pitch: int, words_a_minute: int) -> Sound:
    command = ["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(words_a_minute), "--stdout", text]
    data = subprocess.run(command, capture_output=True, check=True).stdout
    start = data.index(b"data") + 8
    rate = int.from_bytes(data[24:28], "little")
    samples = (
        np.frombuffer(data[start : start + (len(data) - start) // 2 * 2], "<i2").astype(np.float64) / 32768
    )
    return np.asarray(resample_poly(samples, SAMPLE_RATE, rate), dtype=np.float32)


def _trim(sound: Sound, floor: float = 0.02) -> Sound:
    loud = np.flatnonzero(np.abs(sound) > floor * np.abs(sound).max())
    return sound[max(0, loud[0] - 160) : loud[-1] + 480]


def speak_digits(
    digits: str,
    language: str = "cmn",
    voice: str = "",
    seed: int = 0,
    *,
    one_as_yao: bool = False,
    pitch: int = 50,
    words_a_minute: int = 150,
    gap_s: tuple[float, float] = (0.08, 0.2),
) -> Speech:
    """Speak a digit string; `voice` is an espeak-ng variant such as `+f2`, language `cmn` or `eng`."""
    rng = np.random.default_rng([seed, 10])
    words = ENGLISH if language == "eng" else PINYIN | ({"1": "yao1"} if one_as_yao else {})
    pieces: list[Sound] = []
    spans, now = [], 0.0
    for digit in digits:
        spoken = _espeak(
            words[digit],
            _ESPEAK_VOICES[language] + voice,
            pitch=pitch + int(rng.integers(-4, 5)),
            words_a_minute=words_a_minute + int(rng.integers(-8, 9)),
        )
        spoken = _trim(spoken)
        spoken = spoken / np.abs(spoken).max() * np.float32(rng.uniform(0.5, 0.7))
        pause = np.zeros(int(rng.uniform(*gap_s) * SAMPLE_RATE), np.float32)
        spans.append((round(now, 3), round(now + len(spoken) / SAMPLE_RATE, 3)))
        pieces += [spoken, pause]
        now += (len(spoken) + len(pause)) / SAMPLE_RATE
    return Speech(np.concatenate(pieces), digits, tuple(spans))


def speak_text(text: str, voice: str = "en-us", *, pitch: int = 50, words_a_minute: int = 160) -> Sound:
    """Speak any text (for speech that holds no digits)."""
    spoken = _trim(_espeak(text, voice, pitch=pitch, words_a_minute=words_a_minute))
    return np.asarray(spoken / np.abs(spoken).max() * 0.6, dtype=np.float32)


def room(sound: Sound, seed: int, *, noise_db: float = -62.0, echo: float = 0.12) -> Sound:
    """Put a sound into a quiet small room: short echoes and a little noise."""
    rng = np.random.default_rng([seed, 11])
    tail = np.zeros(int(0.12 * SAMPLE_RATE), np.float32)
    tail[0] = 1
    for _ in range(12):
        at = int(rng.integers(60, len(tail)))
        tail[at] += echo * rng.normal() * np.exp(-at / (0.03 * SAMPLE_RATE))
    wet = np.convolve(sound, tail)[: len(sound)]
    hiss = rng.normal(0, 10 ** (noise_db / 20), len(sound))
    return np.asarray(np.clip(wet + hiss, -1, 1), dtype=np.float32)


def mouth_opening(sound: Sound, offset_s: float, scale: float = 0.6) -> NDArray[np.float32]:
    """Return the opening 0..1 of a mouth that speaks this, at 100 values a second from time 0."""
    padded = np.concatenate([np.zeros(int(offset_s * SAMPLE_RATE), np.float32), sound])
    frames = len(padded) // 160
    loudness = np.sqrt((padded[: frames * 160].reshape(frames, 160) ** 2).mean(1))
    smooth = np.convolve(loudness, np.hanning(11) / np.hanning(11).sum(), mode="same")
    return np.asarray(np.clip(smooth / (np.percentile(smooth, 97) + 1e-6), 0, 1.1) * scale, dtype=np.float32)


def save_wav(path: Path, sound: NDArray[np.float32], rate: int = SAMPLE_RATE) -> None:
    """Write 16-bit PCM; a two-column array is written as stereo."""
    columns = sound.shape[1] if sound.ndim == 2 else 1
    with wave.open(str(path), "wb") as file:
        file.setnchannels(columns)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
