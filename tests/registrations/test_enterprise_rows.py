"""Rules about rows of an import, about actual users and about links: tables and properties."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.jurisdictions.model import ProductClass
from shiming.registrations.model.enterprise_lines import (
    ActualUserLink,
    EnterpriseLine,
    EnterpriseLineState,
    ImportRules,
    NumberPool,
    PoolBlock,
    RowRefused,
    Taken,
    WantedLine,
)
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.numbers import NumberRange
from shiming.registrations.rules.actual_users import (
    SESSIONS_PER_LINK_MAX,
    decide_actual_user,
    decide_exit,
    decide_link,
    decide_link_session,
    has_what_it_needs,
)
from shiming.registrations.rules.enterprise_rows import content_of, decide_row, import_rules, read_row
from tests.privacy.builders import NOW
from tests.registrations.enterprise_builders import CONTRACT, OPERATOR, ORGANISATION, a_card, the_policy

FIRST, LAST = "+8613800000000", "+8613800009999"
MOBILE = PoolBlock(NumberRange(FIRST, LAST), LineKind.MOBILE, excluded=False)
RESERVED = PoolBlock(NumberRange("+8613800005000", "+8613800005999"), LineKind.MOBILE, excluded=True)
FIXED = PoolBlock(NumberRange("+861012340000", "+861012349999"), LineKind.FIXED, excluded=False)
RULES = import_rules((MOBILE, RESERVED, FIXED), the_policy(), "CN")
POLICY = the_policy()


def cells(**changes: str) -> dict[str, str]:
    row = {"number": FIRST, "kind": "mobile", "product": "voice", "user": "7", "contact": "", "iccid": ""}
    return row | changes


@pytest.mark.parametrize(
    ("changes", "column", "code"),
    [
        ({"kind": "telegraph"}, "kind", "KIND_UNKNOWN"),
        ({"number": "+8613900000000"}, "number", "NUMBER_OUTSIDE_POOL"),
        ({"number": "+8613800005001"}, "number", "NUMBER_EXCLUDED"),
        ({"number": "+861012340000"}, "number", "KIND_DIFFERS"),
        ({"number": "12"}, "number", "MSISDN_NOT_ASSIGNABLE"),
        ({"number": "staff"}, "number", "MSISDN_FORMAT"),
        ({"number": "+861380000000٠"}, "number", "NUMBER_OUTSIDE_POOL"),
        ({"product": "private_line"}, "product", "PRODUCT_NOT_OFFERED"),
        ({"product": "gold"}, "product", "PRODUCT_NOT_OFFERED"),
        ({"user": "x" * 81}, "user", "USER_REFERENCE_TOO_LONG"),
        ({"contact": "x" * 255}, "contact", "CONTACT_TOO_LONG"),
        ({"iccid": "89860112851234567890"}, "iccid", "ICCID_CHECK_DIGIT"),
        ({"iccid": "1"}, "iccid", "ICCID_FORMAT"),
    ],
)
def test_a_bad_cell_is_named(changes: dict[str, str], column: str, code: str) -> None:
    read = read_row(7, cells(**changes), RULES)
    if changes.get("number", "").endswith("٠"):  # other digits are read, never taken as they are
        assert read.number == FIRST if isinstance(read, WantedLine) else read.column == "number"
        return
    assert isinstance(read, RowRefused), read
    assert (read.row, read.column, read.code) == (7, column, code)
    assert not any(len(cell) > 4 and cell in str(read.to_json()) for cell in changes.values())


def test_a_line_without_a_card_has_none() -> None:
    fixed = ImportRules(RULES.pool, {"fixed": ProductClass.FIXED}, "CN")
    row = cells(number="+861012340000", kind="fixed", product="fixed", iccid=a_card(1))
    read = read_row(2, row, fixed)
    assert isinstance(read, RowRefused)
    assert read.code == "SIM_NOT_EXPECTED"


@pytest.mark.parametrize("text", [FIRST, "13800000000", "138 0000 0000", "+86 138-0000-0000"])
def test_a_number_is_read_in_every_way_to_write_it(text: str) -> None:
    read = read_row(2, cells(number=text, contact="a@example.net", iccid=a_card(3)), RULES)
    assert read == WantedLine(2, FIRST, "mobile", "voice", "7", "a@example.net", a_card(3))


TAKEN_BY_LINE = Taken("REG-1", None, None, None)
HELD = Taken(None, "reserved", "SES-1", NOW + timedelta(days=1))
WANTED = WantedLine(2, FIRST, "mobile", "voice", "7", "", None)
ENTERED = Taken(None, "reserved", ORGANISATION, NOW + timedelta(days=1), CONTRACT, content_of(WANTED))


@pytest.mark.parametrize(
    ("taken", "outcome"),
    [
        (None, True),
        (ENTERED, False),
        (Taken("REG-1", None, None, None, CONTRACT, content_of(WANTED)), False),
        (Taken(None, None, None, None, CONTRACT, ("other",)), "ROW_DIFFERS"),
        (Taken(None, None, None, None, "ENT-OTHER", content_of(WANTED)), "NUMBER_OF_OTHER_CONTRACT"),
        (TAKEN_BY_LINE, "NUMBER_TAKEN"),
        (HELD, "NUMBER_RESERVED"),
        (Taken(None, "reserved", "SES-1", NOW), True),  # ran out
        (Taken(None, "reserved", ORGANISATION, NOW + timedelta(days=1)), True),
        (Taken(None, "quarantine", None, NOW + timedelta(days=1)), "NUMBER_RESTING"),
    ],
)
def test_what_is_known_of_a_number_decides(taken: Taken | None, outcome: Any) -> None:
    decided = decide_row(WANTED, taken, contract=CONTRACT, organisation=ORGANISATION, now=NOW)
    assert (decided.code if isinstance(decided, RowRefused) else decided) == outcome


@given(st.integers(0, 99_999))
def test_the_pool_says_of_each_number_what_its_ranges_say(index: int) -> None:
    number = f"+8613800{index:06d}"
    inside, excluded = FIRST <= number <= LAST, "+8613800005000" <= number <= "+8613800005999"
    assert (RULES.pool.kind_of(number) is LineKind.MOBILE) is (inside and not excluded)
    assert RULES.pool.is_excluded(number) is excluded


@given(st.lists(st.integers(0, 30), min_size=0, max_size=8, unique=True), st.integers(0, 300))
def test_a_pool_of_many_ranges_finds_the_right_one(starts: list[int], index: int) -> None:
    blocks = [
        PoolBlock(
            NumberRange(f"+86138000{at:02d}000", f"+86138000{at:02d}004"), LineKind.MOBILE, excluded=False
        )
        for at in starts
    ]
    number = f"+86138000{index // 10:02d}00{index % 10}"
    wanted = index // 10 in starts and index % 10 <= 4
    assert (NumberPool(blocks).kind_of(number) is LineKind.MOBILE) is wanted
    assert NumberPool(blocks).kind_of("+1") is None


def a_link(**changes: Any) -> ActualUserLink:
    values: dict[str, Any] = {
        "token_hash": "h",
        "number": FIRST,
        "contract_id": CONTRACT,
        "operator": OPERATOR,
        "made_at": NOW,
        "expires_at": NOW + timedelta(days=14),
    }
    return ActualUserLink(**values | changes)


@pytest.mark.parametrize(
    ("link", "codes"),
    [
        (None, ["ACTUAL_USER_LINK_UNKNOWN"]),
        (a_link(closed_at=NOW), ["ACTUAL_USER_LINK_USED"]),
        (a_link(expires_at=NOW), ["ACTUAL_USER_LINK_EXPIRED"]),
        (a_link(made_at=NOW + timedelta(seconds=1)), ["ACTUAL_USER_LINK_EXPIRED"]),
        (a_link(), []),
    ],
)
def test_a_link_works_or_says_why_not(link: ActualUserLink | None, codes: list[str]) -> None:
    assert [each.code.value for each in decide_link(link, POLICY, now=NOW)] == codes


@pytest.mark.parametrize("confirmed", [True, False])
@pytest.mark.parametrize("sessions", [0, SESSIONS_PER_LINK_MAX])
def test_a_session_needs_a_yes_and_an_attempt_left(sessions: int, confirmed: bool) -> None:
    refusals = decide_link_session(a_link(sessions=sessions), POLICY, confirmed=confirmed)
    assert bool(refusals) is (sessions > 0 or not confirmed)
    assert all(refusal.citation == POLICY.enterprise.link_days.citation for refusal in refusals)


@given(st.sampled_from([None, *EnterpriseLineState]), st.integers(0, 20))
def test_a_user_is_taken_exactly_for_a_line_that_waits_and_below_the_limit(
    state: EnterpriseLineState | None, lines: int
) -> None:
    refusals = decide_actual_user(state, lines_of_user=lines, policy=POLICY)
    waits = state in {EnterpriseLineState.AWAITING, EnterpriseLineState.VACATED}
    assert bool(refusals) is not (waits and lines < POLICY.enterprise.lines_per_actual_user_max.value)


@given(st.sampled_from([None, *EnterpriseLineState]))
def test_only_who_uses_a_line_can_leave_it(state: EnterpriseLineState | None) -> None:
    assert bool(decide_exit(state, POLICY)) is (state is not EnterpriseLineState.REGISTERED)


@pytest.mark.parametrize(
    ("kind", "iccid", "line_id", "ready"),
    [
        (LineKind.MOBILE, None, None, False),
        (LineKind.MOBILE, a_card(1), None, True),
        (LineKind.MOBILE, None, "REG-1", True),
        (LineKind.FIXED, None, None, True),
    ],
)
def test_a_line_has_what_a_registration_needs(
    kind: LineKind, iccid: str | None, line_id: str | None, *, ready: bool
) -> None:
    line = EnterpriseLine(
        FIRST, OPERATOR, CONTRACT, ORGANISATION, kind, ProductClass.VOICE, "7",
        EnterpriseLineState.AWAITING, NOW, iccid=iccid, line_id=line_id,
    )  # fmt: skip
    assert has_what_it_needs(line, POLICY) is ready
