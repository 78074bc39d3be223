"""Opening and changing an order: what is asked, and how it can end."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shiming.jurisdictions.model import Channel, EntryKind, HolderKind, ProductClass
from shiming.registrations.model.lines import LineIdentifier, LineKind, SimForm
from shiming.registrations.model.orders import LineOrder
from shiming.vocabulary.refusals import Refusal
from shiming.vocabulary.sim_identifiers import Iccid, Imsi

ADDRESS_CHARACTERS_MAX = 300  # the longest postal addresses are half as long


@dataclass(frozen=True, slots=True)
class OrderDetails:
    """What may still change while nothing is registered; None: as it is."""

    identifier: LineIdentifier | None = None
    iccid: Iccid | None = None
    imsi: Imsi | None = None
    sim_form: SimForm | None = None
    install_address: str | None = None  # in clear, on its way to the vault


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What is asked for with the proof of one session."""

    session_id: str
    operator: str
    kind: LineKind
    product_class: ProductClass
    channel: Channel
    entry: EntryKind = EntryKind.OPEN
    organisation: str | None = None  # ORG-...: the holder
    contract: str | None = None
    details: OrderDetails = OrderDetails()

    @property
    def holder_kind(self) -> HolderKind:
        """Say who is going to hold the line."""
        return HolderKind.PERSON if self.organisation is None else HolderKind.ORGANISATION


@dataclass(frozen=True, slots=True)
class ProvingSession:
    """What an order takes from the session of its proof, decided or not."""

    channel: str
    category: str
    operator: str | None
    subject: str | None
    outcome: str | None
    decided_at: datetime | None
    consumed_by: str | None


@dataclass(frozen=True, slots=True)
class OrderTaken:
    """The order as it stands. `repeated`: it stood so already."""

    order: LineOrder
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class OrderRefused:
    """Nothing was written, for all these reasons."""

    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class PlaceKept:
    """One place under a cap is the session's until then; None: such lines are not counted."""

    until: datetime | None
    remaining: int | None  # that others of the holder's sessions can still take


class ReviewDecision(StrEnum):
    """How an enhanced review ended."""

    PASSED = "passed"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Review:
    """An enhanced review of one more line than the cap; people are keys of accounts."""

    review_id: str
    session_id: str
    operator: str
    asked_by: str
    asked_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision: ReviewDecision | None = None
    why: str | None = None
