"""When a code is issued and when an answer confirms: the rules, each with its table."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.registrations.model.confirmation import CODE_GAP_SECONDS, CODES_MAX, IssuedCode
from shiming.registrations.rules.confirmation import (
    Answer,
    decide_answer,
    decide_issuing,
    decide_lines,
    decide_usable,
)
from tests.privacy.builders import NOW
from tests.registrations.confirmation_builders import ATTEMPTS, EXPIRED, POLICY, a_code


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
