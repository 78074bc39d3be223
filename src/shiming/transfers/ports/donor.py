"""Whether the operator that gives a number up has authorised it.

An adapter is held to `tests/transfers/donor_contract.py`: no answer is UNKNOWN, never a guess and never an
exception; it logs neither number nor code.
"""

from typing import Protocol

from shiming.transfers.model.porting import DonorAnswer, PortQuestion


class DonorPort(Protocol):
    """The clearing house, or the donor itself."""

    def confirm(self, question: PortQuestion) -> DonorAnswer:
        """Return what the donor says now."""
        ...
