"""What may be asked about stops; `operator` is whose lines it is about."""

from dataclasses import dataclass
from typing import ClassVar

from shiming.vocabulary.permissions import Permission


@dataclass(frozen=True, slots=True)
class MayStopForHolder(Permission):
    """Whether somebody may set and lift stops that the holder asks for, or a clerk decides."""

    code: ClassVar[str] = "lines.stop_for_holder"
    operator: str


@dataclass(frozen=True, slots=True)
class MayStopForCompliance(Permission):
    """Whether somebody may set and lift stops that compliance decides: fraud, disputes, orders."""

    code: ClassVar[str] = "lines.stop_for_compliance"
    operator: str
