"""Notices to holders: what is to be said, to which line, and how far it came."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shiming.vocabulary.errors import Text

#: Stands in a text where the one-time code belongs; it is drawn when the message is sent.
CODE_PLACE = "{code}"
#: Stands where a link belongs, of an actual user or to a receipt; its token is drawn at sending.
LINK_PLACE = "{link}"


class NoticeState(StrEnum):
    """How far a notice came."""

    QUEUED = "queued"
    SENT = "sent"  # the channel took it
    DELIVERED = "delivered"  # the channel says that it arrived
    FAILED = "failed"
    REACHED = "reached"  # the person did something that shows that they know


@dataclass(frozen=True, slots=True)
class NewNotice:
    """A notice before it is queued. The same `dedupe_key` at the same operator is the same notice."""

    operator: str
    line_id: str | None  # where it is sent; None: to a contact
    subject: str  # whom it concerns: pseudonym of a person, or ORG-...
    template: str  # such as proxy_registered
    text: Text = field(repr=False)  # no name or number of anybody; may hold CODE_PLACE
    dedupe_key: str
    about: str | None = None  # the reference that it is about, such as another line
    campaign: str | None = None  # what a report of reached holders asks for, such as terms-2026-02
    contact_evidence: str | None = None  # the piece of the vault that says where the person is reached


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it stands."""

    notice_id: str
    operator: str
    line_id: str | None
    subject: str
    template: str
    state: NoticeState
    dedupe_key: str
    created_at: datetime
    changed_at: datetime
    about: str | None = None
    campaign: str | None = None
    attempts: int = 0
    failure: str | None = None
    code_hash: str | None = field(default=None, repr=False)
    code_attempts: int = 0
    text: Text = field(default=Text(zh="", en=""), repr=False)
    contact_evidence: str | None = None


@dataclass(frozen=True, slots=True)
class CampaignReach:
    """How far the notices of a campaign came: how many in each state."""

    campaign: str
    states: dict[NoticeState, int]

    @property
    def not_reached(self) -> int:
        """How many are not known to have arrived."""
        arrived = {NoticeState.DELIVERED, NoticeState.REACHED}
        return sum(count for state, count in self.states.items() if state not in arrived)
