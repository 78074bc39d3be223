"""Decide whether a line may go to another address."""

from shiming.jurisdictions.model import EntryKind, Policy
from shiming.transfers.errors.lines import TransferLineRefusal
from shiming.transfers.errors.moves import MoveRefusal as Code
from shiming.transfers.model.moves import MoveFacts
from shiming.transfers.model.outcomes import TransferAllowed, TransferRefused
from shiming.transfers.rules.lines import holder_reasons, line_reasons, order_reasons
from shiming.vocabulary.refusals import Refusal


def decide_move(facts: MoveFacts, policy: Policy) -> TransferAllowed | TransferRefused:
    """Say whether the holder may have the line at the new address."""
    entry = policy.entries[EntryKind.MOVE]
    held, citation = facts.held, entry.allowed.citation
    reasons = [
        #  (1) the line has a place, is in service, not stopped for what a move must not cover
        *([] if held.line.kind.has_place else [Refusal(Code.LINE_HAS_NO_PLACE, citation)]),
        *line_reasons(held, entry, policy.transfers),
        #  (2) the holder asks, proven now
        *holder_reasons(facts.holder, held, citation, handler_of_holder=facts.handler_of_holder),
        #  (3) what the entry demands is there
        *order_reasons(facts.order, facts.entry, entry),
    ]
    if facts.port_pending:
        reasons.append(Refusal(TransferLineRefusal.TRANSFER_PORT_PENDING, citation))
    #  (4) the new address is another one
    if facts.same_place:
        reasons.append(Refusal(Code.NEW_ADDRESS_SAME, citation))
    return TransferRefused(tuple(reasons)) if reasons else TransferAllowed()
