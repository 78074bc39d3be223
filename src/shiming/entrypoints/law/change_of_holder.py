"""Scenarios about the lawful change of a line's holder."""

from typing import Any

from shiming.entrypoints.law.held_lines import HOLDER, OTHER, Facts, lacking, no_room, order, proof
from shiming.entrypoints.law.outcomes import accepted, refused
from shiming.jurisdictions.model import EntryKind, Policy
from shiming.transfers.model.change_of_holder import HolderChangeFacts
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.rules.change_of_holder import decide_change_of_holder


class Given(Facts):
    """The facts of a scenario, about both people."""

    holder_is_organisation: bool = False
    receiver_proven: bool = True
    receiver: str = OTHER
    lines_of_the_receiver: int = 0
    lines_of_the_receiver_today: int = 0
    hours_since_the_receivers_last_line: int | None = None
    form: bool = False


def conclude(given: Given, policy: Policy) -> dict[str, Any]:
    """Return what the rules make of the facts."""
    holder = "ORG-1" if given.holder_is_organisation else HOLDER
    wanted = order(given, EntryKind.CHANGE_OF_HOLDER)
    facts = HolderChangeFacts(
        held=given.held(holder),
        giver=proof(policy, proven=given.holder_proven, person=given.proven_person),
        receiver=proof(policy, proven=given.receiver_proven, person=given.receiver),
        order=wanted,
        standing=given.standing(),
        entry=lacking(given, wanted, policy),
        capacity=no_room(
            given,
            policy,
            lines=given.lines_of_the_receiver,
            today=given.lines_of_the_receiver_today,
            hours_since_last=given.hours_since_the_receivers_last_line,
        ),
        form_evidence="EVD-FORM" if given.form else None,
        barred=given.barred,
        port_pending=given.port_pending,
    )
    decision = decide_change_of_holder(facts, policy, now=given.now)
    return refused(decision.refusals) if isinstance(decision, TransferRefused) else accepted()
