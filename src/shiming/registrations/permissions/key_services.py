"""What may be asked about key voice services and their number sets."""

from dataclasses import dataclass
from typing import ClassVar

from shiming.vocabulary.permissions import Permission


@dataclass(frozen=True, slots=True)
class MayManageKeyService(Permission):
    """Whether somebody may open key voice services of this operator and say which numbers they may show."""

    code: ClassVar[str] = "key_services.manage"
    operator: str


@dataclass(frozen=True, slots=True)
class MayReadNumberSet(Permission):
    """Whether somebody may see which numbers a line of this operator may show."""

    code: ClassVar[str] = "number_sets.read"
    operator: str
