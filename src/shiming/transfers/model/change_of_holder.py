"""A lawful change of holder: two proven people, one line."""

from dataclasses import dataclass
from typing import Any

from shiming.registrations.model.holding import HeldLine
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.model.registration import SessionNotUsable, SessionUsable
from shiming.transfers.model.account_standing import AccountStanding
from shiming.vocabulary.refusals import Refusal

Proof = SessionUsable | SessionNotUsable


@dataclass(frozen=True, slots=True)
class HolderChangeFacts:
    """What a change of holder is decided on."""

    held: HeldLine
    giver: Proof
    receiver: Proof
    order: LineOrder | None  # of the receiver's session
    standing: AccountStanding
    entry: tuple[Refusal, ...] = ()  # what the entry demands and the receiver's order lacks
    capacity: tuple[Refusal, ...] = ()  # why the receiver may take no more lines now
    form_evidence: str | None = None
    barred: bool = False  # either of the two
    port_pending: bool = False


@dataclass(frozen=True, slots=True)
class ChangeHolder:
    """The command: this line, from the person of one session to the person of the other."""

    line_id: str
    giver_session: str
    receiver_session: str
    form_evidence: str | None = None
    attestation: str | None = None  # reference of what a member of staff looked at to see that all is paid


@dataclass(frozen=True, slots=True)
class HolderChanged:
    """It is done. The receipt names nobody and is for both."""

    line_id: str
    act: int
    receipt: dict[str, Any]
    repeated: bool = False
