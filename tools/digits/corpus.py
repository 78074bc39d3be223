"""Read the training tokens: people (`testdata/speech`) and synthetic voices, as mel power spectra.

A token is a stretch of speech with its labels: one digit, a short string of digits, or `?` for each syllable
that is not a digit. Tokens are kept by voice, so that a training string is spoken by one voice.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
from scipy.signal import resample_poly

from shiming.recognition.spoken_digits.features import mel_power

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
AMBIGUOUS = {"niu", "lin", "shan"}  # merged with a digit in some accents: neither digit nor filler


@dataclass(frozen=True)
class Token:
    """Mel power (frames, bands) and the labels said in it."""

    labels: str
    power: np.ndarray


@dataclass
class Corpus:
    """Digit tokens by voice and label, other speech by voice; people and synthetic voices apart."""

    people: dict[str, dict[str, list[Token]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    synthetic: dict[str, dict[str, list[Token]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    other_speech: list[Token] = field(default_factory=list)


def read_audio(path: Path) -> np.ndarray:
    """Return mono float32 at 16 kHz."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=16000)
        chunks = [
            part.to_ndarray().ravel()
            for frame in container.decode(audio=0)
            for part in resampler.resample(frame)
        ]
        chunks += [part.to_ndarray().ravel() for part in resampler.resample(None)]
    return np.concatenate(chunks) if chunks else np.zeros(0, np.float32)


def trimmed(audio: np.ndarray, floor_db: float = 35.0) -> np.ndarray:
    """Return the speech of an isolated recording at a common peak, with 20 ms around it."""
    audio = audio * np.float32(0.7 / (np.abs(audio).max() + 1e-6))
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(audio, (0, 400)), 400)[::160]
    level = 10 * np.log10((frames**2).mean(1) + 1e-9)
    loud = np.flatnonzero(level > level.max() - floor_db)
    return audio[max(0, loud[0] * 160 - 320) : loud[-1] * 160 + 720]


def shifted(audio: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the recording and two resampled copies (pitch and formants together: another sex or age)."""
    yield audio
    yield resample_poly(audio, 8, 9).astype(np.float32)
    yield resample_poly(audio, 9, 8).astype(np.float32)


def human_recordings(speech: Path, language: str) -> Iterator[tuple[str, str, Path]]:
    """Yield voice, label and file of every recording of people."""
    if language == "eng":
        for path in sorted(speech.glob("eng/*.wav")):
            yield path.stem.split("_")[1], path.stem[0], path
        return
    for path in sorted(speech.glob("cmn_a/*.mp3")):
        yield "cmn_a", CMN_READINGS[path.stem.rstrip("12345")], path
    for path in sorted(speech.glob("cmn_b/*.mp3")):
        yield "cmn_b", path.stem[0], path


def mandarin_syllables(speech: Path) -> Iterator[Path]:
    """Yield the recordings of syllables that are not digits."""
    for path in sorted(speech.glob("cmn_a/filler/*.mp3")):
        if path.stem.strip("_").rstrip("12345") not in AMBIGUOUS:
            yield path


def separated(audio: np.ndarray, labels: str) -> list[np.ndarray]:
    """Split a synthetic string with pauses into its digits; empty where the pauses do not fit the labels."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(audio, (0, 400)), 400)[::160]
    loud = (10 * np.log10((frames**2).mean(1) + 1e-9)) > 10 * np.log10((frames**2).mean(1).max()) - 32
    edges = np.flatnonzero(np.diff(np.concatenate([[0], loud.astype(int), [0]])))
    spans = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    joined: list[tuple[int, int]] = []
    for a, b in spans:
        if joined and a - joined[-1][1] < 12:
            joined[-1] = (joined[-1][0], b)
        else:
            joined.append((a, b))
    joined = [(a, b) for a, b in joined if b - a >= 6]
    if len(joined) != len(labels):
        return []
    return [audio[max(0, a * 160 - 400) : b * 160 + 640] for a, b in joined]


def synthetic_tokens(path: Path) -> Iterator[tuple[str, Token]]:
    """Yield voice and token of a file that a speaking script wrote; strings also as single digits."""
    with np.load(path) as clips:
        for key in clips.files:
            voice, labels, _ = key.split("|")
            audio = clips[key] * np.float32(0.7 / (np.abs(clips[key]).max() + 1e-6))
            if len(labels) == 1:
                yield voice, Token(labels, mel_power(audio))
                continue
            yield voice, Token(labels, mel_power(trimmed(audio)))
            for label, part in zip(labels, separated(audio, labels), strict=False):
                yield voice, Token(label, mel_power(part))


def read_corpus(
    speech: Path, work: Path, language: str, left_out: frozenset[str], prompts: tuple[Path, ...] = ()
) -> Corpus:
    """Read everything for one language except the people left out. `prompts`: folders of other speech."""
    corpus = Corpus()
    for voice, label, path in human_recordings(speech, language):
        if voice not in left_out:
            for audio in shifted(trimmed(read_audio(path))):
                corpus.people[voice][label].append(Token(label, mel_power(audio)))
    for path in sorted(work.glob(f"*_{language}.npz")):
        for voice, token in synthetic_tokens(path):
            if "?" in token.labels:
                corpus.other_speech.append(token)
            else:
                corpus.synthetic[voice][token.labels].append(token)
    other_language(corpus, speech, language, left_out)
    for path in mandarin_syllables(speech):
        if language == "cmn" and "cmn_a" in left_out:
            break  # the same speaker
        corpus.other_speech.append(Token("?", mel_power(trimmed(read_audio(path)))))
    for folder in prompts:
        corpus.other_speech.extend(prompt_tokens(folder))
    return corpus


def prompt_tokens(folder: Path) -> Iterator[Token]:
    """Yield the words of a folder of recorded prompts; empty files are passed over."""
    for path in sorted(folder.glob("*.wav")):
        audio = read_audio(path)
        if len(audio) > 4800 and np.abs(audio).max() > 0.01:
            yield from words_of(audio)


def words_of(audio: np.ndarray) -> Iterator[Token]:
    """Yield pieces of 0.3-0.7 s of running speech, each labelled as one unit that is not a digit."""
    speech = trimmed(audio)
    for start in range(0, max(1, len(speech) - 4800), 8000):
        yield Token("?", mel_power(speech[start : start + 8000]))


def other_language(corpus: Corpus, speech: Path, language: str, left_out: frozenset[str]) -> None:
    """Add the digits of the other language: speech of the same kind that must not count."""
    other = "eng" if language == "cmn" else "cmn"
    for voice, _, path in human_recordings(speech, other):
        if voice not in left_out:
            corpus.other_speech.append(Token("?", mel_power(trimmed(read_audio(path)))))
