from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.outbox import outbox
from shiming.infrastructure.signing import Ed25519Signer
from shiming.infrastructure.tables import schema
from shiming.jurisdictions.model import CapScope
from shiming.privacy.model import IdentityRecord, LeafRef, LedgerVerified
from shiming.privacy.store.ledger import ledger_leaves
from shiming.privacy.use_cases.vault import list_metadata
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.registration import (
    LineRegistered,
    RegisterLine,
    RegistrationFacts,
    RegistrationRefused,
    SessionUsable,
)
from shiming.registrations.receipts import receipt_is_genuine
from shiming.registrations.store.number_tables import numbers_held
from shiming.registrations.store.sims import sim_holds
from shiming.registrations.store.tables import cap_counters, lines, numbers_in_use, registrations
from shiming.registrations.store.writing import Changed, write
from shiming.registrations.use_cases.drafting import draft_registration, new_line
from shiming.registrations.use_cases.lines import show_line
from shiming.vocabulary.refusals import ReasonCode
from tests.privacy.builders import NOW
from tests.registrations.builders import (
    ICCID,
    OPERATOR,
    Desk,
    a_desk,
    a_number,
    a_registration_policy,
    a_session,
)

IDENTITY = IdentityRecord("resident_id", "11010519491231002X", "张三丰", "北京市朝阳区建国路1号")


def codes(outcome: LineRegistered | RegistrationRefused) -> list[ReasonCode]:
    assert isinstance(outcome, RegistrationRefused)
    return [refusal.code for refusal in outcome.refusals]


def line_id(outcome: LineRegistered | RegistrationRefused) -> str:
    assert isinstance(outcome, LineRegistered)
    identifier = outcome.receipt["line"]["id"]
    assert isinstance(identifier, str)
    return identifier


def count(desk: Desk, table: sa.Table) -> int:
    with reading(desk.engine) as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def leaves(desk: Desk) -> list[sa.Row[Any]]:
    with reading(desk.engine) as connection:
        return list(connection.execute(ledger_leaves.select().order_by(ledger_leaves.c.sequence)))


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    desk = a_desk(tmp_path, url=database_url)
    yield desk
    desk.engine.dispose()


def test_a_verified_session_registers_a_line_with_a_genuine_receipt(desk: Desk) -> None:
    desk.sessions.add(a_session())
    outcome = desk.register("SES-1", a_number())
    assert isinstance(outcome, LineRegistered)
    assert outcome.receipt["line"]["number"] == "+8613800000000"
    assert outcome.active == 1
    assert outcome.receipt["proof"] == {
        "session": "SES-1",
        "level": "ial2",
        "decision_receipt_hash": "sha256:" + "1" * 64,
        "rehearsal": False,
    }
    key = desk.tools.signer.public_key
    assert receipt_is_genuine(outcome.receipt, key)
    assert not receipt_is_genuine({**outcome.receipt, "version": 9}, key)
    assert not receipt_is_genuine(outcome.receipt, Ed25519Signer.from_seed(b"1" * 32).public_key)
    assert not receipt_is_genuine({"kind": "registration_receipt"}, key)
    (leaf,) = leaves(desk)
    assert f"{leaf.lane}-{leaf.sequence}" == outcome.receipt["ledger"]["leaf"]
    assert leaf.hash == outcome.receipt["ledger"]["hash"]
    assert isinstance(verify_ledger(desk.engine, desk.vault.keys), LedgerVerified)
    with reading(desk.engine) as connection:
        line = show_line(connection, a_number())
        assert line is not None
        assert (line.status, line.registered_at) == (LineStatus.PENDING, NOW)
        assert show_line(connection, a_number(1)) is None


def test_the_same_session_and_number_again_returns_the_same_receipt_and_writes_nothing(
    desk: Desk,
) -> None:
    desk.sessions.add(a_session())
    first = desk.register("SES-1", a_number())
    again = desk.register("SES-1", a_number(), now=NOW + timedelta(days=1))
    assert isinstance(first, LineRegistered)
    assert isinstance(again, LineRegistered)
    assert (again.receipt, again.repeated) == (first.receipt, True)
    assert count(desk, ledger_leaves) == 1


def test_a_used_session_registers_no_other_number_and_no_other_operator(desk: Desk) -> None:
    desk.sessions.add(a_session())
    desk.register("SES-1", a_number())
    assert codes(desk.register("SES-1", a_number(1))) == [RefusalCode.SESSION_CONSUMED]
    elsewhere = codes(desk.register("SES-1", a_number(), operator="cn-unicom"))
    assert elsewhere == [RefusalCode.SESSION_CONSUMED, RefusalCode.NUMBER_TAKEN]
    assert count(desk, lines) == 1


def test_the_sixth_line_is_refused_until_one_is_terminated(desk: Desk) -> None:
    for index in range(7):
        desk.sessions.add(a_session(f"SES-{index}"))
    first = desk.register("SES-0", a_number(0))
    for index in range(1, 5):
        assert isinstance(desk.register(f"SES-{index}", a_number(index)), LineRegistered)
    refused = desk.register("SES-5", a_number(5))
    assert codes(refused) == [RefusalCode.CAP_REACHED]
    assert isinstance(refused, RegistrationRefused)
    assert refused.refusals[0].citation == "six_agencies2016:five_lines"
    desk.terminate(line_id(first))
    desk.terminate(line_id(first))  # twice is once
    assert isinstance(desk.register("SES-5", a_number(5)), LineRegistered)
    assert codes(desk.register("SES-6", a_number(6))) == [RefusalCode.CAP_REACHED]


@pytest.mark.parametrize(("scope", "expected"), [(CapScope.OPERATOR, True), (CapScope.NATIONAL, False)])
def test_the_cap_counts_at_each_operator_by_itself_or_over_the_country(
    desk: Desk, scope: CapScope, *, expected: bool
) -> None:
    desk = desk.under(a_registration_policy(1, scope=scope))
    desk.register_for("p1.someone", "SES-1", a_number(1))
    outcome = desk.register_for("p1.someone", "SES-2", a_number(2), operator="cn-unicom")
    assert isinstance(outcome, LineRegistered) is expected


def test_a_number_in_use_is_refused_and_free_again_after_termination(desk: Desk) -> None:
    desk.sessions.add(a_session("SES-1", subject="p1.one"))
    desk.sessions.add(a_session("SES-2", subject="p1.two"))
    first = desk.register("SES-1", a_number())
    assert codes(desk.register("SES-2", a_number())) == [RefusalCode.NUMBER_TAKEN]
    desk.terminate(line_id(first))
    second = desk.register("SES-2", a_number())
    with reading(desk.engine) as connection:
        line = show_line(connection, a_number())
    assert line is not None
    assert line.line_id == line_id(second)


def test_all_reasons_are_collected_and_the_refusal_is_in_the_ledger(desk: Desk) -> None:
    desk = desk.under(a_registration_policy(1, identity_record_required=True))
    desk.keep_identity(a_session("SES-1"), IDENTITY)
    desk.sessions.add(a_session("SES-1"))
    desk.sessions.add(a_session("SES-2"))
    assert isinstance(desk.register("SES-1", a_number()), LineRegistered)
    assert codes(desk.register("SES-2", a_number())) == [
        RefusalCode.IDENTITY_NOT_RECORDED,
        RefusalCode.NUMBER_TAKEN,
        RefusalCode.CAP_REACHED,
    ]
    assert "registration.refused" in leaves(desk)[-1].leaf


def test_an_unknown_session_leaves_no_trace(desk: Desk) -> None:
    assert codes(desk.register("SES-nobody", a_number())) == [RefusalCode.SESSION_UNKNOWN]
    assert leaves(desk) == []


def test_another_persons_identity_record_does_not_count(desk: Desk) -> None:
    desk = desk.under(a_registration_policy(identity_record_required=True))
    desk.sessions.add(a_session("SES-1"))
    desk.keep_identity(a_session("SES-1", subject="p1.other"), IDENTITY)
    assert codes(desk.register("SES-1", a_number())) == [RefusalCode.IDENTITY_NOT_RECORDED]


def test_a_rehearsal_registers_in_the_sandbox_only_and_says_so(desk: Desk) -> None:
    desk.sessions.add(replace(a_session(), challenge_origin="chosen"))
    assert codes(desk.register("SES-1", a_number())) == [RefusalCode.CHALLENGE_CHOSEN]
    sandbox = replace(desk, tools=replace(desk.tools, sandbox=True))
    outcome = sandbox.register("SES-1", a_number())
    assert isinstance(outcome, LineRegistered)
    assert outcome.receipt["proof"]["rehearsal"] is True


def test_termination_starts_the_retention_clock(desk: Desk) -> None:
    desk = desk.under(a_registration_policy(identity_record_required=True))
    desk.sessions.add(a_session())
    desk.keep_identity(a_session(), IDENTITY)
    outcome = desk.register("SES-1", a_number())
    with reading(desk.engine) as connection:
        (kept,) = list_metadata(connection, case_reference="SES-1")
    assert kept.retain_until is None
    desk.terminate(line_id(outcome))
    with reading(desk.engine) as connection:
        (kept,) = list_metadata(connection, case_reference="SES-1")
    assert kept.retain_until == NOW.replace(year=NOW.year + 2)


def test_the_counter_refuses_even_when_the_rows_would_allow(desk: Desk) -> None:
    desk = desk.under(a_registration_policy(1))
    desk.sessions.add(a_session())
    with unit_of_work(desk.engine) as connection:
        connection.execute(
            cap_counters.insert().values(
                subject="p1.someone", cap_scope="operator:cn-mobile", cap_name="cards", active=1, cap=1
            )
        )
    assert codes(desk.register("SES-1", a_number())) == [RefusalCode.CAP_REACHED]
    assert count(desk, lines) == 0


def test_what_changed_since_the_facts_were_read_undoes_everything(desk: Desk) -> None:
    desk.sessions.add(a_session())
    facts = RegistrationFacts(a_session(), (), identity_recorded=False, number_held_by=None)
    usable = SessionUsable("p1.someone", "ial2", None, rehearsal=False)
    command = RegisterLine(OPERATOR, a_number(), "SES-1")
    line = new_line(desk.tools, command, usable, facts, policy=desk.policy, now=NOW)
    leaf = LeafRef(1, 1, "0" * 64)
    changes = {
        "SESSION_CONSUMED": schema.tables["proofing_sessions"].update().values(consumed_by="REG-other"),
        "NUMBER_TAKEN": numbers_in_use.insert().values(
            number="+8613800000000", operator="cn-unicom", line_id="REG-other"
        ),
        "COUNTER_MOVED": cap_counters.insert().values(
            subject="p1.someone", cap_scope="operator:cn-mobile", cap_name="cards", active=5, cap=5
        ),
        "NUMBER_HELD": numbers_held.insert().values(
            number="+8613800000000",
            operator=OPERATOR,
            state="reserved",
            held_for="SES-2",
            until=NOW + timedelta(seconds=1),
        ),
        "SIM_TAKEN": sim_holds.insert().values(
            iccid=ICCID, operator=OPERATOR, session_id="SES-2", until=NOW + timedelta(seconds=1)
        ),
    }
    for code, change in changes.items():
        draft, _ = draft_registration(line, usable, facts, policy=desk.policy, leaf=leaf)
        draft = replace(draft, pooled=True, iccid=ICCID)
        with desk.engine.connect() as connection:
            connection.execute(change)
            with pytest.raises(Changed) as changed, connection.begin_nested():
                write(connection, draft)
            assert changed.value.what == code
            for table in (lines, registrations, outbox):
                assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0
            connection.rollback()


@pytest.mark.parametrize(
    "change",
    [
        cap_counters.update().values(active=6),
        cap_counters.update().values(active=-1),
        lines.update().where(lines.c.session_id == "SES-2").values(number="+8613800000001"),
        lines.update().where(lines.c.session_id == "SES-2").values(session_id="SES-1"),
        lines.update().values(status="terminated"),
    ],
    ids=["over the cap", "below zero", "number twice", "session twice", "terminated without a date"],
)
def test_the_database_itself_refuses_what_may_never_be(desk: Desk, change: sa.Update) -> None:
    for index in (1, 2):
        desk.sessions.add(a_session(f"SES-{index}"))
        desk.register(f"SES-{index}", a_number(index))
    with pytest.raises(IntegrityError), unit_of_work(desk.engine) as connection:
        connection.execute(change)


def test_a_lowered_cap_refuses_and_breaks_nothing(desk: Desk) -> None:
    desk = desk.under(a_registration_policy(3))
    outcomes = []
    for index in range(3):
        desk.sessions.add(a_session(f"SES-{index}"))
        outcomes.append(desk.register(f"SES-{index}", a_number(index)))
    lowered = desk.under(a_registration_policy(2))
    desk.sessions.add(a_session("SES-3"))
    assert codes(lowered.register("SES-3", a_number(3))) == [RefusalCode.CAP_REACHED]
    desk.terminate(line_id(outcomes[0]))
    assert codes(lowered.register("SES-3", a_number(3))) == [RefusalCode.CAP_REACHED]
    desk.terminate(line_id(outcomes[1]))
    assert isinstance(lowered.register("SES-3", a_number(3)), LineRegistered)
