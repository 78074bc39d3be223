"""Speak training tokens with espeak-ng (both languages) and flite (English): robotic, but many voices.

Training only. Same output as `speak_kokoro.py`: keys `voice|labels|serial`, float32 mono at 16 kHz.

    python tools/digits/speak_formant.py cmn OUT.npz
"""

import argparse
import io
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from random import Random

import numpy as np
import soundfile
from scipy.signal import resample_poly
from training_words import CMN_DIGITS, CMN_WORDS, ENG_WORDS

VARIANTS = [
    "",
    *(f"+f{n}" for n in range(1, 6)),
    *(f"+m{n}" for n in range(1, 9)),
    "+croak",
    "+klatt2",
    "+klatt4",
]
ENGLISH_VOICES = [
    "en-us",
    "en-gb",
    "en-gb-scotland",
    "en-gb-x-rp",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
    "en-029",
]
ENGLISH_DIGITS = {
    "0": ["zero", "zero", "oh"],
    "1": ["one"],
    "2": ["two"],
    "3": ["three"],
    "4": ["four"],
    "5": ["five"],
    "6": ["six"],
    "7": ["seven"],
    "8": ["eight"],
    "9": ["nine"],
}
FLITE_VOICES = ["awb", "kal", "kal16", "rms", "slt"]
Job = tuple[str, str, list[str]]  # voice, label, command


def trimmed(wav: bytes) -> np.ndarray:
    """Return 16 kHz audio, normalised, without the silence around it."""
    audio, rate = soundfile.read(io.BytesIO(wav), dtype="float32")
    if len(audio) == 0:
        return np.zeros(0, np.float32)
    audio = resample_poly(audio, 16000, rate).astype(np.float32)
    audio *= 0.7 / (np.abs(audio).max() + 1e-6)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(audio, (0, 400)), 400)[::160]
    level = 10 * np.log10((frames**2).mean(1) + 1e-9)
    loud = np.flatnonzero(level > level.max() - 35)
    return audio[max(0, loud[0] * 160 - 320) : loud[-1] * 160 + 720]


def espeak(voice: str, pitch: int, speed: int, text: str) -> list[str]:
    """Return the command that speaks to standard output."""
    return ["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(speed), "--stdout", text]


def mandarin_jobs(dice: Random) -> Iterator[Job]:
    """Every digit reading and some other syllables, by every variant, at three pitches and speeds."""
    for variant in VARIANTS:
        for pitch, speed in ((40, 150), (60, 180), (75, 210)):
            voice = f"espeak{variant}{pitch}"
            for digit, readings in CMN_DIGITS.items():
                for reading in sorted(set(readings)):
                    yield voice, digit, espeak(f"cmn-latn-pinyin{variant}", pitch, speed, reading)
            for syllable in dice.sample(CMN_WORDS, 10):
                yield voice, "?", espeak(f"cmn-latn-pinyin{variant}", pitch, speed, syllable)


def english_jobs(dice: Random) -> Iterator[Job]:
    """Every digit word and some other words, by espeak-ng accents and variants and by flite."""
    for accent in ENGLISH_VOICES:
        for variant in dice.sample(VARIANTS, 9):
            pitch, speed = dice.choice([(35, 140), (50, 165), (65, 190), (80, 210)])
            for label, word in english_words(dice):
                yield f"espeak{accent}{variant}", label, espeak(accent + variant, pitch, speed, word)
    for voice in FLITE_VOICES:
        for stretch, mean in product(("0.85", "1.0", "1.2"), ("85", "120", "170", "210")):
            settings = ["--setf", f"duration_stretch={stretch}", "--setf", f"int_f0_target_mean={mean}"]
            for label, word in english_words(dice):
                yield (
                    f"flite{voice}",
                    label,
                    ["flite", "-voice", voice, *settings, "-t", word, "-o", "/dev/stdout"],
                )


def english_words(dice: Random) -> Iterator[tuple[str, str]]:
    """Yield every reading of every digit, and eight other words."""
    for digit, readings in ENGLISH_DIGITS.items():
        for reading in sorted(set(readings)):
            yield digit, reading
    for word in dice.sample(ENG_WORDS, 8):
        yield "?", word


def main() -> None:
    """Speak everything, two at a time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("language", choices=["cmn", "eng"])
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    jobs = list((mandarin_jobs if arguments.language == "cmn" else english_jobs)(Random(7)))

    def speak(job: Job) -> np.ndarray:
        return trimmed(subprocess.run(job[2], capture_output=True, check=True).stdout)

    with ThreadPoolExecutor(2) as pool:
        spoken = list(pool.map(speak, jobs))
    clips = {
        f"{voice}|{label}|{serial}": audio
        for serial, ((voice, label, _), audio) in enumerate(zip(jobs, spoken, strict=True))
        if len(audio) > 1600
    }
    np.savez(arguments.out, **clips)
    print(arguments.language, len(clips), "tokens of", len(jobs))


if __name__ == "__main__":
    main()
