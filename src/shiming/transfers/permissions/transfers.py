"""What may be asked of transfers. `operator` is whose lines it is about."""

from dataclasses import dataclass
from typing import ClassVar

from shiming.vocabulary.permissions import Permission


@dataclass(frozen=True, slots=True)
class MayTransfer(Permission):
    """Whether somebody may change holders, port, replace SIMs, move lines, and report private transfers."""

    code: ClassVar[str] = "transfers.create"
    operator: str


@dataclass(frozen=True, slots=True)
class MayReadTransfer(Permission):
    """Whether somebody may see ports, cases and campaigns of this operator; holders stay pseudonyms."""

    code: ClassVar[str] = "transfers.read"
    operator: str


@dataclass(frozen=True, slots=True)
class MayDecideTransfer(Permission):
    """Whether somebody may assess, sanction and dismiss cases of private transfers, and decide appeals."""

    code: ClassVar[str] = "transfers.decide"
    operator: str


@dataclass(frozen=True, slots=True)
class MayAnnounceTerms(Permission):
    """Whether somebody may announce new terms to all holders of this operator."""

    code: ClassVar[str] = "transfers.announce_terms"
    operator: str
