"""What may be asked about repudiated lines."""

from dataclasses import dataclass
from typing import ClassVar

from shiming.vocabulary.permissions import Permission


@dataclass(frozen=True, slots=True)
class MayTakeRepudiation(Permission):
    """Whether somebody may take the word of a principal about a line of this operator, and see it."""

    code: ClassVar[str] = "repudiations.create"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayDecideRepudiation(Permission):
    """Whether somebody may decide a dispute about a line of this operator."""

    code: ClassVar[str] = "repudiations.decide"
    operator: str = ""
