"""The connectors of an installation that has neither billing nor a clearing house: nothing is known."""

from dataclasses import dataclass

from shiming.transfers.model.account_standing import UNKNOWN_STANDING, AccountStanding
from shiming.transfers.model.porting import DonorAnswer, DonorVerdict, PortQuestion
from shiming.transfers.ports.arrears import StandingQuestion


@dataclass(frozen=True, slots=True)
class NoBilling:
    """Nobody is asked; a member of staff may attest instead."""

    def ask(self, question: StandingQuestion) -> AccountStanding:
        """Answer that nothing is known."""
        del question
        return UNKNOWN_STANDING


@dataclass(frozen=True, slots=True)
class NoDonor:
    """Nobody is asked, so nothing comes in."""

    def confirm(self, question: PortQuestion) -> DonorAnswer:
        """Answer that nothing is known."""
        del question
        return DonorAnswer(DonorVerdict.UNKNOWN, "NOT_CONFIGURED")
