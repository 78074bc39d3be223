"""What an examination of the ledger found: a bounded list, and a count of all."""

from dataclasses import dataclass, field

from shiming.privacy.model import LedgerFault, LedgerFinding

FINDINGS_MAX = 100  # who reads more than that looks at the first; memory stays bounded on a ruined ledger


@dataclass(slots=True)
class Findings:
    """Findings in the order in which they were made."""

    first: list[LedgerFinding] = field(default_factory=list)
    found: int = 0

    def add(self, at: str, why: LedgerFault) -> None:
        """Note one finding."""
        self.found += 1
        if len(self.first) < FINDINGS_MAX:
            self.first.append(LedgerFinding(at, why))

    def add_missing(self, lane: object, first: int, last: int) -> None:
        """Note that the leaves `first` to `last` of a lane are missing."""
        listed = min(last, first + FINDINGS_MAX - 1)
        for sequence in range(first, listed + 1):
            self.add(f"{lane}-{sequence}", LedgerFault.LEAF_MISSING)
        self.found += max(0, last - listed)
