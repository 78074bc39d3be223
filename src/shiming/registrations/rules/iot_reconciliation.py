"""Compare what was delivered, sold and returned: of the operator's cards, and of a maker's devices.

    stock = delivered - sold - returned         sold = registered + awaiting

A difference is not yet a wrong; it is what somebody has to look at.
"""

from dataclasses import dataclass
from enum import StrEnum


class Discrepancy(StrEnum):
    """What does not agree."""

    STOCK = "stock"  # the stock that is declared is not what was delivered and neither sold nor returned
    SOLD = "sold"  # more or fewer are declared as sold than are registered or awaited
    OVERSOLD = "oversold"  # more are sold and returned than were ever delivered
    CONTRACT_EXCEEDED = "contract_exceeded"  # more cards are out than the contract says


@dataclass(frozen=True, slots=True)
class CardCounts:
    """Cards of one contract: `stock` and `sold` as declared, the rest from the records."""

    delivered: int
    returned: int
    sold: int
    stock: int
    registered: int
    awaiting: int
    contract_max: int | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One equation that does not hold; `excess` is what is too much on the declared side."""

    what: Discrepancy
    expected: int
    found: int

    @property
    def excess(self) -> int:
        """How many more are found than expected; negative: how many are missing."""
        return self.found - self.expected


def differences(counts: CardCounts) -> tuple[Difference, ...]:
    """Return every equation that does not hold; nothing when all agrees."""
    left = counts.delivered - counts.sold - counts.returned
    accounted = counts.registered + counts.awaiting
    out = counts.delivered - counts.returned
    checks = (
        (Discrepancy.STOCK, left, counts.stock, counts.stock == left),
        (Discrepancy.SOLD, accounted, counts.sold, counts.sold == accounted),
        (Discrepancy.OVERSOLD, out, counts.sold, counts.sold <= out),
    )
    found = [Difference(what, expected, value) for what, expected, value, holds in checks if not holds]
    if counts.contract_max is not None and out > counts.contract_max:
        found.append(Difference(Discrepancy.CONTRACT_EXCEEDED, counts.contract_max, out))
    return tuple(found)
