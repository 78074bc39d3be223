"""What may be asked about an operator's cards."""

from dataclasses import dataclass
from typing import ClassVar

from shiming.vocabulary.permissions import Permission


@dataclass(frozen=True, slots=True)
class MayReadSims(Permission):
    """Whether somebody may see a card of this operator and the cards of its lines."""

    code: ClassVar[str] = "sims.read"
    operator: str


@dataclass(frozen=True, slots=True)
class MayManageSims(Permission):
    """Whether somebody may bring cards into the stock of this operator."""

    code: ClassVar[str] = "sims.manage"
    operator: str
