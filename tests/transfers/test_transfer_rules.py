"""A new SIM, a move, private transfers and new terms: every rule with its table."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shiming.jurisdictions.model import EntryKind, StopReason
from shiming.transfers.model.moves import MoveFacts
from shiming.transfers.model.outcomes import TransferAllowed
from shiming.transfers.model.private_transfer import CaseState, CaseStep, PrivateTransferKind, TransferCase
from shiming.transfers.model.sim_replacement import SimReplacementFacts
from shiming.transfers.model.terms_upgrade import CampaignState, CampaignStep
from shiming.transfers.rules.moves import decide_move
from shiming.transfers.rules.private_transfer import (
    STEPS,
    STOP,
    decide_case_step,
    decide_report,
    decide_sanction,
    explain_sanction,
)
from shiming.transfers.rules.sim_replacement import decide_sim_replacement, sms_barred_until
from shiming.transfers.rules.terms_upgrade import STEPS as CAMPAIGN_STEPS
from shiming.transfers.rules.terms_upgrade import decide_announcement, decide_campaign_step
from tests.privacy.builders import NOW
from tests.transfers.transfer_builders import (
    GIVER,
    LACKING,
    LATER,
    NOT_USABLE,
    OTHER,
    a_held_line,
    a_line,
    an_order_for,
    codes,
    fixed_line,
    proof_of,
    the_policy,
    with_transfers,
)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, set()),
        ({"held": a_held_line(stops=frozenset({StopReason.LOST_SIM}))}, set()),
        ({"held": a_held_line(stops=frozenset({StopReason.FRAUD}))}, {"TRANSFER_LINE_STOPPED"}),
        ({"held": replace(a_held_line(), line=fixed_line())}, {"LINE_HAS_NO_SIM"}),
        ({"holder": proof_of(OTHER)}, {"TRANSFER_HOLDER_NOT_PROVEN"}),
        ({"holder": proof_of(OTHER), "handler_of_holder": True}, set()),
        ({"holder": NOT_USABLE, "handler_of_holder": True}, {"SESSION_TOO_OLD"}),
        ({"port_pending": True}, {"TRANSFER_PORT_PENDING"}),
        ({"order": None}, {"TRANSFER_ORDER_MISSING"}),
        ({"entry": LACKING}, {"IDENTITY_NOT_RECORDED"}),
    ],
)
def test_sim_replacement(changes: dict[str, Any], wanted: set[str]) -> None:
    order = an_order_for(a_line(), "SES-1", EntryKind.SIM_REPLACEMENT)
    facts = replace(SimReplacementFacts(a_held_line(), proof_of(GIVER), order), **changes)
    decision = decide_sim_replacement(facts, the_policy())
    assert wanted == (set() if isinstance(decision, TransferAllowed) else codes(decision))


@pytest.mark.parametrize(("hours", "until"), [(24, LATER + timedelta(hours=24)), (0, None)])
def test_sms_is_barred_for_the_hours_of_the_pack(hours: int, until: Any) -> None:
    assert sms_barred_until(with_transfers(sms_bar_hours=hours).transfers, LATER) == until


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, set()),
        ({"held": a_held_line()}, {"LINE_HAS_NO_PLACE"}),
        ({"holder": proof_of(OTHER)}, {"TRANSFER_HOLDER_NOT_PROVEN"}),
        ({"same_place": True}, {"NEW_ADDRESS_SAME"}),
        ({"port_pending": True}, {"TRANSFER_PORT_PENDING"}),
        ({"order": None}, {"TRANSFER_ORDER_MISSING"}),
        ({"entry": LACKING}, {"IDENTITY_NOT_RECORDED"}),
    ],
)
def test_move(changes: dict[str, Any], wanted: set[str]) -> None:
    order = an_order_for(fixed_line(), "SES-1", EntryKind.MOVE)
    facts = replace(MoveFacts(replace(a_held_line(), line=fixed_line()), proof_of(GIVER), order), **changes)
    decision = decide_move(facts, the_policy())
    assert wanted == (set() if isinstance(decision, TransferAllowed) else codes(decision))


def a_case(state: CaseState) -> TransferCase:
    return TransferCase(
        case_id="TRC-1",
        line_id="REG-1",
        operator="cn-mobile",
        subject=GIVER,
        kind=PrivateTransferKind.SALE,
        state=state,
        version=1,
        reports=1,
        opened_at=NOW,
        sanctioned_by="ACC-1",
    )


@pytest.mark.parametrize("state", CaseState)
@pytest.mark.parametrize("step", CaseStep)
def test_a_case_takes_only_its_steps(state: CaseState, step: CaseStep) -> None:
    following = decide_case_step(a_case(state), step, the_policy().transfers, by="ACC-2", holder=GIVER)
    if (state, step) in STEPS:
        assert following is STEPS[state, step]
    else:
        assert codes(following) == {"TRANSFER_CASE_STATE"}


def test_nobody_judges_their_own_sanction_and_only_the_holder_of_then_is_sanctioned() -> None:
    rules = the_policy().transfers
    for step in (CaseStep.UPHOLD, CaseStep.REJECT):
        again = decide_case_step(a_case(CaseState.APPEALED), step, rules, by="ACC-1", holder=GIVER)
        assert codes(again) == {"TRANSFER_CASE_OWN_JUDGE"}
    moved = decide_case_step(a_case(CaseState.ASSESSED), CaseStep.SANCTION, rules, by="ACC-1", holder=OTHER)
    assert codes(moved) == {"TRANSFER_HOLDER_CHANGED"}


def test_a_report_needs_a_prohibition() -> None:
    assert decide_report(the_policy().transfers) == TransferAllowed()
    allowed = decide_report(with_transfers(private_transfer_allowed=True).transfers)
    assert codes(allowed) == {"PRIVATE_TRANSFER_ALLOWED"}


def test_a_sanction_says_its_reason_and_its_provision() -> None:
    named = decide_sanction(the_policy().transfers)
    assert (named.stop, named.citation) == (StopReason.FRAUD, "antifraud:31")
    unnamed = decide_sanction(with_transfers(private_transfer_stop=None).transfers)
    assert (unnamed.stop, unnamed.citation) == (STOP, "antifraud:31")
    assert explain_sanction(the_policy().transfers).citation == "antifraud:31"


@pytest.mark.parametrize(
    ("notify", "effect", "wanted"),
    [
        (1, 31, set()),
        (1, 30, {"TERMS_NOTICE_TOO_SHORT"}),
        (0, 31, {"TERMS_NOTICE_DATE_PAST"}),
        (-1, 10, {"TERMS_NOTICE_DATE_PAST", "TERMS_NOTICE_TOO_SHORT"}),
    ],
)
def test_announcement(notify: int, effect: int, wanted: set[str]) -> None:
    decision = decide_announcement(
        the_policy().transfers,
        notify_by=LATER + timedelta(days=notify),
        takes_effect_at=LATER + timedelta(days=effect),
        now=LATER,
    )
    assert wanted == (set() if isinstance(decision, TransferAllowed) else codes(decision))


@pytest.mark.parametrize("state", CampaignState)
@pytest.mark.parametrize("step", CampaignStep)
def test_a_campaign_takes_only_its_steps(state: CampaignState, step: CampaignStep) -> None:
    following = decide_campaign_step(state, step, the_policy().transfers)
    if (state, step) in CAMPAIGN_STEPS:
        assert following is CAMPAIGN_STEPS[state, step]
    else:
        assert codes(following) == {"TERMS_CAMPAIGN_STATE"}
