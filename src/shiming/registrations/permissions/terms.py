"""What may be asked of terms of service; reading them is open to all."""

from dataclasses import dataclass
from typing import ClassVar

from shiming.vocabulary.permissions import Permission


@dataclass(frozen=True, slots=True)
class MayPublishTerms(Permission):
    """Whether somebody may publish terms of this operator."""

    code: ClassVar[str] = "terms.publish"
    operator: str


@dataclass(frozen=True, slots=True)
class MayReadTerms(Permission):
    """Whether somebody may read published terms; every customer may."""

    code: ClassVar[str] = "terms.read"
    operator: str


@dataclass(frozen=True, slots=True)
class MayRecordAcceptance(Permission):
    """Whether somebody may record what a customer accepted and confirmed, for orders of this operator."""

    code: ClassVar[str] = "orders.accept"
    operator: str
