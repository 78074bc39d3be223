from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.signing import Ed25519Signer
from shiming.jurisdictions.model import CapScope
from shiming.privacy.model import IdentityRecord, LedgerHead, LedgerVerified
from shiming.privacy.store import ledger_leaves
from shiming.privacy.use_cases.ledger import verify_ledger
from shiming.privacy.use_cases.vault import list_metadata
from shiming.registrations.errors import RefusalCode
from shiming.registrations.model import LineRegistered, LineStatus, RegistrationRefused
from shiming.registrations.receipts import receipt_is_genuine
from shiming.registrations.store import cap_counters, lines
from shiming.registrations.use_cases import show_line, terminate_line
from shiming.vocabulary.errors import Unavailable
from tests.privacy.builders import NOW
from tests.registrations.builders import Desk, a_desk, a_number, a_registration_policy, a_session

IDENTITY = IdentityRecord("resident_id", "11010519491231002X", "张三丰", "北京市朝阳区建国路1号")


def codes(outcome: LineRegistered | RegistrationRefused) -> list[RefusalCode]:
    assert isinstance(outcome, RegistrationRefused)
    return [refusal.code for refusal in outcome.refusals]


def line_id(outcome: LineRegistered | RegistrationRefused) -> str:
    assert isinstance(outcome, LineRegistered)
    identifier = outcome.receipt["line"]["id"]
    assert isinstance(identifier, str)
    return identifier


def count(desk: Desk, table: sa.Table) -> int:
    with reading(desk.vault.engine) as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def terminate(desk: Desk, identifier: str) -> None:
    with unit_of_work(desk.vault.engine) as connection:
        terminate_line(desk.tools, connection, identifier, why="holder_asked", policy=desk.policy, now=NOW)


def test_a_verified_session_registers_a_line_with_a_genuine_receipt(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    desk.sessions.add(a_session())
    outcome = desk.register("SES-1", a_number())
    assert isinstance(outcome, LineRegistered)
    assert outcome.receipt["line"]["number"] == "+8613800000000"
    assert outcome.receipt["rules"][0]["active"] == 1
    assert outcome.receipt["proof"] == {
        "session": "SES-1",
        "level": "ial2",
        "decision_receipt_hash": "sha256:" + "1" * 64,
        "rehearsal": False,
    }
    key = desk.tools.signer.public_key
    assert receipt_is_genuine(outcome.receipt, key)
    assert not receipt_is_genuine({**outcome.receipt, "version": 2}, key)
    assert not receipt_is_genuine(outcome.receipt, Ed25519Signer.from_seed(b"1" * 32).public_key)
    assert not receipt_is_genuine({"kind": "registration_receipt"}, key)
    head = LedgerHead(**outcome.receipt["ledger"])
    assert verify_ledger(desk.vault.engine, desk.vault.keys, known_head=head) == LedgerVerified(head)
    with reading(desk.vault.engine) as connection:
        line = show_line(connection, a_number())
        assert line is not None
        assert (line.status, line.registered_at) == (LineStatus.ACTIVE, NOW)
        assert show_line(connection, a_number(1)) is None


def test_the_same_session_and_number_again_returns_the_same_receipt_and_writes_nothing(
    tmp_path: Path,
) -> None:
    desk = a_desk(tmp_path)
    desk.sessions.add(a_session())
    first = desk.register("SES-1", a_number())
    again = desk.register("SES-1", a_number(), now=NOW + timedelta(days=1))
    assert isinstance(first, LineRegistered)
    assert isinstance(again, LineRegistered)
    assert (again.receipt, again.repeated) == (first.receipt, True)
    assert count(desk, ledger_leaves) == 1


def test_a_used_session_registers_no_other_number_and_no_other_operator(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    desk.sessions.add(a_session())
    desk.register("SES-1", a_number())
    assert codes(desk.register("SES-1", a_number(1))) == [RefusalCode.SESSION_CONSUMED]
    assert codes(desk.register("SES-1", a_number(), operator="cn-unicom")) == [RefusalCode.SESSION_CONSUMED]
    assert count(desk, lines) == 1


def test_the_sixth_line_is_refused_until_one_is_terminated(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    for index in range(7):
        desk.sessions.add(a_session(f"SES-{index}"))
    first = desk.register("SES-0", a_number(0))
    for index in range(1, 5):
        assert isinstance(desk.register(f"SES-{index}", a_number(index)), LineRegistered)
    refused = desk.register("SES-5", a_number(5))
    assert codes(refused) == [RefusalCode.CAP_REACHED]
    assert isinstance(refused, RegistrationRefused)
    assert refused.refusals[0].citation == "six_agencies2016:five_lines"
    terminate(desk, line_id(first))
    terminate(desk, line_id(first))  # twice is once
    assert isinstance(desk.register("SES-5", a_number(5)), LineRegistered)
    assert codes(desk.register("SES-6", a_number(6))) == [RefusalCode.CAP_REACHED]


def test_the_cap_counts_at_each_operator_by_itself_or_over_the_country(tmp_path: Path) -> None:
    for scope, expected in ((CapScope.OPERATOR, True), (CapScope.NATIONAL, False)):
        desk = a_desk(tmp_path / scope, a_registration_policy(1, scope=scope))
        desk.sessions.add(a_session("SES-1"))
        desk.sessions.add(a_session("SES-2"))
        desk.register("SES-1", a_number(1))
        outcome = desk.register("SES-2", a_number(2), operator="cn-unicom")
        assert isinstance(outcome, LineRegistered) is expected


def test_a_number_in_use_is_refused_and_free_again_after_termination(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    desk.sessions.add(a_session("SES-1", subject="p1.one"))
    desk.sessions.add(a_session("SES-2", subject="p1.two"))
    first = desk.register("SES-1", a_number())
    assert codes(desk.register("SES-2", a_number())) == [RefusalCode.NUMBER_TAKEN]
    terminate(desk, line_id(first))
    second = desk.register("SES-2", a_number())
    with reading(desk.vault.engine) as connection:
        line = show_line(connection, a_number())
    assert line is not None
    assert line.line_id == line_id(second)


def test_all_reasons_are_collected_and_the_refusal_is_in_the_ledger(tmp_path: Path) -> None:
    desk = a_desk(tmp_path, a_registration_policy(1, identity_record_required=True))
    desk.keep_identity(a_session("SES-1"), IDENTITY)
    desk.sessions.add(a_session("SES-1"))
    desk.sessions.add(a_session("SES-2"))
    assert isinstance(desk.register("SES-1", a_number()), LineRegistered)
    assert codes(desk.register("SES-2", a_number())) == [
        RefusalCode.IDENTITY_NOT_RECORDED,
        RefusalCode.NUMBER_TAKEN,
        RefusalCode.CAP_REACHED,
    ]
    assert b"registration.refused" in desk.vault.bytes_on_disk()


def test_an_unknown_session_leaves_no_trace(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    assert codes(desk.register("SES-nobody", a_number())) == [RefusalCode.SESSION_UNKNOWN]
    assert b"SES-nobody" not in desk.vault.bytes_on_disk()


def test_another_persons_identity_record_does_not_count(tmp_path: Path) -> None:
    desk = a_desk(tmp_path, a_registration_policy(identity_record_required=True))
    desk.sessions.add(a_session("SES-1"))
    desk.keep_identity(a_session("SES-1", subject="p1.other"), IDENTITY)
    assert codes(desk.register("SES-1", a_number())) == [RefusalCode.IDENTITY_NOT_RECORDED]


def test_a_rehearsal_registers_in_the_sandbox_only_and_says_so(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    desk.sessions.add(replace(a_session(), challenge_origin="chosen"))
    assert codes(desk.register("SES-1", a_number())) == [RefusalCode.CHALLENGE_CHOSEN]
    sandbox = replace(desk, tools=replace(desk.tools, sandbox=True))
    outcome = sandbox.register("SES-1", a_number())
    assert isinstance(outcome, LineRegistered)
    assert outcome.receipt["proof"]["rehearsal"] is True


def test_termination_starts_the_retention_clock(tmp_path: Path) -> None:
    desk = a_desk(tmp_path, a_registration_policy(identity_record_required=True))
    desk.sessions.add(a_session())
    desk.keep_identity(a_session(), IDENTITY)
    outcome = desk.register("SES-1", a_number())
    with reading(desk.vault.engine) as connection:
        (kept,) = list_metadata(connection, case_reference="SES-1")
    assert kept.retain_until is None
    terminate(desk, line_id(outcome))
    with reading(desk.vault.engine) as connection:
        (kept,) = list_metadata(connection, case_reference="SES-1")
    assert kept.retain_until == NOW.replace(year=NOW.year + 2)


def test_the_counter_refuses_even_when_the_rows_would_allow(tmp_path: Path) -> None:
    desk = a_desk(tmp_path, a_registration_policy(1))
    desk.sessions.add(a_session())
    with unit_of_work(desk.vault.engine) as connection:
        connection.execute(
            cap_counters.insert().values(
                subject="p1.someone", cap_scope="operator:cn-mobile", product_class="voice", active=1, cap=1
            )
        )
    assert codes(desk.register("SES-1", a_number())) == [RefusalCode.CAP_REACHED]
    assert count(desk, lines) == 0


def test_a_session_taken_by_another_registration_meanwhile_rolls_everything_back(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    desk.sessions.add(a_session("SES-busy"))
    with pytest.raises(Unavailable) as refused:
        desk.register("SES-busy", a_number())
    assert refused.value.code == "SESSION_IN_USE"
    assert (count(desk, lines), count(desk, cap_counters), count(desk, ledger_leaves)) == (0, 0, 0)


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
def test_the_database_itself_refuses_what_may_never_be(tmp_path: Path, change: sa.Update) -> None:
    desk = a_desk(tmp_path)
    for index in (1, 2):
        desk.sessions.add(a_session(f"SES-{index}"))
        desk.register(f"SES-{index}", a_number(index))
    with pytest.raises(IntegrityError), unit_of_work(desk.vault.engine) as connection:
        connection.execute(change)


def test_a_lowered_cap_refuses_and_breaks_nothing(tmp_path: Path) -> None:
    desk = a_desk(tmp_path, a_registration_policy(3))
    outcomes = []
    for index in range(3):
        desk.sessions.add(a_session(f"SES-{index}"))
        outcomes.append(desk.register(f"SES-{index}", a_number(index)))
    lowered = replace(desk, policy=a_registration_policy(2))
    desk.sessions.add(a_session("SES-3"))
    assert codes(lowered.register("SES-3", a_number(3))) == [RefusalCode.CAP_REACHED]
    terminate(desk, line_id(outcomes[0]))
    assert codes(lowered.register("SES-3", a_number(3))) == [RefusalCode.CAP_REACHED]
    terminate(desk, line_id(outcomes[1]))
    assert isinstance(lowered.register("SES-3", a_number(3)), LineRegistered)
