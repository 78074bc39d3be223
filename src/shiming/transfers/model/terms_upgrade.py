"""New terms of service, announced to every holder by a date."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CampaignState(StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"
    RUNNING = "running"
    DONE = "done"  # every holder was queued, and the time for answers is over
    CANCELLED = "cancelled"


class CampaignStep(StrEnum):
    """What can be done with a campaign."""

    START = "start"
    FINISH = "finish"
    CANCEL = "cancel"


class NoticeState(StrEnum):
    """What became of the notice to one holder."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TermsCampaign:
    """Which version, at which operator, by when; `cursor` is the last line that was looked at."""

    campaign_id: str
    operator: str
    terms_version: str
    notify_by: datetime
    takes_effect_at: datetime
    state: CampaignState
    created_at: datetime
    cursor: str = ""
    all_queued: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a campaign has come, in holders."""

    holders: int
    queued: int
    sent: int
    failed: int
    accepted: int

    @property
    def not_reached(self) -> int:
        """Holders whose notice is neither delivered nor answered."""
        return self.queued + self.failed
