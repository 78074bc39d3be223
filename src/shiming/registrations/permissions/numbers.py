"""What may be asked about an operator's pool of numbers."""

from dataclasses import dataclass
from typing import ClassVar

from shiming.vocabulary.permissions import Permission


@dataclass(frozen=True, slots=True)
class MayReadNumbers(Permission):
    """Whether somebody may look for free numbers and see where one stands."""

    code: ClassVar[str] = "numbers.read"
    operator: str


@dataclass(frozen=True, slots=True)
class MayReserveNumber(Permission):
    """Whether somebody may keep a number for a customer, and let it go."""

    code: ClassVar[str] = "numbers.reserve"
    operator: str


@dataclass(frozen=True, slots=True)
class MayManageNumbers(Permission):
    """Whether somebody may add ranges to the pool."""

    code: ClassVar[str] = "numbers.manage"
    operator: str
