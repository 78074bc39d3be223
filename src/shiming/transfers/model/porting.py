"""Numbers that leave for another operator, and numbers that come from one."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shiming.registrations.model.holding import HeldLine
from shiming.transfers.model.account_standing import AccountStanding
from shiming.transfers.model.change_of_holder import Proof
from shiming.vocabulary.msisdn import Msisdn


class PortState(StrEnum):
    """Where a port stands. Authorised ones end by themselves when their time is over."""

    AUTHORISED = "authorised"  # out: the code was given out; in: the donor has confirmed
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class PortStep(StrEnum):
    """What can be done with a port."""

    COMPLETE = "complete"
    CANCEL = "cancel"
    EXPIRE = "expire"


@dataclass(frozen=True, slots=True)
class PortOutFacts:
    """What an authorisation to leave is decided on."""

    held: HeldLine
    holder: Proof
    standing: AccountStanding
    barred: bool = False
    open_port: bool = False


@dataclass(frozen=True, slots=True)
class PortOut:
    """An authorisation to leave. The code itself is kept nowhere, only its keyed hash."""

    port_id: str
    line_id: str
    operator: str
    subject: str
    session_id: str
    state: PortState
    authorised_at: datetime
    expires_at: datetime
    code_hash: str = field(repr=False)
    attempts: int = 0
    recipient: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Authorised:
    """The code is shown once, to the holder."""

    port: PortOut
    code: str = field(repr=False)


class DonorVerdict(StrEnum):
    """What the operator that gives the number up says."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"
    UNKNOWN = "unknown"  # did not answer, or not so that it can be understood


@dataclass(frozen=True, slots=True)
class PortQuestion:
    """What the donor is asked; number and code are for the donor only."""

    donor: str
    recipient: str
    number: Msisdn
    authorisation: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DonorAnswer:
    """The donor's answer, and when it authorised."""

    verdict: DonorVerdict
    reference: str = ""
    authorised_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ConfirmPortIn:
    """The command: ask this donor for this number, by the authorisation that the holder brings."""

    session_id: str
    donor: str
    number: Msisdn
    authorisation: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PortInFacts:
    """What a port in is decided on, before the registration itself."""

    number: Msisdn
    regions: tuple[str, ...]
    in_own_pool: bool
    in_use: bool
    answer: DonorAnswer


@dataclass(frozen=True, slots=True)
class PortIn:
    """A number that the donor has confirmed for the person of one session."""

    port_id: str
    session_id: str
    operator: str
    donor: str
    donor_reference: str
    state: PortState
    authorised_at: datetime
    expires_at: datetime
    line_id: str | None = None
    ended_at: datetime | None = None
