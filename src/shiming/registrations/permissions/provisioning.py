"""What may be asked of provisioning. `operator` is whose network it is about."""

from dataclasses import dataclass
from typing import ClassVar

from shiming.vocabulary.permissions import Permission


@dataclass(frozen=True, slots=True)
class MayReadProvisioning(Permission):
    """Whether somebody may see service orders, reconciliations and where the BSS of an operator is."""

    code: ClassVar[str] = "provisioning.read"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayManageProvisioning(Permission):
    """Whether somebody may name an operator's BSS, send failed orders again, and reconcile."""

    code: ClassVar[str] = "provisioning.manage"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayConfirmProvisioning(Permission):
    """Whether a person may confirm by hand what a network did that has no BSS here."""

    code: ClassVar[str] = "provisioning.confirm"
    operator: str = ""
