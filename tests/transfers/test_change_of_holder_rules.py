"""When a line is handed over: the rule with its table, and a property over all facts."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.jurisdictions.model import EntryKind, ProductClass, StopReason
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.lines import LineStatus
from shiming.transfers.model.account_standing import Arrears, LockIn
from shiming.transfers.model.change_of_holder import HolderChangeFacts
from shiming.transfers.model.outcomes import TransferAllowed
from shiming.transfers.rules.change_of_holder import decide_change_of_holder
from shiming.vocabulary.refusals import Refusal
from tests.transfers.transfer_builders import (
    GIVER,
    LACKING,
    LATER,
    NOT_USABLE,
    OTHER,
    RECEIVER,
    a_held_line,
    a_line,
    an_order_for,
    codes,
    proof_of,
    standing,
    the_policy,
    with_transfers,
)


def change_facts(**changes: Any) -> HolderChangeFacts:
    facts = HolderChangeFacts(
        held=a_held_line(),
        giver=proof_of(GIVER),
        receiver=proof_of(RECEIVER),
        order=an_order_for(a_line(), "SES-R", EntryKind.CHANGE_OF_HOLDER),
        standing=standing(),
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
