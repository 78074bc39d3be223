"""What may be asked about notices to holders."""

from dataclasses import dataclass
from typing import ClassVar

from shiming.vocabulary.permissions import Permission


@dataclass(frozen=True, slots=True)
class MayReadNotices(Permission):
    """Whether somebody may see how far the notices of this operator came; empty: of all of them."""

    code: ClassVar[str] = "notices.read"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayRecordDelivery(Permission):
    """Whether somebody (the channel) may say that a notice of this operator arrived or did not."""

    code: ClassVar[str] = "notices.record"
    operator: str
