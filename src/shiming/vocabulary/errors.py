"""What can go wrong, said in the user's language with a stable code.

A refusal that the law foresees is a value, not one of these. These are for input that cannot be used
and services that cannot be reached. An error never carries personal data in its message.

>>> error = BadInput("IMAGE_UNREADABLE", Text(zh="无法读取图片", en="The image cannot be read."),
...                  advice=Text(zh="请重新拍摄", en="Take the photo again."))
>>> error.code, error.exit_code
('IMAGE_UNREADABLE', 2)
>>> print(error)
IMAGE_UNREADABLE: The image cannot be read. Take the photo again.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in both languages of the product."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """Return the Chinese text for `zh...`, the English text for anything else."""
        return self.zh if language.startswith("zh") else self.en

    def to_json(self) -> dict[str, str]:
        """Return `{"zh": ..., "en": ...}`."""
        return {"zh": self.zh, "en": self.en}


NO_ADVICE = Text(zh="", en="")


@dataclass
class ShimingError(Exception):
    """Base of all errors: a stable code, what happened, what to do, and data without personal details."""

    code: str
    text: Text
    advice: Text = NO_ADVICE
    details: dict[str, Any] = field(default_factory=dict)

    exit_code: ClassVar[int] = 2

    def __post_init__(self) -> None:
        super().__init__(self.code)

    def __str__(self) -> str:
        return f"{self.code}: {self.text.en} {self.advice.en}".rstrip()

    def to_json(self) -> dict[str, Any]:
        """Return the error as it is printed with `--json`."""
        return {
            "error": self.code,
            "text": self.text.to_json(),
            "advice": self.advice.to_json(),
            "details": self.details,
        }


class BadInput(ShimingError):
    """What was given cannot be used (exit code 2)."""

    exit_code: ClassVar[int] = 2


class Unavailable(ShimingError):
    """A model, a service or a file that is needed is not there (exit code 3)."""

    exit_code: ClassVar[int] = 3
