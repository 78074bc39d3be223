"""General recognisers behind the same port, with models that the operator supplies: SenseVoice and Whisper.

Neither package is in the base installation. A missing package or model is `Unavailable`, never a pass.
`load_digits_tools` uses neither: `with_engine` puts one in the place of a built-in engine.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shiming.recognition.measurements import ModelUse
from shiming.recognition.spoken_digits.features import SAMPLE_RATE, Samples
from shiming.recognition.spoken_digits.measurement import DigitsReading, DigitsTools, SpokenDigitsEngine
from shiming.recognition.spoken_digits.transcripts import reading_of_transcript
from shiming.vocabulary.errors import Text, Unavailable

WHISPER_LANGUAGES = {"cmn": "zh", "eng": "en"}
WHISPER_SAMPLES = 30 * SAMPLE_RATE
TOKENS_MAX = 48  # a digit string is short; a recogniser that loops is cut off
Transcribe = Callable[[Samples], str]


@dataclass(frozen=True, slots=True)
class TranscriptDigitsEngine:
    """Scores a claimed string by the edit distance to a transcript."""

    name: str
    transcribe: Transcribe
    models: tuple[ModelUse, ...]

    def __call__(self, samples: Samples, expected: str) -> DigitsReading:
        """Return the digits of the transcript and their score."""
        return reading_of_transcript(self.transcribe(samples), expected)


def with_engine(tools: DigitsTools, language: str, engine: SpokenDigitsEngine) -> DigitsTools:
    """Return tools that use another engine for one language."""
    return DigitsTools({**tools.engines, language: engine}, tools.speech_activity)


def required_package(name: str) -> Any:
    """Import an optional package; raise `Unavailable` DIGITS_ENGINE_UNAVAILABLE."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Unavailable(
            "DIGITS_ENGINE_UNAVAILABLE",
            Text(zh=f"未安装语音识别组件 {name}。", en=f"The speech engine {name} is not installed."),
            Text(zh=f"请安装 {name}，或使用内置引擎。", en=f"Install {name}, or use the built-in engine."),
            {"package": name},
        ) from error


def required_file(path: Path) -> str:
    """Return the path of a model file; raise `Unavailable` DIGITS_MODEL_UNAVAILABLE."""
    if not path.exists():
        raise Unavailable(
            "DIGITS_MODEL_UNAVAILABLE",
            Text(zh="找不到语音模型文件。", en="The speech model was not found."),
            Text(zh="请由运营者提供模型后重试。", en="The operator has to supply the model."),
            {"file": path.name},
        )
    return str(path)


def load_sense_voice(model: Path, tokens: Path, uses: tuple[ModelUse, ...]) -> TranscriptDigitsEngine:
    """Load SenseVoice through sherpa-onnx: Mandarin, Cantonese and English by one model."""
    paths = required_file(model), required_file(tokens)
    recogniser = required_package("sherpa_onnx").OfflineRecognizer.from_sense_voice(
        model=paths[0], tokens=paths[1], num_threads=1, use_itn=False
    )

    def transcribe(samples: Samples) -> str:
        stream = recogniser.create_stream()
        stream.accept_waveform(SAMPLE_RATE, samples)
        recogniser.decode_stream(stream)
        return str(stream.result.text)

    return TranscriptDigitsEngine("sense-voice", transcribe, uses)


def load_whisper(folder: Path, language: str, uses: tuple[ModelUse, ...]) -> TranscriptDigitsEngine:
    """Load a Whisper model converted for ctranslate2 (`tokenizer.json`, `mel_filters.npy` beside it)."""
    paths = (
        required_file(folder),
        required_file(folder / "tokenizer.json"),
        required_file(folder / "mel_filters.npy"),
    )
    ctranslate2 = required_package("ctranslate2")
    tokenizer = required_package("tokenizers").Tokenizer.from_file(paths[1])
    model = ctranslate2.models.Whisper(paths[0], device="cpu", intra_threads=1, inter_threads=1)
    filters = np.load(paths[2])
    prompt = [
        tokenizer.token_to_id(mark)
        for mark in (
            "<|startoftranscript|>",
            f"<|{WHISPER_LANGUAGES[language]}|>",
            "<|transcribe|>",
            "<|notimestamps|>",
        )
    ]

    def transcribe(samples: Samples) -> str:
        features = ctranslate2.StorageView.from_array(whisper_features(samples, filters)[None])
        result = model.generate(features, [prompt], beam_size=5, max_length=TOKENS_MAX)
        return str(tokenizer.decode(result[0].sequences_ids[0]))

    return TranscriptDigitsEngine("whisper", transcribe, uses)


def whisper_features(samples: Samples, filters: Samples) -> Samples:
    """Return Whisper's (bands, 3000) log-mel of thirty seconds; `filters` is (bands, 201)."""
    fitted = np.pad(samples[:WHISPER_SAMPLES], (0, max(0, WHISPER_SAMPLES - len(samples))))
    framed = np.lib.stride_tricks.sliding_window_view(np.pad(fitted, 200, mode="reflect"), 400)[::160][:3000]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    power = np.abs(np.fft.rfft(framed * window, axis=1)) ** 2
    decades = np.log10(np.maximum(filters @ power.T, 1e-10))
    decades = np.maximum(decades, decades.max() - 8.0)
    return np.ascontiguousarray((decades + 4.0) / 4.0, dtype=np.float32)
