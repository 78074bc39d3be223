"""A link that hands one proof and its order to the applicant's own phone, and how it can end."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shiming.registrations.model.lines import Line
from shiming.registrations.model.ordering import ProvingSession
from shiming.registrations.model.orders import LineOrder
from shiming.vocabulary.refusals import Refusal


class LinkEnd(StrEnum):
    """Why a link opens nothing any more before its time is over."""

    REVOKED = "revoked"  # by whoever may manage the order
    REPLACED = "replaced"  # a newer link of the same session took its place
    STOPPED = "stopped"  # its bearer said "this was not me", or gave up


@dataclass(frozen=True, slots=True)
class ApplicantLink:
    """A link as it is kept: the hash of its token, and the one session that it opens."""

    token_hash: str = field(repr=False)
    session_id: str
    operator: str
    made_at: datetime
    expires_at: datetime
    begun_at: datetime | None = None  # the applicant pressed "begin"
    closed_at: datetime | None = None
    closed_why: LinkEnd | None = None
    sessions: int = 1  # that were opened by it; a proof that runs out of time is begun again
    card_wrong: int = 0  # wrong answers to "which card lies before you?"


@dataclass(frozen=True, slots=True)
class ApplicantLinkMade:
    """A new link; the token is told once and kept nowhere."""

    session_id: str
    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AtHome:
    """What the bearer of a link that works may see: the order, how its proof stands, the line once it is."""

    link: ApplicantLink
    order: LineOrder
    session: ProvingSession
    line: Line | None = None


@dataclass(frozen=True, slots=True)
class CardAwaited:
    """The contract is accepted; proof, number, card and place are kept until the card has come."""

    until: datetime


@dataclass(frozen=True, slots=True)
class ApplicantLinkRefused:
    """The link, or this step by it, is refused for these reasons; `left`: answers about the card."""

    refusals: tuple[Refusal, ...]
    left: int | None = None
