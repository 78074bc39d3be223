"""Scenarios about numbers that leave for another operator, and numbers that come from one."""

from datetime import timedelta
from typing import Any

from shiming.entrypoints.law.held_lines import NUMBER, Facts, proof
from shiming.entrypoints.law.outcomes import accepted, refused
from shiming.jurisdictions.model import Policy
from shiming.transfers.model.outcomes import TransferAllowed, TransferRefused
from shiming.transfers.model.porting import (
    DonorAnswer,
    DonorVerdict,
    PortInFacts,
    PortOut,
    PortOutFacts,
    PortState,
)
from shiming.transfers.rules.porting import decide_port_completion, decide_port_in, decide_port_out


class Given(Facts):
    """The facts of a scenario: `comes in` asks about a port in, `minutes since the code` about the code."""

    comes_in: bool = False
    number_of_the_own_pool: bool = False
    number_in_use: bool = False
    donor: DonorVerdict = DonorVerdict.CONFIRMED
    minutes_since_the_code: int | None = None
    code_right: bool = True


def conclude(given: Given, policy: Policy) -> dict[str, Any]:
    """Return what the rules make of the facts."""
    decision = _decide(given, policy)
    return refused(decision.refusals) if isinstance(decision, TransferRefused) else accepted()


def _decide(given: Given, policy: Policy) -> TransferAllowed | TransferRefused:
    now = given.now
    if given.comes_in:
        facts = PortInFacts(
            NUMBER, (), given.number_of_the_own_pool, given.number_in_use, DonorAnswer(given.donor)
        )
        return decide_port_in(facts, policy, now=now)
    if given.minutes_since_the_code is not None:
        return _completed(given, given.minutes_since_the_code, policy)
    holder = proof(policy, proven=given.holder_proven, person=given.proven_person)
    leaving = PortOutFacts(given.held(), holder, given.standing(), given.barred, given.port_pending)
    return decide_port_out(leaving, policy, now=now)


def _completed(given: Given, minutes: int, policy: Policy) -> TransferAllowed | TransferRefused:
    lasts = policy.transfers.port_authorisation_minutes
    begun = given.now - timedelta(minutes=minutes)
    port = PortOut(
        port_id="PRT",
        line_id="REG",
        operator="operator",
        subject=given.held().line.subject,
        session_id="SES",
        state=PortState.AUTHORISED,
        authorised_at=begun,
        expires_at=begun + timedelta(minutes=lasts.value if lasts else 0),
        code_hash="",
    )
    return decide_port_completion(port, given.held(), policy, code_right=given.code_right, now=given.now)
