"""Who holds a line, since when, and what is done to a holding after the first registration."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shiming.jurisdictions.model import CapPolicy, StopReason
from shiming.registrations.model.lines import Line


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


@dataclass(frozen=True, slots=True)
class CapSlot:
    """Where a person's lines are counted, and up to how many; `cap` None: none of theirs are."""

    cap_class: str
    scope: str
    cap: CapPolicy


@dataclass(frozen=True, slots=True)
class HoldingChanged:
    """Something is not as it was when the facts were read; nothing was written. `what` is a code."""

    what: str
