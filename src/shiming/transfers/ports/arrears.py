"""Whether everything is paid on a line, and whether a contract binds it: asked of the operator's billing.

An adapter is held to `tests/transfers/arrears_contract.py`: what it cannot say is UNKNOWN, never a guess and
never an exception; it logs no number.
"""

from dataclasses import dataclass, field
from typing import Protocol

from shiming.registrations.model.lines import LineIdentifier
from shiming.transfers.model.account_standing import AccountStanding


@dataclass(frozen=True, slots=True)
class StandingQuestion:
    """Which line; the number is for the operator's own billing only."""

    operator: str
    line_id: str
    identifier: LineIdentifier = field(repr=False)


class ArrearsPort(Protocol):
    """The operator's billing."""

    def ask(self, question: StandingQuestion) -> AccountStanding:
        """Return what billing says now."""
        ...
