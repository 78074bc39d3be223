"""Scenarios about fixed and internet lines that move to another address."""

from typing import Any

from shiming.entrypoints.law.held_lines import Facts, lacking, order, proof
from shiming.entrypoints.law.outcomes import accepted, refused
from shiming.jurisdictions.model import EntryKind, Policy, ProductClass
from shiming.transfers.model.moves import MoveFacts
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.rules.moves import decide_move


class Given(Facts):
    """The facts of a scenario."""

    product: ProductClass = ProductClass.FIXED
    new_address: bool = True
    same_address: bool = False


def conclude(given: Given, policy: Policy) -> dict[str, Any]:
    """Return what the rules make of the facts."""
    wanted = order(given, EntryKind.MOVE, address=given.new_address)
    facts = MoveFacts(
        held=given.held(),
        holder=proof(policy, proven=given.holder_proven, person=given.proven_person),
        order=wanted,
        entry=lacking(given, wanted, policy),
        same_place=given.same_address,
        port_pending=given.port_pending,
    )
    decision = decide_move(facts, policy)
    return refused(decision.refusals) if isinstance(decision, TransferRefused) else accepted()
