"""Scenarios about a new SIM for a line."""

from typing import Any

from shiming.entrypoints.law.held_lines import Facts, lacking, order, proof
from shiming.entrypoints.law.outcomes import accepted, refused
from shiming.jurisdictions.model import EntryKind, Policy
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.model.sim_replacement import SimReplacementFacts
from shiming.transfers.rules.sim_replacement import decide_sim_replacement, sms_barred_until


class Given(Facts):
    """The facts of a scenario."""

    new_card: bool = True
    handles_the_organisation: bool = False


def conclude(given: Given, policy: Policy) -> dict[str, Any]:
    """Return what the rules make of the facts, and for how many hours SMS is barred."""
    wanted = order(given, EntryKind.SIM_REPLACEMENT, card=given.new_card)
    facts = SimReplacementFacts(
        held=given.held(),
        holder=proof(policy, proven=given.holder_proven, person=given.proven_person),
        order=wanted,
        entry=lacking(given, wanted, policy),
        handler_of_holder=given.handles_the_organisation,
        port_pending=given.port_pending,
    )
    decision = decide_sim_replacement(facts, policy)
    if isinstance(decision, TransferRefused):
        return refused(decision.refusals)
    until = sms_barred_until(policy.transfers, given.now)
    barred = 0 if until is None else (until - given.now).total_seconds() / 3600
    return accepted(**{"sms barred hours": int(barred)})
