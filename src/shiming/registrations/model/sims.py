"""SIM cards and eSIM profiles: the stock of an operator, and which line had which card since when."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shiming.registrations.model.lines import SimForm
from shiming.vocabulary.refusals import Refusal
from shiming.vocabulary.sim_identifiers import Iccid, Imsi


class SimState(StrEnum):
    """Where a card stands; a retired one never comes back."""

    STOCK = "stock"
    ASSIGNED = "assigned"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class NewSim:
    """A card that comes into the stock."""

    iccid: Iccid
    operator: str
    imsi: Imsi
    form: SimForm


@dataclass(frozen=True, slots=True)
class Sim:
    """A card of an operator, and the line that it is in."""

    iccid: Iccid
    operator: str
    imsi: Imsi
    form: SimForm
    state: SimState
    added_at: datetime
    line_id: str | None = None


@dataclass(frozen=True, slots=True)
class SimUse:
    """A card in a line: since when, and until when; `position` counts the cards of the line from 1."""

    line_id: str
    operator: str
    position: int
    iccid: Iccid
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CardStanding:
    """What is known of a card that an order names; a hold without a line runs out."""

    operator: str | None = None  # whose stock it is in; None: in nobody's
    state: SimState | None = None
    held_for: str | None = None  # session of the order that named it
    held_until: datetime | None = None
    line_id: str | None = None  # whose card it is for good


@dataclass(frozen=True, slots=True)
class SimAssigned:
    """The card is in the line. `repeated`: it was so already."""

    use: SimUse
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class SimReplaced:
    """The line has another card; the one before is retired."""

    use: SimUse
    before: SimUse


@dataclass(frozen=True, slots=True)
class SimRefused:
    """The card does not go into the line, for all these reasons."""

    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class SimChange:
    """When the line's card was last changed; `swapped` False: it still has its first, since then."""

    at: datetime
    swapped: bool
