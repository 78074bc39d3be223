"""Billing and a donor for rehearsal: they answer from what they are given, and announce themselves loudly."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from shiming.transfers.model.account_standing import (
    UNKNOWN_STANDING,
    AccountStanding,
    Arrears,
    LockIn,
    StandingSource,
)
from shiming.transfers.model.porting import DonorAnswer, DonorVerdict, PortQuestion
from shiming.transfers.ports.arrears import StandingQuestion

_LOGGER = logging.getLogger(__name__)
SETTLED = AccountStanding(Arrears.SETTLED, LockIn.NONE, StandingSource.FAKE, "rehearsal")


@dataclass(frozen=True)
class FakeBilling:
    """Answers by line; for a line that it was told nothing of, `otherwise`."""

    by_line: Mapping[str, AccountStanding] = field(default_factory=dict)
    otherwise: AccountStanding = UNKNOWN_STANDING

    def __post_init__(self) -> None:
        _LOGGER.warning("FAKE BILLING IS IN USE: nobody is asked whether bills are paid; rehearsal only")

    def ask(self, question: StandingQuestion) -> AccountStanding:
        """Answer as told."""
        return self.by_line.get(question.line_id, self.otherwise)


@dataclass(frozen=True)
class FakeDonor:
    """Answers by the authorisation; one that it was told nothing of is refused."""

    by_authorisation: Mapping[str, DonorAnswer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _LOGGER.warning("A FAKE DONOR IS IN USE: no operator is asked for its numbers; rehearsal only")

    def confirm(self, question: PortQuestion) -> DonorAnswer:
        """Answer as told."""
        return self.by_authorisation.get(question.authorisation, DonorAnswer(DonorVerdict.REFUSED, "UNKNOWN"))
