"""What people who compare by eye are given to look at, and what they answer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shiming.jurisdictions.model import Channel, Route


class ReviewGround(StrEnum):
    """On what a finding rests: chosen from a list, because what is written freely ends up naming somebody."""

    FEATURES_AGREE = "features_agree"
    CHANGED_WITH_TIME = "changed_with_time"  # age, hair, glasses, weight
    PERSON_PRESENT = "person_present"  # compared with the person in the shop
    OTHER_PERSON = "other_person"
    DOCUMENT_ALTERED = "document_altered"
    DOCUMENT_FOREIGN = "document_foreign"  # not the kind of document that it claims to be

    @property
    def is_for(self) -> bool:
        """Whether such a ground speaks for the person."""
        return self in {
            ReviewGround.FEATURES_AGREE,
            ReviewGround.CHANGED_WITH_TIME,
            ReviewGround.PERSON_PRESENT,
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """What one member of staff found. `staff` is a keyed name, the same for all accounts of one person."""

    staff: str
    same_person: bool
    document_genuine: bool
    ground: ReviewGround


@dataclass(frozen=True, slots=True)
class WaitingSession:
    """A session that people have to look at, as the queue shows it."""

    session_id: str
    operator: str
    channel: Channel
    route: Route
    category: str
    waiting_since: datetime
    decide_before: datetime
    looked: int  # how many people have answered
    reasons: tuple[str, ...]  # codes of the latest decision
