"""New terms of service, announced to every holder by a date."""

from collections.abc import Mapping
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
class CampaignHolder:
    """One holder in a campaign: where they are told, by which notice, and whether they accepted."""

    subject: str
    line_id: str
    notice_id: str
    accepted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a campaign has come, in holders; `notices` counts its notices by state."""

    campaign: TermsCampaign
    holders: int
    accepted: int
    notices: Mapping[str, int]
    not_reached: int


@dataclass(frozen=True, slots=True)
class NotReached:
    """A holder who is not known to have been reached: the line they were told on, and how far it came."""

    line_id: str
    notice_id: str
    state: str
    failure: str | None
