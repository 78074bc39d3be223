"""A line goes from one proven person to another, on both engines, also when many want it at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shiming.infrastructure.database import reading
from shiming.jurisdictions.model import StopActor, StopReason
from shiming.privacy.use_cases.vault import list_metadata
from shiming.registrations.receipts import receipt_is_genuine
from shiming.registrations.store.tables import cap_counters
from shiming.registrations.use_cases.holding import list_acts
from shiming.registrations.use_cases.stops import set_stop
from shiming.transfers.connectors.fake import FakeBilling
from shiming.transfers.model.account_standing import (
    UNKNOWN_STANDING,
    AccountStanding,
    Arrears,
    LockIn,
    StandingSource,
)
from shiming.transfers.model.change_of_holder import ChangeHolder, HolderChanged
from shiming.transfers.use_cases.deciding import ask_standing
from tests.transfers.transfer_builders import (
    GIVER,
    LATER,
    OTHER,
    RECEIVER,
    TransferDesk,
    a_transfer_desk,
    codes,
    with_transfers,
)

OWED = AccountStanding(Arrears.OWED, LockIn.NONE, StandingSource.BILLING, "BILL-1")


@pytest.fixture
def counter(tmp_path: Path, database_url: str) -> Iterator[TransferDesk]:
    desk = a_transfer_desk(tmp_path, database_url)
    yield desk
    desk.engine.dispose()


def active(desk: TransferDesk, person: str) -> int:
    with reading(desk.engine) as connection:
        query = cap_counters.select().where(cap_counters.c.subject == person)
        return sum(row.active for row in connection.execute(query))


def test_the_receiver_becomes_the_holder_and_both_have_a_receipt(counter: TransferDesk) -> None:
    line_id = counter.line()
    done = counter.transfer(counter.prepare(line_id))
    assert isinstance(done, HolderChanged)
    held = counter.held(line_id)
    assert (held.line.subject, held.line.session_id, held.acts) == (RECEIVER, "SES-R", 2)
    assert held.held_since == LATER
    assert (active(counter, GIVER), active(counter, RECEIVER)) == (0, 1)
    assert receipt_is_genuine(done.receipt, counter.tools.registrations.signer.public_key)
    assert GIVER not in str(done.receipt)
    assert RECEIVER not in str(done.receipt)


def test_the_old_holders_evidence_keeps_its_own_time_and_the_new_one_is_bound(counter: TransferDesk) -> None:
    line_id = counter.line()
    counter.keep_identity("SES-OLD-1", GIVER)
    counter.transfer(counter.prepare(line_id))
    with reading(counter.engine) as connection:
        old = list_metadata(connection, case_reference="SES-OLD-1")
        new = list_metadata(connection, case_reference="SES-R")
    assert old
    assert all(each.retain_until is not None and each.retain_until > LATER for each in old)
    assert new
    assert all(each.retain_until is None and each.line_id == line_id for each in new)


def test_the_same_sessions_again_are_the_same_act(counter: TransferDesk) -> None:
    line_id = counter.line()
    command = counter.prepare(line_id)
    first, again = counter.transfer(command), counter.transfer(command)
    assert isinstance(first, HolderChanged)
    assert isinstance(again, HolderChanged)
    assert again.repeated
    assert again.receipt == first.receipt
    assert counter.held(line_id).acts == 2


def test_the_line_can_go_on_after_the_cooling_period_and_no_act_is_lost(counter: TransferDesk) -> None:
    line_id = counter.line()
    counter.transfer(counter.prepare(line_id))
    again = counter.prepare(line_id, RECEIVER, OTHER, tag="-2")
    assert codes(counter.transfer(again)) == {"HOLDER_CHANGE_TOO_SOON"}
    much_later = LATER + timedelta(days=30)
    counter.prove("SES-G-2", RECEIVER, at=much_later)
    counter.prove("SES-R-2", OTHER, at=much_later)
    assert isinstance(counter.transfer(again, now=much_later), HolderChanged)
    with reading(counter.engine) as connection:
        acts = list_acts(connection, counter.held(line_id).line)
    assert [act.kind for act in acts] == ["registered", "change_of_holder", "change_of_holder"]
    assert [act.session_id for act in acts] == ["SES-OLD-1", "SES-R", "SES-R-2"]


def test_every_reason_is_named_at_once(counter: TransferDesk) -> None:
    line_id = counter.line()
    counter.prove("SES-G", OTHER, at=LATER - timedelta(hours=2))
    counter.prove("SES-R", GIVER)
    found = codes(counter.transfer(ChangeHolder(line_id, "SES-G", "SES-R"), standing=OWED))
    assert found >= {"SESSION_TOO_OLD", "HOLDERS_SAME", "ARREARS_OWED", "TRANSFER_ORDER_MISSING"}
    assert counter.held(line_id).line.subject == GIVER


@pytest.mark.parametrize(
    ("standing", "code"), [(OWED, "ARREARS_OWED"), (UNKNOWN_STANDING, "ARREARS_UNKNOWN")]
)
def test_what_is_not_known_to_be_paid_is_not_handed_over(
    counter: TransferDesk, standing: AccountStanding, code: str
) -> None:
    line_id = counter.line()
    assert codes(counter.transfer(counter.prepare(line_id), standing=standing)) == {code}


def test_staff_attest_only_what_billing_cannot_say(counter: TransferDesk) -> None:
    line_id = counter.line()
    for said, wanted in ((UNKNOWN_STANDING, Arrears.SETTLED), (OWED, Arrears.OWED)):
        tools = replace(counter.tools, billing=FakeBilling({line_id: said}))
        answer = ask_standing(tools, counter.engine, line_id, attestation="BILL-2026-04")
        assert answer.arrears is wanted
    assert ask_standing(tools, counter.engine, line_id, attestation=None) == OWED


@pytest.mark.parametrize("reason", [StopReason.FRAUD, StopReason.REGULATOR_ORDER])
def test_a_stop_of_compliance_holds_the_line_where_it_is(counter: TransferDesk, reason: StopReason) -> None:
    line_id = counter.line()
    counter.run(
        lambda c: set_stop(
            counter.tools.registrations,
            c,
            line_id,
            reason=reason,
            actor=StopActor.COMPLIANCE,
            reference="CASE-1",
            now=LATER,
            policy=counter.policy,
        )
    )
    assert codes(counter.transfer(counter.prepare(line_id))) == {"TRANSFER_LINE_STOPPED"}


def test_a_pending_line_is_not_handed_over(counter: TransferDesk) -> None:
    line_id = counter.line(active=False)
    assert codes(counter.transfer(counter.prepare(line_id))) == {"TRANSFER_LINE_NOT_IN_SERVICE"}


def test_a_form_is_asked_for_where_the_rules_want_one(counter: TransferDesk) -> None:
    line_id = counter.line()
    strict = counter.under(with_transfers(form_required=True))
    command = strict.prepare(line_id)
    assert codes(strict.transfer(command)) == {"HOLDER_CHANGE_FORM_MISSING"}
    assert isinstance(strict.transfer(replace(command, form_evidence="EVD-1")), HolderChanged)


def test_a_receiver_at_the_cap_gets_no_more(counter: TransferDesk) -> None:
    for index in range(10, 15):
        counter.line(RECEIVER, index)
    assert codes(counter.transfer(counter.prepare(counter.line()))) == {"CAP_REACHED"}


def test_of_two_receivers_at_once_one_has_the_line(counter: TransferDesk) -> None:
    line_id = counter.line()
    commands = [counter.prepare(line_id, GIVER, person, tag=person[3:]) for person in (RECEIVER, OTHER)]
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(counter.transfer, commands))
    assert sum(isinstance(outcome, HolderChanged) for outcome in outcomes) == 1
    assert counter.held(line_id).acts == 2
    assert active(counter, RECEIVER) + active(counter, OTHER) == 1
    assert active(counter, GIVER) == 0


def test_one_place_under_the_cap_is_given_once(counter: TransferDesk) -> None:
    for index in range(10, 14):
        counter.line(RECEIVER, index)
    commands = [
        counter.prepare(counter.line(giver, index), giver, RECEIVER, tag=giver[3:])
        for index, giver in enumerate((GIVER, OTHER), start=1)
    ]
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(counter.transfer, commands))
    assert sum(isinstance(outcome, HolderChanged) for outcome in outcomes) == 1
    assert active(counter, RECEIVER) == 5
