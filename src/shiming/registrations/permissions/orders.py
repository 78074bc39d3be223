"""What may be asked about orders, kept places, reviews and holders above a cap."""

from dataclasses import dataclass
from typing import ClassVar

from shiming.vocabulary.permissions import Permission


@dataclass(frozen=True, slots=True)
class MayManageOrders(Permission):
    """Whether somebody may open, change and abandon orders of this operator, and ask for a review."""

    code: ClassVar[str] = "orders.manage"
    operator: str


@dataclass(frozen=True, slots=True)
class MayReadOrder(Permission):
    """Whether somebody may see an order of this operator; who is proven stays a pseudonym."""

    code: ClassVar[str] = "orders.read"
    operator: str


@dataclass(frozen=True, slots=True)
class MayDecideReview(Permission):
    """Whether somebody may let one line more than the cap pass, which somebody else asked for."""

    code: ClassVar[str] = "registration_reviews.decide"
    operator: str


@dataclass(frozen=True, slots=True)
class MayListOverCap(Permission):
    """Whether somebody may list holders with more lines than the cap; empty: at all operators."""

    code: ClassVar[str] = "registrations.list_over_cap"
    operator: str = ""
