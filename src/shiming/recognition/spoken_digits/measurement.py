"""What is measured about a spoken digit string, and the ports of the engines that measure it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from shiming.recognition.measurements import ModelUse
from shiming.recognition.spoken_digits.features import Samples
from shiming.recognition.spoken_digits.voice_activity import Span, SpeechActivity
from shiming.vocabulary.errors import BadInput, Text, Unavailable

LANGUAGES = ("cmn", "eng")  # ISO 639-3
LENGTH_MIN, LENGTH_MAX = 3, 12
NOT_SAID = -99.0  # the score of silence, noise and speech that is not this many digits


@dataclass(frozen=True, slots=True)
class DigitsReading:
    """One engine's reading of the spoken part of a clip.

    `heard`: digits in order, `?` for a unit that is not a digit. `score`: 0 is perfect, lower is worse.
    """

    heard: str
    score: float

    @property
    def voiced_units(self) -> int:
        """Return the number of units heard."""
        return len(self.heard)


class SpokenDigitsEngine(Protocol):
    """Scores a claimed string against the spoken part of a clip. One engine serves one language."""

    @property
    def name(self) -> str:
        """Return a stable name, cited by the receipt."""
        ...

    @property
    def models(self) -> tuple[ModelUse, ...]:
        """Return the models in use."""
        ...

    def __call__(self, samples: Samples, expected: str) -> DigitsReading:
        """Return what was heard and how well the claimed string explains it."""
        ...


@dataclass(frozen=True, slots=True)
class DigitsTools:
    """The loaded engines by language, and voice activity. Everything may be shared by threads."""

    engines: Mapping[str, SpokenDigitsEngine]
    speech_activity: SpeechActivity

    def engine_for(self, language: str) -> SpokenDigitsEngine:
        """Return the engine of a language; raise `Unavailable` DIGITS_LANGUAGE_UNAVAILABLE."""
        engine = self.engines.get(language)
        if engine is None:
            raise Unavailable(
                "DIGITS_LANGUAGE_UNAVAILABLE",
                Text(zh="不支持用这种语言朗读数字。", en="Spoken digits are not available in this language."),
                Text(
                    zh="请改用普通话或英语朗读，或改用其他方式核验。",
                    en="Read in Mandarin or English, or take another route.",
                ),
                {"language": language[:20], "available": sorted(self.engines)},
            )
        return engine


@dataclass(frozen=True, slots=True)
class DigitsMeasurement:
    """Was the expected string said? Threshold and verdict are the policy's.

    `score` 0 is a perfect match, `NOT_SAID` when no such number of digits was spoken at all.
    `speech`: spans (start_s, end_s) in the clip's own time.
    """

    expected: str
    heard: str
    score: float
    voiced_units: int
    language: str
    speech: tuple[Span, ...]
    clipped_share: float
    engine: str
    models: tuple[ModelUse, ...] = ()
    seconds: float = 0.0
    gates: Mapping[str, bool] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        return {
            "expected": self.expected,
            "heard": self.heard,
            "score": self.score,
            "voiced_units": self.voiced_units,
            "language": self.language,
            "speech": [{"start_s": start, "end_s": end} for start, end in self.speech],
            "clipped_share": self.clipped_share,
            "engine": self.engine,
            "gates": dict(self.gates),
            "models": [use.to_json() for use in self.models],
            "seconds": self.seconds,
        }


def parse_expected(text: str) -> str:
    """Return the claimed digits without spaces; raise `BadInput` DIGITS_EXPECTED_INVALID.

    >>> parse_expected(" 470 913 ")
    '470913'
    """
    digits = "".join(text.split())
    if not (digits.isascii() and digits.isdigit() and LENGTH_MIN <= len(digits) <= LENGTH_MAX):
        raise BadInput(
            "DIGITS_EXPECTED_INVALID",
            Text(zh="应读的数字串无效。", en="The expected digit string is not valid."),
            Text(
                zh=f"请给出 {LENGTH_MIN} 到 {LENGTH_MAX} 位数字。",
                en=f"Give {LENGTH_MIN} to {LENGTH_MAX} digits.",
            ),
        )
    return digits
