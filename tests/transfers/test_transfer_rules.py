"""Every rule of transfers, each with its table; and properties over all facts."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.jurisdictions.model import EntryKind, ProductClass, StopReason
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.registration import SessionNotUsable
from shiming.transfers.model.account_standing import AccountStanding, Arrears, LockIn, StandingSource
from shiming.transfers.model.change_of_holder import HolderChangeFacts
from shiming.transfers.model.moves import MoveFacts
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
from shiming.transfers.model.private_transfer import CaseState, CaseStep, PrivateTransferKind, TransferCase
from shiming.transfers.model.sim_replacement import SimReplacementFacts
from shiming.transfers.model.terms_upgrade import CampaignState, CampaignStep
from shiming.transfers.rules.change_of_holder import decide_change_of_holder
from shiming.transfers.rules.moves import decide_move
from shiming.transfers.rules.porting import (
    ATTEMPTS_MAX,
    decide_port_completion,
    decide_port_in,
    decide_port_out,
    decide_port_step,
    is_open,
)
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
from shiming.vocabulary.refusals import Refusal
from tests.privacy.builders import NOW
from tests.registrations.builders import a_number
from tests.transfers.transfer_builders import (
    GIVER,
    LATER,
    OTHER,
    RECEIVER,
    a_held_line,
    a_line,
    an_order_for,
    codes,
    fixed_line,
    proof_of,
    the_policy,
    with_transfers,
)

SETTLED = AccountStanding(Arrears.SETTLED, LockIn.NONE, StandingSource.BILLING)
NOT_USABLE = SessionNotUsable((Refusal(RefusalCode.SESSION_TOO_OLD, "order25:6"),))
LACKING = (Refusal(RefusalCode.IDENTITY_NOT_RECORDED, "order25:9"),)


def standing(arrears: Arrears = Arrears.SETTLED, lock_in: LockIn = LockIn.NONE) -> AccountStanding:
    return AccountStanding(arrears, lock_in, StandingSource.BILLING)


def change_facts(**changes: Any) -> HolderChangeFacts:
    facts = HolderChangeFacts(
        held=a_held_line(),
        giver=proof_of(GIVER),
        receiver=proof_of(RECEIVER),
        order=an_order_for(a_line(), "SES-R", EntryKind.CHANGE_OF_HOLDER),
        standing=SETTLED,
    )
    return replace(facts, **changes)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"held": a_held_line(status=LineStatus.PENDING)}, {"TRANSFER_LINE_NOT_IN_SERVICE"}),
        ({"held": a_held_line(status=LineStatus.TERMINATED)}, {"TRANSFER_LINE_NOT_IN_SERVICE"}),
        ({"held": a_held_line(stops=frozenset({StopReason.FRAUD}))}, {"TRANSFER_LINE_STOPPED"}),
        ({"held": a_held_line(stops=frozenset({StopReason.DISPUTE}))}, {"TRANSFER_LINE_STOPPED"}),
        ({"held": a_held_line(subject="ORG-1")}, {"HOLDER_IS_ORGANISATION", "TRANSFER_HOLDER_NOT_PROVEN"}),
        (
            {"held": a_held_line(product_class=ProductClass.TOLL_FREE.value)},
            {"RECEIVER_NOT_ELIGIBLE"},
        ),
        ({"giver": NOT_USABLE}, {"SESSION_TOO_OLD"}),
        ({"giver": proof_of(OTHER)}, {"TRANSFER_HOLDER_NOT_PROVEN"}),
        ({"receiver": NOT_USABLE}, {"SESSION_TOO_OLD"}),
        ({"receiver": proof_of(GIVER)}, {"HOLDERS_SAME"}),
        (
            {"giver": proof_of(OTHER), "receiver": proof_of(OTHER)},
            {"HOLDERS_SAME", "TRANSFER_HOLDER_NOT_PROVEN"},
        ),
        ({"barred": True}, {"TRANSFERS_BARRED"}),
        ({"port_pending": True}, {"TRANSFER_PORT_PENDING"}),
        ({"standing": standing(Arrears.OWED)}, {"ARREARS_OWED"}),
        ({"standing": standing(Arrears.UNKNOWN)}, {"ARREARS_UNKNOWN"}),
        ({"standing": standing(lock_in=LockIn.BOUND)}, set()),
        ({"held": a_held_line(LATER - timedelta(days=30))}, set()),
        ({"held": a_held_line(LATER - timedelta(days=30, seconds=-1))}, {"HOLDER_CHANGE_TOO_SOON"}),
        ({"held": a_held_line(LATER + timedelta(days=1))}, {"HOLDER_CHANGE_TOO_SOON"}),  # a clock is wrong
        ({"capacity": (Refusal(RefusalCode.CAP_REACHED, "x:y"),)}, {"CAP_REACHED"}),
        ({"entry": LACKING}, {"IDENTITY_NOT_RECORDED"}),
        ({"order": None}, {"TRANSFER_ORDER_MISSING"}),
    ],
)
def test_change_of_holder(changes: dict[str, Any], wanted: set[str]) -> None:
    decision = decide_change_of_holder(change_facts(**changes), the_policy(), now=LATER)
    assert wanted == (set() if isinstance(decision, TransferAllowed) else codes(decision))


def test_what_a_pack_does_not_ask_for_is_not_asked() -> None:
    lenient = with_transfers(arrears_settled=False, cooling_days=0, blocking_stops=())
    held = a_held_line(LATER, stops=frozenset({StopReason.FRAUD}))
    facts = change_facts(standing=standing(Arrears.OWED), held=held)
    assert decide_change_of_holder(facts, lenient, now=LATER) == TransferAllowed()


def test_a_pack_that_names_no_blocking_stops_has_the_strictest() -> None:
    facts = change_facts(held=a_held_line(stops=frozenset({StopReason.REGULATOR_ORDER})))
    decision = decide_change_of_holder(facts, with_transfers(blocking_stops=None), now=LATER)
    assert codes(decision) == {"TRANSFER_LINE_STOPPED"}


def test_a_form_is_asked_for_where_the_rules_want_one() -> None:
    strict = with_transfers(form_required=True)
    assert codes(decide_change_of_holder(change_facts(), strict, now=LATER)) == {"HOLDER_CHANGE_FORM_MISSING"}
    with_form = change_facts(form_evidence="EVD-1")
    assert decide_change_of_holder(with_form, strict, now=LATER) == TransferAllowed()


def test_an_entry_that_is_not_allowed_is_refused() -> None:
    policy = the_policy()
    entry = policy.entries[EntryKind.CHANGE_OF_HOLDER]
    closed = entry.model_copy(update={"allowed": entry.allowed.model_copy(update={"value": False})})
    entries = {**policy.entries, EntryKind.CHANGE_OF_HOLDER: closed}
    decision = decide_change_of_holder(
        change_facts(), policy.model_copy(update={"entries": entries}), now=LATER
    )
    assert codes(decision) == {"TRANSFER_ENTRY_NOT_ALLOWED"}


@given(
    status=st.sampled_from(LineStatus),
    arrears=st.sampled_from(Arrears),
    days=st.integers(-5, 400),
    giver=st.sampled_from([GIVER, RECEIVER, OTHER]),
    receiver=st.sampled_from([GIVER, RECEIVER, OTHER]),
    stops=st.frozensets(st.sampled_from(StopReason), max_size=2),
    barred=st.booleans(),
    pending=st.booleans(),
)
def test_nothing_is_handed_over_unless_everything_holds(**facts: Any) -> None:
    held = a_held_line(LATER - timedelta(days=facts["days"]), status=facts["status"], stops=facts["stops"])
    given_facts = change_facts(
        held=held,
        giver=proof_of(facts["giver"]),
        receiver=proof_of(facts["receiver"]),
        standing=standing(facts["arrears"]),
        barred=facts["barred"],
        port_pending=facts["pending"],
    )
    decision = decide_change_of_holder(given_facts, the_policy(), now=LATER)
    allowed = (
        facts["status"] not in {LineStatus.PENDING, LineStatus.TERMINATED}
        and facts["arrears"] is Arrears.SETTLED
        and facts["days"] >= 30
        and facts["giver"] == GIVER != facts["receiver"]
        and not facts["stops"] & {StopReason.FRAUD, StopReason.DISPUTE, StopReason.REGULATOR_ORDER}
        and not facts["barred"]
        and not facts["pending"]
    )
    assert isinstance(decision, TransferAllowed) == allowed
    if not isinstance(decision, TransferAllowed):
        assert all(refusal.citation and refusal.words.next_step.zh for refusal in decision.refusals)


# -- porting -----------------------------------------------------------------------------------------


def out_facts(**changes: Any) -> PortOutFacts:
    return replace(PortOutFacts(a_held_line(), proof_of(GIVER), SETTLED), **changes)


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


# -- a new SIM, a move ---------------------------------------------------------------------------------


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


# -- private transfers -----------------------------------------------------------------------------------


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


# -- new terms -------------------------------------------------------------------------------------------


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
