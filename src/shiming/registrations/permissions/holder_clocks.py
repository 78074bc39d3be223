"""What may be asked about the clocks of holders."""

from dataclasses import dataclass
from typing import ClassVar

from shiming.vocabulary.permissions import Permission


@dataclass(frozen=True, slots=True)
class MayReadHolderClocks(Permission):
    """Whether somebody may see which lines of this operator wait for a new proof; empty: of all."""

    code: ClassVar[str] = "holder_clocks.read"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayCompleteHandover(Permission):
    """Whether somebody may put a line of this operator on a new proof of its holder."""

    code: ClassVar[str] = "handovers.complete"
    operator: str = ""
