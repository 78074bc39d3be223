"""Decide whether a card goes into a line. Every reason is collected."""

from datetime import datetime

from shiming.registrations.errors.sims import SimRefusal
from shiming.registrations.model.lines import Line, LineStatus
from shiming.registrations.model.sims import CardStanding, Sim, SimState, SimUse
from shiming.vocabulary.refusals import Refusal


def is_card_free(card: CardStanding, *, operator: str, session_id: str, now: datetime) -> bool:
    """Say whether a card may go into the line that this session orders: one card, one line."""
    if card.operator is not None and (card.operator != operator or card.state is not SimState.STOCK):
        return False
    if card.line_id is not None:
        return False
    return card.held_until is None or card.held_until <= now or card.held_for == session_id


def decide_card(
    line: Line, card: Sim | None, present: SimUse | None, *, replacing: bool, citation: str
) -> tuple[Refusal, ...]:
    """Say why this card does not go into the line; `present` is the card that the line has now."""
    codes = []
    #  (1) the line lives and takes cards
    if line.status is LineStatus.TERMINATED:
        codes.append(SimRefusal.LINE_ENDED)
    if not line.kind.has_sim:
        codes.append(SimRefusal.LINE_WITHOUT_SIM)
    #  (2) it is its first card, or there is one to replace
    elif replacing and present is None:
        codes.append(SimRefusal.LINE_WITHOUT_FORMER_SIM)
    elif not replacing and present is not None:
        codes.append(SimRefusal.LINE_HAS_SIM)
    #  (3) the card is in the stock of the line's operator
    if card is None or card.operator != line.operator:
        codes.append(SimRefusal.SIM_UNKNOWN)
    elif card.state is SimState.ASSIGNED:
        codes.append(SimRefusal.SIM_ASSIGNED)
    elif card.state is SimState.RETIRED:
        codes.append(SimRefusal.SIM_RETIRED)
    return tuple(Refusal(code, citation) for code in codes)
