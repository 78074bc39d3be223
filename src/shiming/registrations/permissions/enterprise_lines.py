"""What may be asked about lines of organisations and their actual users."""

from dataclasses import dataclass
from typing import ClassVar

from shiming.vocabulary.permissions import Permission


@dataclass(frozen=True, slots=True)
class MayManageEnterpriseLines(Permission):
    """Whether somebody may enter lines of organisations, and see to it that their users are proven."""

    code: ClassVar[str] = "enterprise_lines.manage"
    operator: str


@dataclass(frozen=True, slots=True)
class MayReadEnterpriseLines(Permission):
    """Whether somebody may see which lines of an organisation wait for whom; users stay references."""

    code: ClassVar[str] = "enterprise_lines.read"
    operator: str
