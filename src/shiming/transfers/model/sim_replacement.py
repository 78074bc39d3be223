"""A new SIM for a line, after the holder was proven anew."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shiming.registrations.model.holding import HeldLine
from shiming.registrations.model.orders import LineOrder
from shiming.transfers.model.change_of_holder import Proof
from shiming.vocabulary.refusals import Refusal


@dataclass(frozen=True, slots=True)
class SimReplacementFacts:
    """What a replacement is decided on."""

    held: HeldLine
    holder: Proof
    order: LineOrder | None
    entry: tuple[Refusal, ...] = ()  # what the entry demands and the order lacks
    handler_of_holder: bool = False  # the person proven handles the organisation that holds the line
    port_pending: bool = False


@dataclass(frozen=True, slots=True)
class SimReplaced:
    """It is done: messages by SMS are barred until then."""

    line_id: str
    act: int
    swapped_at: datetime
    sms_barred_until: datetime | None
    receipt: dict[str, Any]
