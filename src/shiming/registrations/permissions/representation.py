"""What may be asked about those who act for somebody else."""

from dataclasses import dataclass
from typing import ClassVar

from shiming.vocabulary.permissions import Permission


@dataclass(frozen=True, slots=True)
class MayRepresent(Permission):
    """Whether somebody may name who acts for the holder of an order of this operator."""

    code: ClassVar[str] = "orders.represent"
    operator: str = ""
