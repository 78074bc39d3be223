"""When a number is ported out or in: the rules, each with its table."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shiming.jurisdictions.model import EntryKind, StopReason
from shiming.registrations.model.lines import LineStatus
from shiming.transfers.model.account_standing import Arrears, LockIn
from shiming.transfers.model.outcomes import TransferAllowed
from shiming.transfers.model.porting import (
    DonorAnswer,
    DonorVerdict,
    PortIn,
    PortInFacts,
    PortOut,
    PortOutFacts,
    PortState,
    PortStep,
)
from shiming.transfers.rules.porting import (
    ATTEMPTS_MAX,
    decide_port_completion,
    decide_port_in,
    decide_port_out,
    decide_port_step,
    is_open,
)
from tests.privacy.builders import NOW
from tests.registrations.builders import a_number
from tests.transfers.transfer_builders import (
    GIVER,
    LATER,
    OTHER,
    a_held_line,
    codes,
    fixed_line,
    proof_of,
    standing,
    the_policy,
    with_transfers,
)


def out_facts(**changes: Any) -> PortOutFacts:
    return replace(PortOutFacts(a_held_line(), proof_of(GIVER), standing()), **changes)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, set()),
        ({"held": a_held_line(LATER - timedelta(days=120))}, set()),
        ({"held": a_held_line(LATER - timedelta(days=119, hours=23))}, {"PORT_TENURE"}),
        ({"held": a_held_line(status=LineStatus.ONE_WAY_STOPPED)}, {"TRANSFER_LINE_STOPPED"}),
        ({"held": a_held_line(status=LineStatus.PENDING)}, {"TRANSFER_LINE_NOT_IN_SERVICE"}),
        ({"held": replace(a_held_line(), line=fixed_line())}, {"PORT_NOT_OFFERED"}),
        ({"holder": proof_of(OTHER)}, {"TRANSFER_HOLDER_NOT_PROVEN"}),
        ({"standing": standing(Arrears.OWED, LockIn.BOUND)}, {"ARREARS_OWED", "PORT_LOCKED_IN"}),
        ({"standing": standing(Arrears.SETTLED, LockIn.UNKNOWN)}, {"PORT_LOCK_IN_UNKNOWN"}),
        ({"open_port": True}, {"PORT_ALREADY_OPEN"}),
        ({"barred": True}, {"TRANSFERS_BARRED"}),
    ],
)
def test_port_out(changes: dict[str, Any], wanted: set[str]) -> None:
    decision = decide_port_out(out_facts(**changes), the_policy(), now=LATER)
    assert wanted == (set() if isinstance(decision, TransferAllowed) else codes(decision))


def test_without_a_code_in_the_pack_nothing_is_ported_out() -> None:
    policy = with_transfers(port_authorisation_minutes=None)
    assert codes(decide_port_out(out_facts(), policy, now=LATER)) == {"PORT_NOT_OFFERED"}


def a_port(**changes: Any) -> PortOut:
    port = PortOut(
        port_id="PRT-1",
        line_id="REG-1",
        operator="cn-mobile",
        subject=GIVER,
        session_id="SES-1",
        state=PortState.AUTHORISED,
        authorised_at=LATER,
        expires_at=LATER + timedelta(hours=24),
        code_hash="hash",
    )
    return replace(port, **changes)


@pytest.mark.parametrize(
    ("changes", "held", "right", "wanted"),
    [
        ({}, a_held_line(), True, set()),
        ({}, a_held_line(), False, {"PORT_CODE_WRONG"}),
        ({"attempts": ATTEMPTS_MAX}, a_held_line(), True, {"PORT_CODE_EXPIRED"}),
        ({"expires_at": LATER}, a_held_line(), True, {"PORT_CODE_EXPIRED"}),
        ({"authorised_at": LATER + timedelta(seconds=1)}, a_held_line(), True, {"PORT_CLOCK"}),
        ({"state": PortState.CANCELLED}, a_held_line(), True, {"PORT_STATE"}),
        ({}, a_held_line(subject=OTHER), True, {"PORT_HOLDER_CHANGED"}),
        (
            {},
            a_held_line(status=LineStatus.TWO_WAY_STOPPED, stops=frozenset({StopReason.FRAUD})),
            True,
            {"PORT_HOLDER_CHANGED", "TRANSFER_LINE_STOPPED"},
        ),
    ],
)
def test_port_completion(changes: dict[str, Any], held: Any, right: bool, wanted: set[str]) -> None:
    decision = decide_port_completion(a_port(**changes), held, the_policy(), code_right=right, now=LATER)
    assert wanted == (set() if isinstance(decision, TransferAllowed) else codes(decision))


@pytest.mark.parametrize("state", PortState)
@pytest.mark.parametrize("step", PortStep)
def test_a_port_ends_once(state: PortState, step: PortStep) -> None:
    following = decide_port_step(state, step)
    assert (following is None) == (state is not PortState.AUTHORISED)
    assert following is not PortState.AUTHORISED


def test_a_port_in_is_open_as_long_as_it_holds() -> None:
    port = PortIn("PIN-1", "SES-1", "a", "b", "R", PortState.AUTHORISED, NOW, LATER)
    assert is_open(port, NOW)
    assert not is_open(port, LATER)
    assert not is_open(port, NOW - timedelta(seconds=1))
    assert not is_open(replace(port, state=PortState.COMPLETED), NOW)


CONFIRMED = DonorAnswer(DonorVerdict.CONFIRMED, "R")


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, set()),
        ({"regions": ()}, set()),
        ({"regions": ("PK",)}, {"PORT_NOT_OFFERED"}),
        ({"in_own_pool": True, "in_use": True}, {"PORT_NUMBER_OWN", "PORT_NUMBER_IN_USE"}),
        ({"answer": DonorAnswer(DonorVerdict.REFUSED)}, {"PORT_DONOR_REFUSED"}),
        ({"answer": DonorAnswer(DonorVerdict.UNKNOWN)}, {"PORT_DONOR_UNKNOWN"}),
        ({"answer": replace(CONFIRMED, authorised_at=LATER + timedelta(hours=1))}, {"PORT_CLOCK"}),
        ({"answer": replace(CONFIRMED, authorised_at=NOW, expires_at=LATER)}, {"PORT_CODE_EXPIRED"}),
    ],
)
def test_port_in(changes: dict[str, Any], wanted: set[str]) -> None:
    facts = replace(
        PortInFacts(a_number(), ("CN",), in_own_pool=False, in_use=False, answer=CONFIRMED), **changes
    )
    decision = decide_port_in(facts, the_policy(), now=LATER)
    assert wanted == (set() if isinstance(decision, TransferAllowed) else codes(decision))


def test_port_in_where_it_is_not_allowed() -> None:
    policy = the_policy()
    entry = policy.entries[EntryKind.PORT_IN]
    closed = entry.model_copy(update={"allowed": entry.allowed.model_copy(update={"value": False})})
    shut = policy.model_copy(update={"entries": {**policy.entries, EntryKind.PORT_IN: closed}})
    facts = PortInFacts(a_number(), (), in_own_pool=False, in_use=False, answer=CONFIRMED)
    assert codes(decide_port_in(facts, shut, now=LATER)) == {"TRANSFER_ENTRY_NOT_ALLOWED"}
