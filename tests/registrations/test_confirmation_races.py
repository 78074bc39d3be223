"""Codes that are answered at once, and in any order: what is confirmed is what was last shown."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shiming.registrations.model.confirmation import CODE_GAP_SECONDS, Confirmed, NotConfirmed
from tests.databases import a_database
from tests.privacy.builders import NOW
from tests.registrations.builders import a_number
from tests.registrations.confirmation_builders import ATTEMPTS, unconfirmed, wrong_of
from tests.registrations.contract_builders import ContractDesk, a_contract_desk, an_order, codes_of


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[ContractDesk]:
    desk = a_contract_desk(tmp_path, database_url)
    desk.add(an_order())
    yield desk
    desk.desk.engine.dispose()


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
