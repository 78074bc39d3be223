"""How somebody is told something: a short message to a line that they hold, or to a contact of theirs.

An adapter is held to `tests/registrations/notice_port_contract.py`: the same `dedupe_key` again sends nothing
twice and answers the same; a fault that may pass is `Unavailable`; a message that never can arrive is
`NoticeRejected`. The message names a number or a contact and may hold a code or a link: an adapter logs none.
"""

from dataclasses import dataclass, field
from typing import Protocol

from shiming.registrations.model.lines import LineIdentifier
from shiming.vocabulary.errors import Text


@dataclass(frozen=True, slots=True)
class Contact:
    """Where an organisation says that somebody is reached: a telephone number or a mail address, as typed.

    A channel that can make nothing of it rejects the message.
    """

    address: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NoticeMessage:
    """One message, in both languages; the channel knows which one its customer reads."""

    notice_id: str
    operator: str
    line_id: str | None  # None: it goes to a contact
    to: LineIdentifier | Contact = field(repr=False)
    template: str
    text: Text = field(repr=False)
    dedupe_key: str


@dataclass(frozen=True, slots=True)
class NoticeAccepted:
    """The channel took it; `reference` is its own name for it, by which it may report delivery."""

    reference: str


@dataclass(frozen=True, slots=True)
class NoticeRejected:
    """The channel will never deliver it; `why` is a stable word, never personal."""

    why: str


class NoticePort(Protocol):
    """A channel that reaches holders."""

    def send(self, message: NoticeMessage) -> NoticeAccepted | NoticeRejected:
        """Send one message; raise Unavailable when it may work later."""
        ...
