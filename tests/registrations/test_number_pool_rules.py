"""Rules of the number pool as tables and properties; no database."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.numbers import (
    ORGANISATION_RESERVATIONS_MAX,
    SESSION_RESERVATIONS_MAX,
    NewBlock,
    NumberBlock,
    NumberFacts,
    NumberHold,
    NumberRange,
    NumberState,
    read_ending,
    read_holder,
    read_operator,
)
from shiming.registrations.rules.number_pool import (
    decide_block,
    decide_number_given,
    decide_reservation,
    is_kept_for,
    numbers_in,
    quarantined_until,
    reserved_until,
    state_of,
    without,
)
from shiming.vocabulary.errors import BadInput
from tests.privacy.builders import NOW
from tests.registrations.stock_builders import the_rules

MINUTE = timedelta(minutes=1)
HERE, THERE = "north", "south"
FREE = NumberFacts(HERE, LineKind.MOBILE)


def held(
    state: NumberState = NumberState.RESERVED, held_for: str | None = "SES-1", left: timedelta = MINUTE
) -> NumberHold:
    return NumberHold(state, HERE, held_for, NOW + left)


def facts(
    *, operator: str | None = HERE, excluded: bool = False, line: str | None = None, hold: NumberHold | None
) -> NumberFacts:
    return NumberFacts(operator, LineKind.MOBILE if operator else None, excluded, line, hold)


rests = held(NumberState.QUARANTINE, None)
any_facts = st.builds(
    facts,
    operator=st.sampled_from([HERE, THERE, None]),
    excluded=st.booleans(),
    line=st.sampled_from([None, "REG-1"]),
    hold=st.sampled_from([None, held(), held(left=-MINUTE), held(left=timedelta()), rests]),
)


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (FREE, NumberState.FREE),
        (NumberFacts(), NumberState.OUTSIDE),
        (facts(hold=held()), NumberState.RESERVED),
        (facts(hold=held(left=timedelta())), NumberState.FREE),
        (facts(hold=rests), NumberState.QUARANTINE),
        (facts(excluded=True, hold=rests), NumberState.EXCLUDED),
        (facts(excluded=True, line="REG-1", hold=rests), NumberState.IN_SERVICE),
        (facts(operator=None, line="REG-1", hold=None), NumberState.IN_SERVICE),
        (facts(operator=None, hold=rests), NumberState.OUTSIDE),
    ],
)
def test_a_number_is_in_one_state(found: NumberFacts, state: NumberState) -> None:
    assert state_of(found, NOW) is state


def may_have(
    found: NumberFacts, *, operator: str = HERE, kind: LineKind | None = None, to: str = "SES-1"
) -> str | None:
    refused = decide_number_given(
        found, operator=operator, kind=kind, holders=(to,), now=NOW, citation="project:numbers"
    )
    return None if refused is None else refused.code.value


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (FREE, None),
        (NumberFacts(), "NUMBER_NOT_IN_POOL"),
        (facts(operator=THERE, hold=None), "NUMBER_NOT_IN_POOL"),
        (facts(operator=THERE, line="REG-1", hold=None), "NUMBER_TAKEN"),
        (facts(excluded=True, hold=None), "NUMBER_EXCLUDED"),
        (facts(line="REG-1", hold=None), "NUMBER_TAKEN"),
        (facts(hold=held()), None),
        (facts(hold=held(held_for="SES-2")), "NUMBER_RESERVED"),
        (facts(hold=held(held_for="SES-2", left=-MINUTE)), None),
        (facts(hold=rests), "NUMBER_RESTING"),
    ],
)
def test_who_may_have_a_number(found: NumberFacts, code: str | None) -> None:
    assert may_have(found) == code


def test_a_number_is_for_its_kind_of_line() -> None:
    assert may_have(FREE, kind=LineKind.MOBILE) is None
    assert may_have(FREE, kind=LineKind.FIXED) == "NUMBER_NOT_IN_POOL"


@pytest.mark.parametrize("found", [facts(hold=held(held_for=None)), facts(hold=rests)])
def test_what_is_kept_for_nobody_named_is_given_to_nobody(found: NumberFacts) -> None:
    assert may_have(found) is not None


@pytest.mark.parametrize(
    ("held_for", "most"), [("SES-1", SESSION_RESERVATIONS_MAX), ("ORG-1", ORGANISATION_RESERVATIONS_MAX)]
)
def test_nobody_hoards_numbers(held_for: str, most: int) -> None:
    def codes(found: NumberFacts, count: int) -> list[str]:
        refusals = decide_reservation(
            found, operator=HERE, held_for=held_for, held=count, now=NOW, policy=the_rules()
        )
        return [refusal.code.value for refusal in refusals]

    assert codes(FREE, most - 1) == []
    assert codes(FREE, most) == ["RESERVATIONS_TOO_MANY"]
    assert codes(facts(hold=held(held_for=held_for)), most) == []
    assert codes(facts(excluded=True, hold=None), most) == ["NUMBER_EXCLUDED", "RESERVATIONS_TOO_MANY"]


def test_the_pack_says_how_long() -> None:
    rules = the_rules().numbering
    assert reserved_until("SES-1", NOW, the_rules()) == NOW + rules.reservation_minutes.value * MINUTE
    days = timedelta(days=rules.organisation_reservation_days.value)
    assert reserved_until("ORG-1", NOW, the_rules()) == NOW + days
    assert quarantined_until(NOW, the_rules()) == NOW + timedelta(days=rules.quarantine_days.value)


@pytest.mark.parametrize(
    ("hold", "kept"),
    [(None, False), (held(), True), (held(held_for="SES-2"), False), (held(left=-MINUTE), False)],
)
def test_kept_for_this_one(hold: NumberHold | None, *, kept: bool) -> None:
    assert is_kept_for(facts(hold=hold), "SES-1", NOW) is kept


# -- blocks


def a_block(first: str, last: str, operator: str = HERE, *, excluded: bool = False) -> NumberBlock:
    return NumberBlock("RNG-1", operator, NumberRange(first, last), LineKind.MOBILE, excluded, NOW)


BLOCK = a_block("+86100000", "+86100999")


@pytest.mark.parametrize(
    ("new", "same", "below", "codes"),
    [
        (("+86101000", "+86101999"), BLOCK, None, []),
        (("+86101000", "+86101999"), None, None, []),
        (("+86100500", "+86101999"), BLOCK, None, ["BLOCK_OVERLAPS"]),
        (("+86100500", "+86101999"), a_block("+86100000", "+86100999", THERE), None,
         ["BLOCK_OF_OTHER_OPERATOR"]),
        (("+861005000", "+861019990"), BLOCK, None, []),
    ],
)  # fmt: skip
def test_a_block_overlaps_none(
    new: tuple[str, str], same: NumberBlock | None, below: NumberBlock | None, codes: list[str]
) -> None:
    decision = decide_block(NewBlock(HERE, NumberRange(*new), LineKind.MOBILE), same, below, "project:x")
    assert isinstance(decision, tuple)
    assert [refusal.code.value for refusal in decision] == codes


def test_the_same_block_again_is_found() -> None:
    assert decide_block(NewBlock(HERE, BLOCK.range, LineKind.MOBILE), BLOCK, None, "project:x") is BLOCK
    other_kind = decide_block(NewBlock(HERE, BLOCK.range, LineKind.FIXED), BLOCK, None, "project:x")
    assert isinstance(other_kind, tuple)
    assert [refusal.code.value for refusal in other_kind] == ["BLOCK_OVERLAPS"]


@pytest.mark.parametrize(
    ("first", "last", "below", "allowed"),
    [
        ("+86100100", "+86100199", BLOCK, True),
        ("+86100100", "+86101099", BLOCK, False),
        ("+86100100", "+86100199", a_block("+86100000", "+86100999", THERE), False),
        ("+86100100", "+86100199", None, False),
    ],
)
def test_an_exclusion_lies_in_one_block(
    first: str, last: str, below: NumberBlock | None, *, allowed: bool
) -> None:
    new = NewBlock(HERE, NumberRange(first, last), LineKind.MOBILE, excluded=True)
    decision = decide_block(new, None, below, "project:x")
    assert (decision == ()) is allowed


small = st.integers(1000, 1200)


@st.composite
def cuts(draw: st.DrawFn) -> tuple[NumberRange, list[NumberRange]]:
    """A range, and exclusions in order that do not overlap; some lie outside of it."""
    first, last = sorted((draw(small), draw(small)))
    ends = sorted(draw(st.lists(small, unique=True, max_size=8)))
    parts = [NumberRange(f"+{a}", f"+{b}") for a, b in zip(ends[::2], ends[1::2], strict=False)]
    return NumberRange(f"+{first}", f"+{last}"), parts


def numbers_of(part: NumberRange) -> set[int]:
    return set(range(int(part.first), int(part.last) + 1))


@given(cuts())
def test_what_is_left_of_a_range_is_it_without_the_exclusions(
    whole_and_parts: tuple[NumberRange, list[NumberRange]],
) -> None:
    whole, parts = whole_and_parts
    left = list(without(whole, parts))
    numbers = [number for part in left for number in sorted(numbers_of(part))]
    assert numbers == sorted(numbers_of(whole).difference(*map(numbers_of, parts)))


@given(small, small, st.integers(0, 99), st.integers(0, 2))
def test_numbers_with_an_ending_are_those_that_end_so(one: int, other: int, end: int, digits: int) -> None:
    first, last = sorted((one, other))
    ending = f"{end:02d}"[2 - digits :]
    found = list(numbers_in(NumberRange(f"+{first}", f"+{last}"), ending))
    assert found == [f"+{n}" for n in range(first, last + 1) if f"{n}".endswith(ending)]


@given(any_facts, st.sampled_from([HERE, THERE]), st.sampled_from(["SES-1", "SES-2"]))
def test_nobody_is_given_what_is_not_free_or_kept_for_them(
    found: NumberFacts, operator: str, to: str
) -> None:
    state = state_of(found, NOW)
    if may_have(found, operator=operator, to=to) is None:
        assert found.operator == operator
        assert state is NumberState.FREE or is_kept_for(found, to, NOW)


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [
        ("+861380000xxxx", "", None),
        ("+86 138 0000 0000", "+86-138-0000-9999", None),
        ("+8613800000000", "", None),
        ("8613800000000", "", "RANGE_FORMAT"),
        ("+8613800000000", "+861380000999", "RANGE_FORMAT"),
        ("+861380000xxxx", "+8613800009999", "RANGE_FORMAT"),
        ("+8613800009999", "+8613800000000", "RANGE_ORDER"),
        ("", "", "RANGE_FORMAT"),
        ("中国", "", "RANGE_FORMAT"),
    ],
)
def test_a_range_as_it_is_typed(first: str, last: str, code: str | None) -> None:
    if code is None:
        assert NumberRange.parse(first, last).first == "+8613800000000"
        return
    with pytest.raises(BadInput, match=code):
        NumberRange.parse(first, last)


def test_references_and_endings_are_read() -> None:
    assert (read_operator(HERE), read_holder("ORG-1"), read_ending("")) == (HERE, "ORG-1", "")
    assert NumberRange("+8610", "+8619").size == 10
    assert NumberRange("+8610", "+8619").at(9) == "+8619"
    for read, text in (
        (read_operator, "N"),
        (read_holder, "REG-1"),
        (read_ending, "x"),
        (read_ending, "1" * 9),
    ):
        with pytest.raises(BadInput):
            read(text)
