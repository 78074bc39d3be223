"""What may be asked about organisations. `operator` is whose customer the organisation is."""

from dataclasses import dataclass
from typing import ClassVar

from shiming.vocabulary.permissions import Permission


@dataclass(frozen=True, slots=True)
class MayManageOrganisation(Permission):
    """Whether somebody may record organisations of this operator and what they bring."""

    code: ClassVar[str] = "organisations.manage"
    operator: str


@dataclass(frozen=True, slots=True)
class MayReadOrganisation(Permission):
    """Whether somebody may see how an organisation of this operator stands; names of people are not shown."""

    code: ClassVar[str] = "organisations.read"
    operator: str


@dataclass(frozen=True, slots=True)
class MaySuspendOrganisation(Permission):
    """Whether somebody may stop an organisation of this operator from opening lines, and lift that."""

    code: ClassVar[str] = "organisations.suspend"
    operator: str
