"""The customer confirms one line and its number: a code is good once, for what it was made for."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.outbox import outbox
from shiming.privacy.model import LedgerVerified
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.model.confirmation import (
    CODE_GAP_SECONDS,
    CODES_MAX,
    CodeIssued,
    ConfirmationShown,
    Confirmed,
    ContractConfirmation,
    NotConfirmed,
)
from shiming.registrations.model.orders import ConfirmationMethod, LineConfirmation
from shiming.registrations.use_cases import confirmations
from shiming.registrations.use_cases.contract_confirmations import (
    confirm_contract_lines,
    find_contract_confirmation,
    issue_contract_code,
)
from shiming.vocabulary.errors import BadInput
from tests.databases import everything_in
from tests.privacy.builders import NOW
from tests.registrations.builders import a_number, a_session
from tests.registrations.confirmation_builders import ATTEMPTS, EXPIRED, LATER, POLICY, unconfirmed, wrong_of
from tests.registrations.contract_builders import (
    OPERATOR,
    SESSION,
    ContractDesk,
    a_contract_desk,
    an_order,
    codes_of,
)
from tests.registrations.enterprise_builders import (
    CONTRACT,
    HANDLER_SESSION,
    a_card,
    a_row,
    an_enterprise,
    some_numbers,
)


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[ContractDesk]:
    desk = a_contract_desk(tmp_path, database_url)
    desk.add(an_order())
    yield desk
    desk.desk.engine.dispose()


def test_the_right_code_confirms_this_number_and_one_line(desk: ContractDesk) -> None:
    issued = desk.issued()
    assert len(issued.code) == POLICY.confirmation_digits.value
    assert desk.order().confirmation is None
    outcome = desk.confirm(issued.code)
    assert isinstance(outcome, Confirmed)
    assert (outcome.matter.lines, outcome.method) == (1, ConfirmationMethod.READ_BACK)
    assert desk.order().confirmation == LineConfirmation(a_number(), ConfirmationMethod.READ_BACK, NOW)
    assert unconfirmed(desk) == []
    assert codes_of(desk.confirm(issued.code)) == ["CONFIRMATION_CODE_USED"]
    assert codes_of(desk.confirm_on_device(issued.link_token)) == ["CONFIRMATION_CODE_USED"]
    with reading(desk.desk.engine) as connection:
        told = connection.execute(sa.select(outbox.c.type, outbox.c.facts)).all()
    assert [(each.type, "13800000000" in each.facts) for each in told] == [("confirmation.given", False)]
    assert isinstance(verify_ledger(desk.desk.engine, desk.desk.vault.keys), LedgerVerified)


def test_a_wrong_code_costs_an_attempt_and_the_last_one_the_code(desk: ContractDesk) -> None:
    code = desk.issued().code
    for left in reversed(range(ATTEMPTS)):
        outcome = desk.confirm(wrong_of(code))
        assert codes_of(outcome) == ["CONFIRMATION_CODE_WRONG"]
        assert isinstance(outcome, NotConfirmed)
        assert outcome.attempts_left == left
    assert codes_of(desk.confirm(code)) == ["CONFIRMATION_ATTEMPTS_USED_UP"]
    assert codes_of(desk.confirm(wrong_of(code))) == ["CONFIRMATION_ATTEMPTS_USED_UP"]
    fresh = desk.issued(now=LATER)
    assert isinstance(desk.confirm(fresh.code, now=LATER), Confirmed)


def test_a_code_expires_and_none_was_sent(desk: ContractDesk) -> None:
    assert codes_of(desk.confirm("123456")) == ["CONFIRMATION_CODE_MISSING"]
    code = desk.issued().code
    assert codes_of(desk.confirm(code, now=EXPIRED)) == ["CONFIRMATION_CODE_EXPIRED"]
    assert isinstance(desk.confirm(code, now=EXPIRED - timedelta(seconds=1)), Confirmed)


def test_a_new_code_voids_the_one_before_and_its_confirmation(desk: ContractDesk) -> None:
    first = desk.issued()
    assert codes_of(desk.issue()) == ["CONFIRMATION_CODE_TOO_SOON"]
    second = desk.issued(now=LATER)
    assert codes_of(desk.confirm(first.code, now=LATER)) == ["CONFIRMATION_CODE_WRONG"]
    assert codes_of(desk.confirm_on_device(first.link_token, now=LATER)) == ["CONFIRMATION_CODE_MISSING"]
    assert isinstance(desk.confirm(second.code, now=LATER), Confirmed)
    desk.issued(now=LATER + timedelta(seconds=CODE_GAP_SECONDS))
    assert desk.order().confirmation is None


def test_codes_of_one_order_are_numbered(desk: ContractDesk) -> None:
    now = NOW
    for _ in range(CODES_MAX):
        desk.issued(now=now)
        now += timedelta(seconds=CODE_GAP_SECONDS)
    assert codes_of(desk.issue(now=now)) == ["CONFIRMATION_CODES_TOO_MANY"]


def test_another_number_is_neither_confirmed_nor_opened_by_the_code_of_the_first(desk: ContractDesk) -> None:
    issued = desk.issued()
    desk.choose(a_number(1))
    assert codes_of(desk.confirm(issued.code)) == ["CONFIRMATION_OF_OTHER_LINE"]
    assert codes_of(desk.confirm_on_device(issued.link_token)) == ["CONFIRMATION_OF_OTHER_LINE"]
    desk.choose(a_number())
    assert isinstance(desk.confirm(issued.code), Confirmed)
    desk.choose(a_number(1))
    assert unconfirmed(desk) == ["OTHER_LINE_CONFIRMED"]


def test_the_link_shows_the_code_and_confirms_on_the_device(desk: ContractDesk) -> None:
    issued = desk.issued()
    shown = transact(
        desk.desk.engine,
        lambda connection: confirmations.show_confirmation(
            desk.desk.tools, connection, issued.link_token, policy=POLICY, now=NOW
        ),
    )
    assert shown == ConfirmationShown(issued.matter, issued.code, EXPIRED)
    said = issued.matter.sentence()
    assert (said.en, "1 条线路" in said.zh) == (f"1 new line, number {a_number().reveal('test')}.", True)
    assert isinstance(desk.confirm_on_device(issued.link_token), Confirmed)
    assert desk.order().confirmation == LineConfirmation(a_number(), ConfirmationMethod.OWN_DEVICE, NOW)
    assert codes_of(desk.confirm_on_device(issued.link_token[::-1])) == ["CONFIRMATION_CODE_MISSING"]


def test_no_code_for_no_order_no_number_or_a_completed_order(desk: ContractDesk) -> None:
    with pytest.raises(BadInput, match="ORDER_UNKNOWN"):
        desk.issue("SES-9")
    desk.add(replace(an_order("SES-2"), identifier=None))
    assert codes_of(desk.issue("SES-2")) == ["CONFIRMATION_IDENTIFIER_MISSING"]
    issued = desk.issued()
    desk.desk.sessions.add(a_session(SESSION))
    desk.desk.register(SESSION, a_number(), operator=OPERATOR)
    assert codes_of(desk.confirm(issued.code)) == ["ORDER_COMPLETED"]
    assert codes_of(desk.confirm_on_device(issued.link_token)) == ["ORDER_COMPLETED"]
    assert "ORDER_COMPLETED" in codes_of(desk.issue(now=LATER))


def test_neither_code_nor_token_is_kept_or_shown(desk: ContractDesk) -> None:
    issued = desk.issued()
    desk.confirm(wrong_of(issued.code))
    kept = everything_in(desk.desk.engine)
    assert issued.link_token.encode() not in kept
    assert f"'{issued.code}'".encode() not in kept
    for secret in (issued.code, issued.link_token, a_number().reveal("test")):
        assert secret not in repr(issued)


def test_the_code_of_one_order_confirms_no_other(desk: ContractDesk) -> None:
    desk.add(an_order("SES-2", a_number(1)))
    first, second = desk.issued(), desk.issued("SES-2")
    crossed = {*codes_of(desk.confirm(first.code, "SES-2")), *codes_of(desk.confirm(second.code))}
    assert crossed == {"CONFIRMATION_CODE_WRONG"}


def test_a_handler_confirms_the_count_of_a_contract(tmp_path: Path, database_url: str) -> None:
    enterprise = an_enterprise(tmp_path, database_url, lines=3)
    enterprise.entered(2)
    tools, engine = enterprise.tools, enterprise.engine

    def issue(lines: int, now: datetime = NOW) -> CodeIssued | NotConfirmed:
        return transact(
            engine,
            lambda connection: issue_contract_code(
                tools, connection, CONTRACT, lines, policy=POLICY, now=now
            ),
        )

    def confirm(lines: int, code: str, now: datetime = NOW) -> Confirmed | NotConfirmed:
        return transact(
            engine,
            lambda connection: confirm_contract_lines(
                tools, connection, CONTRACT, lines, code, policy=POLICY, now=now
            ),
        )

    assert codes_of(issue(1)) == ["LINES_FEWER_THAN_ENTERED"]
    issued = issue(20)
    assert isinstance(issued, CodeIssued)
    assert issued.matter.sentence().en.endswith(": 20.")
    assert codes_of(confirm(21, issued.code)) == ["CONFIRMATION_OF_OTHER_LINE"]
    assert isinstance(confirm(20, issued.code), Confirmed)
    assert codes_of(confirm(20, issued.code)) == ["CONFIRMATION_CODE_USED"]
    assert enterprise.contract().lines_confirmed == 20
    with reading(engine) as connection:
        said = find_contract_confirmation(connection, CONTRACT)
        assert find_contract_confirmation(connection, "ENT-2") is None
    method = ConfirmationMethod.READ_BACK
    assert said == ContractConfirmation(CONTRACT, HANDLER_SESSION, 20, method, NOW)
    fewer = issue(2, LATER)
    assert isinstance(fewer, CodeIssued)
    enterprise.bring(
        [a_row(next(some_numbers(1, 7)), 7, iccid=a_card(7))]
    )  # meanwhile a third line is entered
    on_device = transact(
        engine,
        lambda connection: confirmations.confirm_on_device(
            tools, connection, fewer.link_token, policy=POLICY, now=LATER
        ),
    )
    assert codes_of(on_device) == ["LINES_FEWER_THAN_ENTERED"]
    assert enterprise.contract().lines_confirmed == 20
    with pytest.raises(BadInput, match="CONTRACT_UNKNOWN"):
        transact(
            engine,
            lambda connection: issue_contract_code(tools, connection, "ENT-9", 1, policy=POLICY, now=NOW),
        )
    engine.dispose()
