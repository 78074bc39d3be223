"""What may be asked about industry cards. `operator` is whose cards they are."""

from dataclasses import dataclass
from typing import ClassVar

from shiming.vocabulary.permissions import Permission


@dataclass(frozen=True, slots=True)
class MayManageIot(Permission):
    """Whether somebody may assess companies, conclude contracts, sell cards of this operator."""

    code: ClassVar[str] = "iot.manage"
    operator: str


@dataclass(frozen=True, slots=True)
class MayReadIot(Permission):
    """Whether somebody may see contracts, cards and reports of this operator."""

    code: ClassVar[str] = "iot.read"
    operator: str


@dataclass(frozen=True, slots=True)
class MayReportIot(Permission):
    """Whether somebody may report end users, stock, devices that were seen, and resale."""

    code: ClassVar[str] = "iot.report"
    operator: str


@dataclass(frozen=True, slots=True)
class MayDecideResale(Permission):
    """Whether somebody may decide about a reported resale."""

    code: ClassVar[str] = "iot.decide_resale"
    operator: str
