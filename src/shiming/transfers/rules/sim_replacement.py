"""Decide a new SIM for a line, and how long messages by SMS stay barred after it."""

from datetime import datetime, timedelta

from shiming.jurisdictions.model import EntryKind, Policy, TransferPolicy
from shiming.transfers.errors.lines import TransferLineRefusal
from shiming.transfers.errors.sim_replacement import SimReplacementRefusal as Code
from shiming.transfers.model.outcomes import TransferAllowed, TransferRefused
from shiming.transfers.model.sim_replacement import SimReplacementFacts
from shiming.transfers.rules.lines import holder_reasons, line_reasons, order_reasons
from shiming.vocabulary.refusals import Refusal


def decide_sim_replacement(facts: SimReplacementFacts, policy: Policy) -> TransferAllowed | TransferRefused:
    """Say whether the line gets a new SIM: whoever steals a line begins here, so all is proven anew."""
    entry = policy.entries[EntryKind.SIM_REPLACEMENT]
    held, citation = facts.held, entry.allowed.citation
    reasons = [
        #  (1) the line has a SIM, is in service, not stopped for what a new SIM must not cover, not leaving
        *([] if held.line.kind.has_sim else [Refusal(Code.LINE_HAS_NO_SIM, citation)]),
        *line_reasons(held, entry, policy.transfers),
        #  (2) the holder, or who handles the organisation that holds it, is proven anew
        *holder_reasons(facts.holder, held, citation, handler_of_holder=facts.handler_of_holder),
        #  (3) what the entry demands is there, and so is the new card
        *order_reasons(facts.order, facts.entry, entry),
    ]
    if facts.port_pending:
        reasons.append(Refusal(TransferLineRefusal.TRANSFER_PORT_PENDING, citation))
    return TransferRefused(tuple(reasons)) if reasons else TransferAllowed()


def sms_barred_until(policy: TransferPolicy, swapped_at: datetime) -> datetime | None:
    """Return until when SMS is barred, so that a stolen line gets no code; None where it is not barred."""
    hours = policy.sms_bar_hours.value
    return swapped_at + timedelta(hours=hours) if hours else None
