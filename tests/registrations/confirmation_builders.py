"""Codes by which a customer confirms a line, and the limits of the pack for them."""

from dataclasses import replace
from datetime import timedelta

from shiming.registrations.model.confirmation import CODE_GAP_SECONDS, IssuedCode
from shiming.registrations.model.registration import PoolNumber
from shiming.registrations.rules.entry import decide_entry
from tests.privacy.builders import NOW
from tests.registrations.contract_builders import (
    OPERATOR,
    SESSION,
    ContractDesk,
    a_contract_policy,
    the_policy,
)

POLICY = a_contract_policy()
ATTEMPTS = POLICY.confirmation_attempts_max.value
LATER = NOW + timedelta(seconds=CODE_GAP_SECONDS)
EXPIRED = NOW + timedelta(minutes=POLICY.confirmation_minutes.value)


def a_code(**changed: object) -> IssuedCode:
    code = IssuedCode(SESSION, OPERATOR, 1, SESSION, "k:1", "k:2", "l", NOW, EXPIRED, issued=1)
    return replace(code, **changed)  # type: ignore[arg-type] # names of fields with their values


def wrong_of(code: str) -> str:
    return code[:-1] + str((int(code[-1]) + 1) % 10)


def unconfirmed(desk: ContractDesk) -> list[str]:
    """Why the order's number cannot be registered, as far as its confirmation is concerned."""
    order = desk.order()
    assert order.identifier is not None
    found = decide_entry(
        order, order.identifier, the_policy(), identity_recorded=True, pool=PoolNumber(), now=NOW
    )
    return [each.code.value for each in found if "CONFIRMED" in each.code]
