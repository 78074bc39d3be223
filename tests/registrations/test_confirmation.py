"""The customer confirms one line and its number: a code is good once, for what it was made for."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
    IssuedCode,
    NotConfirmed,
)
from shiming.registrations.model.orders import ConfirmationMethod, LineConfirmation
from shiming.registrations.model.registration import PoolNumber
from shiming.registrations.rules.confirmation import (
    Answer,
    decide_answer,
    decide_issuing,
    decide_lines,
    decide_usable,
)
from shiming.registrations.rules.entry import decide_entry
from shiming.registrations.use_cases import confirmations
from shiming.registrations.use_cases.contract_confirmations import (
    confirm_contract_lines,
    find_contract_confirmation,
    issue_contract_code,
)
from shiming.vocabulary.errors import BadInput
from tests.databases import a_database, everything_in
from tests.privacy.builders import NOW
from tests.registrations.builders import a_number, a_session
from tests.registrations.contract_builders import (
    OPERATOR,
    SESSION,
    ContractDesk,
    a_contract_desk,
    a_contract_policy,
    an_order,
    codes_of,
    the_policy,
)
from tests.registrations.enterprise_builders import (
    CONTRACT,
    HANDLER_SESSION,
    a_card,
    a_row,
    an_enterprise,
    some_numbers,
)

POLICY = a_contract_policy()
ATTEMPTS = POLICY.confirmation_attempts_max.value
LATER = NOW + timedelta(seconds=CODE_GAP_SECONDS)
EXPIRED = NOW + timedelta(minutes=POLICY.confirmation_minutes.value)


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[ContractDesk]:
    desk = a_contract_desk(tmp_path, database_url)
    desk.add(an_order())
    yield desk
    desk.desk.engine.dispose()


def a_code(**changed: object) -> IssuedCode:
    code = IssuedCode(SESSION, OPERATOR, 1, SESSION, "k:1", "k:2", "l", NOW, EXPIRED, issued=1)
    return replace(code, **changed)  # type: ignore[arg-type] # names of fields with their values


def wrong_of(code: str) -> str:
    return code[:-1] + str((int(code[-1]) + 1) % 10)


@pytest.mark.parametrize(
    ("former", "chosen", "completed", "seconds", "codes"),
    [
        (None, True, False, 0, []),
        (None, False, False, 0, ["CONFIRMATION_IDENTIFIER_MISSING"]),
        (None, False, True, 0, ["ORDER_COMPLETED", "CONFIRMATION_IDENTIFIER_MISSING"]),
        (a_code(), True, False, CODE_GAP_SECONDS, []),
        (a_code(), True, False, CODE_GAP_SECONDS - 1, ["CONFIRMATION_CODE_TOO_SOON"]),
        (a_code(issued=CODES_MAX), True, False, 999, ["CONFIRMATION_CODES_TOO_MANY"]),
    ],
)
def test_when_a_code_is_issued(
    former: IssuedCode | None, *, chosen: bool, completed: bool, seconds: int, codes: list[str]
) -> None:
    now = NOW + timedelta(seconds=seconds)
    found = decide_issuing(former, POLICY, identifier_chosen=chosen, completed=completed, now=now)
    assert [each.code.value for each in found] == codes


@pytest.mark.parametrize(
    ("issued", "covers", "right", "completed", "codes"),
    [
        (a_code(), True, True, False, []),
        (a_code(), True, False, False, ["CONFIRMATION_CODE_WRONG"]),
        (None, False, False, False, ["CONFIRMATION_CODE_MISSING"]),
        (None, False, False, True, ["ORDER_COMPLETED", "CONFIRMATION_CODE_MISSING"]),
        (a_code(), False, True, False, ["CONFIRMATION_OF_OTHER_LINE"]),
        (a_code(used_at=NOW), True, True, False, ["CONFIRMATION_CODE_USED"]),
        (a_code(expires_at=NOW), True, True, False, ["CONFIRMATION_CODE_EXPIRED"]),
        (a_code(wrong=ATTEMPTS), True, True, False, ["CONFIRMATION_ATTEMPTS_USED_UP"]),
        (
            a_code(wrong=ATTEMPTS, expires_at=NOW),
            False,
            False,
            True,
            [
                "ORDER_COMPLETED",
                "CONFIRMATION_CODE_EXPIRED",
                "CONFIRMATION_ATTEMPTS_USED_UP",
                "CONFIRMATION_OF_OTHER_LINE",
            ],
        ),
    ],
)
def test_when_an_answer_confirms(
    issued: IssuedCode | None, *, covers: bool, right: bool, completed: bool, codes: list[str]
) -> None:
    found = decide_answer(issued, Answer(covers, right), POLICY, completed=completed, now=NOW)
    assert [each.code.value for each in found] == codes


@given(st.integers(0, 9), st.booleans(), st.booleans(), st.integers(0, 3600))
def test_only_a_fresh_unused_code_for_this_line_can_confirm(
    wrong: int, used: bool, covers: bool, seconds: int
) -> None:
    code = a_code(wrong=wrong, used_at=NOW if used else None)
    now = NOW + timedelta(seconds=seconds)
    usable = decide_usable(code, POLICY, covers_this=covers, completed=False, now=now) == ()
    assert usable == (wrong < ATTEMPTS and not used and covers and now < EXPIRED)


@given(st.integers(1, 30), st.integers(0, 30))
def test_a_handler_confirms_the_total_of_a_contract(lines: int, entered: int) -> None:
    assert (decide_lines(lines, entered, POLICY) == ()) == (lines >= entered)


def unconfirmed(desk: ContractDesk) -> list[str]:
    """Why the order's number cannot be registered, as far as its confirmation is concerned."""
    order = desk.order()
    assert order.identifier is not None
    found = decide_entry(
        order, order.identifier, the_policy(), identity_recorded=True, pool=PoolNumber(), now=NOW
    )
    return [each.code.value for each in found if "CONFIRMED" in each.code]


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


def test_of_the_same_code_sent_many_times_at_once_one_confirms(desk: ContractDesk) -> None:
    code = desk.issued().code
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: desk.confirm(code), range(16)))
    refused = [codes_of(each) for each in outcomes if isinstance(each, NotConfirmed)]
    assert refused == [["CONFIRMATION_CODE_USED"]] * 15


def test_attempts_made_at_once_are_all_counted(desk: ContractDesk) -> None:
    code = desk.issued().code
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: desk.confirm(wrong_of(code)), range(16)))
    assert sum(codes_of(each) == ["CONFIRMATION_CODE_WRONG"] for each in outcomes) == ATTEMPTS
    assert codes_of(desk.confirm(code)) == ["CONFIRMATION_ATTEMPTS_USED_UP"]


@pytest.mark.parametrize("round_", range(4))
def test_a_number_that_changes_while_it_is_confirmed_is_never_a_second_one(
    desk: ContractDesk, round_: int
) -> None:
    code = desk.issued().code
    with ThreadPoolExecutor(4) as pool:
        confirmed = [pool.submit(desk.confirm, code) for _ in range(1 + round_ % 2)]
        changed = pool.submit(desk.choose, a_number(1))
        again = [pool.submit(desk.confirm, code) for _ in range(2)]
        outcomes = [each.result() for each in (*confirmed, *again)]
        changed.result()
    given = [each for each in outcomes if isinstance(each, Confirmed)]
    assert len(given) <= 1
    assert {each.matter.identifier for each in given} <= {a_number()}
    assert unconfirmed(desk) != []  # the order names the second number now


@contextmanager
def a_fresh_desk() -> Iterator[ContractDesk]:
    with TemporaryDirectory() as name, a_database("sqlite", Path(name) / "database") as url:
        folder = Path(name) / "desk"
        folder.mkdir(mode=0o700)
        desk = a_contract_desk(folder, url)
        desk.add(an_order())
        yield desk
        desk.desk.engine.dispose()


STEPS = st.lists(
    st.sampled_from(["issue", "right", "old", "wrong", "yes", "first", "second"]), min_size=3, max_size=9
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_whatever_is_done_what_is_confirmed_is_what_the_customer_was_last_shown(steps: list[str]) -> None:
    with a_fresh_desk() as desk:
        shown = confirmed = None
        codes: list[tuple[str, str]] = []
        chosen, now = a_number(), NOW
        for step in steps:
            now += timedelta(seconds=CODE_GAP_SECONDS)
            outcome: object = None
            match step:
                case "issue":
                    outcome = desk.issue(now=now)
                    if not isinstance(outcome, NotConfirmed):
                        codes.append((outcome.code, outcome.link_token))
                        shown, confirmed = chosen, None
                case "first" | "second":
                    chosen = a_number(step == "second")
                    desk.choose(chosen)
                case _ if codes:
                    code, token = codes[0 if step == "old" else -1]
                    if step == "yes":
                        outcome = desk.confirm_on_device(token, now=now)
                    else:
                        outcome = desk.confirm(wrong_of(code) if step == "wrong" else code, now=now)
            if isinstance(outcome, Confirmed):
                assert confirmed is None
                assert outcome.matter.identifier == shown == chosen
                assert step != "wrong"
                confirmed = shown
        assert (unconfirmed(desk) == []) == (confirmed is not None and confirmed == chosen)
