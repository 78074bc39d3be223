"""A link by which the holder of a line reads its receipt on their phone, and the message that brings it."""

from dataclasses import dataclass, field
from datetime import datetime

from shiming.registrations.model.lines import Line
from shiming.registrations.model.notices import NoticeState
from shiming.vocabulary.refusals import Refusal


@dataclass(frozen=True, slots=True)
class ReceiptLink:
    """A link as it is kept: the hash of its token, and whose receipt of which line it opens."""

    token_hash: str = field(repr=False)
    line_id: str
    subject: str  # of whom the line was when the link was made; no later holder's receipt opens by it
    operator: str
    notice_id: str
    made_at: datetime
    expires_at: datetime
    closed_at: datetime | None = None  # a newer link took its place


@dataclass(frozen=True, slots=True)
class ReceiptMessage:
    """How far a message with a link came; the link itself stands nowhere but in the message."""

    line_id: str
    notice_id: str
    state: NoticeState
    made_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ReceiptByLink:
    """What the bearer of a link that works may see."""

    line: Line
    expires_at: datetime
    notice_id: str  # of the message that brought the link


@dataclass(frozen=True, slots=True)
class ReceiptLinkRefused:
    """No message is sent, or a link opens nothing, for these reasons."""

    refusals: tuple[Refusal, ...]
