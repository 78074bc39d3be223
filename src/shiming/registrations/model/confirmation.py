"""The customer confirms what is opened: one line and its number, or the count of a contract.

A code is sent to the customer's own device, or a link is opened there. Both are good for exactly what they
were made for (`Matter`): another number, or another count, and they confirm nothing.
"""

from dataclasses import dataclass, field
from datetime import datetime

from shiming.registrations.model.lines import LineIdentifier
from shiming.registrations.model.orders import ConfirmationMethod
from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import Refusal

#: New codes for one order: enough for a lost text message or two; with three attempts each, fifteen guesses.
CODES_MAX = 5
#: Between two codes: about what a text message takes to arrive.
CODE_GAP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Matter:
    """What is confirmed, by the person of a session. `reference`: the order's session, or the contract."""

    reference: str
    operator: str
    session_id: str
    lines: int
    identifier: LineIdentifier | None = None  # None: a contract, whose numbers are not chosen yet

    def sentence(self) -> Text:
        """Return what the customer is asked to confirm; for their own eyes."""
        if self.identifier is None:
            return Text(
                zh=f"将在合同 {self.reference} 项下新开通 {self.lines} 条线路。",
                en=f"New lines under contract {self.reference}: {self.lines}.",
            )
        number = self.identifier.reveal("shown to the customer who confirms it")
        return Text(
            zh=f"将新开通 {self.lines} 条线路，号码 {number}。",
            en=f"{self.lines} new line, number {number}.",
        )


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A code as it is kept: hashes only."""

    reference: str
    operator: str
    lines: int
    session_id: str  # of the one who confirms
    covers: str  # keyed hash of the matter
    code_hash: str = field(repr=False)
    link_hash: str = field(repr=False)
    issued_at: datetime
    expires_at: datetime
    issued: int  # codes of this order so far, with this one
    wrong: int = 0
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CodeIssued:
    """A code is on its way. `link_token` opens it on the customer's own device; it is kept nowhere."""

    matter: Matter = field(repr=False)
    expires_at: datetime
    attempts: int
    link_token: str = field(repr=False)
    code: str = field(repr=False)  # for the notice to the customer; never for whoever asked for it


@dataclass(frozen=True, slots=True)
class ConfirmationShown:
    """What the link shows on the customer's own device."""

    matter: Matter = field(repr=False)
    code: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The customer said yes to exactly this."""

    matter: Matter = field(repr=False)
    method: ConfirmationMethod
    confirmed_at: datetime


@dataclass(frozen=True, slots=True)
class ContractConfirmation:
    """How many lines of a contract its handler confirmed."""

    contract: str
    session_id: str
    lines: int
    method: ConfirmationMethod
    confirmed_at: datetime


@dataclass(frozen=True, slots=True)
class NotConfirmed:
    """Nothing was confirmed, for these reasons; `attempts_left` of a code that is still good."""

    refusals: tuple[Refusal, ...]
    attempts_left: int | None = None
