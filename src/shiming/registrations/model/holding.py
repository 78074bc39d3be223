"""Who holds a line, since when, and what is done to a holding after the first registration."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shiming.jurisdictions.model import StopReason
from shiming.registrations.model.lines import Line
from shiming.registrations.model.registration import HolderCounter, NamedCap, SessionUsable
from shiming.vocabulary.refusals import Refusal


class ActKind(StrEnum):
    """What an act in the history of a line did; the first registration is act 1."""

    REGISTERED = "registered"
    CHANGE_OF_HOLDER = "change_of_holder"
    SIM_REPLACEMENT = "sim_replacement"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class Act:
    """One act of a line's history: by which proof, when. It is never changed or taken away."""

    line_id: str
    number: int
    kind: str
    session_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HeldLine:
    """A line as its holder has it now."""

    line: Line
    held_since: datetime  # the registration, or the last change of holder
    acts: int
    stops: frozenset[StopReason] = frozenset()
    place: str | None = None  # reference of the address of installation, in the vault


NO_LINES = HolderCounter()


@dataclass(frozen=True, slots=True)
class Capacity:
    """Whether a person may take one more line: why not, and the counter that this was decided on."""

    refusals: tuple[Refusal, ...]
    cap: NamedCap | None  # none: such lines of a person are not counted
    counter: HolderCounter = NO_LINES
    allowed: int = 0  # lines after this one, at most: the cap, or what a review let pass


@dataclass(frozen=True, slots=True)
class HoldingChanged:
    """Something is not as it was when the facts were read; nothing was written. `what` is a code."""

    what: str


@dataclass(frozen=True, slots=True)
class Witness:
    """By which proof an act is done: the session, and what it came to."""

    session_id: str
    usable: SessionUsable
