"""What may be asked of registration; who may do it is decided by `accounts`, denied by default.

`operator` is whose lines it is about.
"""

from dataclasses import dataclass
from typing import ClassVar

from shiming.vocabulary.permissions import Permission


@dataclass(frozen=True, slots=True)
class MayRegisterLine(Permission):
    """Whether somebody may register and terminate lines of this operator."""

    code: ClassVar[str] = "registrations.create"
    operator: str


@dataclass(frozen=True, slots=True)
class MayReadRegistration(Permission):
    """Whether somebody may see a line of this operator; its holder stays a pseudonym."""

    code: ClassVar[str] = "registrations.read"
    operator: str


@dataclass(frozen=True, slots=True)
class MayListByPerson(Permission):
    """Whether somebody may see all lines that one person holds at this operator; empty: at all of them."""

    code: ClassVar[str] = "registrations.list_by_person"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayReadReceipt(Permission):
    """Whether somebody may have the signed receipt of a line of this operator."""

    code: ClassVar[str] = "receipts.read"
    operator: str
