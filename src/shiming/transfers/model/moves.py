"""A fixed or internet line goes to another address."""

from dataclasses import dataclass
from typing import Any

from shiming.registrations.model.holding import HeldLine
from shiming.registrations.model.orders import LineOrder
from shiming.transfers.model.change_of_holder import Proof
from shiming.vocabulary.refusals import Refusal


@dataclass(frozen=True, slots=True)
class MoveFacts:
    """What a move is decided on; addresses are references in the vault."""

    held: HeldLine
    holder: Proof
    order: LineOrder | None
    entry: tuple[Refusal, ...] = ()  # what the entry demands and the order lacks
    same_place: bool = False  # the new address says what the present one says
    handler_of_holder: bool = False
    port_pending: bool = False


@dataclass(frozen=True, slots=True)
class LineMoved:
    """It is done; the old address is kept for its own retention."""

    line_id: str
    act: int
    place: str
    receipt: dict[str, Any]
