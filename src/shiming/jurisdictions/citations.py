"""A value of law and the place where it is written."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints

T = TypeVar("T")

Citation = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*:[a-z0-9][a-z0-9_.-]*$")]


class Record(BaseModel):
    """Frozen, strict, and refusing what it does not know."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Wording(Record):
    """One text in both languages of the product."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """Return the Chinese text for `zh...`, the English text for anything else."""
        return self.zh if language.startswith("zh") else self.en


class Confidence(StrEnum):
    """How the value was obtained, surest first."""

    PRIMARY = "primary"  # read in the source itself
    SECONDARY = "secondary"  # from an excerpt, the press or general knowledge: confirm before relying on it
    JUDGEMENT = "judgement"  # decided by this project; no law says so

    @property
    def rank(self) -> int:
        """0 is surest."""
        return list(Confidence).index(self)


class Cited(Record, Generic[T]):
    """A value, where it is written, and when it is in force (`until` is the first day without it)."""

    value: T
    citation: Citation
    confidence: Confidence
    since: date
    until: date | None = None
    note: Wording | None = None
    chosen_for: str | None = None  # the error rates and the sample that the value was read from


class Threshold(Cited[T], Generic[T]):
    """A limit of a measurement; it has to say for which error rates, on which sample, it was chosen."""

    chosen_for: str


class Article(Wording):
    """What one article of a source says, in our words."""

    confidence: Confidence | None = None  # where it differs from the source's


class Source(Record):
    """A law, a notice, a standard or a study that values are cited from."""

    title: Wording
    confidence: Confidence
    url: str | None = None
    articles: Mapping[str, Article]
