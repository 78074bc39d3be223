"""Clocks of a line's holder: coming of age, and the end of the document that the line rests on."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from shiming.registrations.model.registration import ProvenSession
from shiming.vocabulary.refusals import Refusal


class ClockKind(StrEnum):
    """What the clock runs to."""

    MAJORITY = "majority"
    DOCUMENT_EXPIRY = "document_expiry"


class ClockState(StrEnum):
    """How far a clock has run."""

    RUNNING = "running"
    REMINDED = "reminded"
    STOPPED = "stopped"  # the line is stopped because of it
    ENDED = "ended"


class ClockStep(StrEnum):
    """What is due."""

    WAIT = "wait"
    REMIND = "remind"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class HolderClock:
    """One clock of one line; `due_on` is the first day of majority, or the last day of the document."""

    line_id: str
    operator: str
    kind: ClockKind
    subject: str
    due_on: date
    state: ClockState = ClockState.RUNNING
    changed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether something is still to come of it, or to be put right."""
        return self.state is not ClockState.ENDED


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The days that follow from a proof, and the category of the person; None: there is none."""

    category: str | None = None
    majority_on: date | None = None
    document_expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class HandoverFacts:
    """What decides whether a new proof ends clocks of a line."""

    operator: str
    line_id: str
    holder: str
    line_ended: bool
    clocks: tuple[HolderClock, ...]
    session: ProvenSession | None
    deadlines: Deadlines
    identity_recorded: bool


@dataclass(frozen=True, slots=True)
class MayHandOver:
    """These clocks end; `renewed` begin again, with another day."""

    ended: tuple[HolderClock, ...]
    renewed: tuple[HolderClock, ...]


@dataclass(frozen=True, slots=True)
class HandoverCompleted:
    """The line rests on the new proof. `repeated`: it did so already, by this session."""

    line_id: str
    clocks: tuple[HolderClock, ...]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class HandoverRefused:
    """Nothing was changed, for all these reasons."""

    refusals: tuple[Refusal, ...]
