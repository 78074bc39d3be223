import string
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.identity_numbers.cn import (
    ResidentIdentityNumber,
    check_character,
    problems_of,
)

DIVISIONS = ("110105", "310101", "440305", "510104", "650102", "810000", "820000", "830000")
births = st.dates(date(1900, 1, 1), date(2026, 11, 22))


@st.composite
def numbers(draw: st.DrawFn) -> str:
    birth = draw(births)
    division = draw(st.sampled_from(DIVISIONS))
    assume(division != "440305" or birth.year > 1990)
    first = f"{division}{birth:%Y%m%d}{draw(st.integers(0, 999)):03}"
    return first + check_character(first)


@given(numbers())
def test_a_right_number_has_no_problems_and_tells_its_parts(text: str) -> None:
    assert problems_of(text) == ()
    number = ResidentIdentityNumber.parse(text)
    assert number.reveal("test") == text
    assert f"{number.birth_date:%Y%m%d}" == text[6:14]
    assert number.sex == ("male" if text[16] in "13579" else "female")
    assert number.division == text[:6]
    assert number.division_name
    assert number.is_residence_permit == text.startswith("8")


@given(numbers(), st.integers(0, 17), st.sampled_from(string.digits + "X"))
def test_every_wrong_character_is_found(text: str, position: int, character: str) -> None:
    assume(character != text[position])
    assert problems_of(text[:position] + character + text[position + 1 :])


@given(numbers(), st.integers(0, 16))
def test_every_swap_of_neighbours_is_found(text: str, position: int) -> None:
    swapped = text[:position] + text[position + 1] + text[position] + text[position + 2 :]
    assume(swapped != text)
    assert problems_of(swapped)


@given(st.text(max_size=25) | st.from_regex(r"[0-9]{17}[0-9Xx]", fullmatch=True))
def test_any_text_is_a_number_or_bad_input(text: str) -> None:
    problems = problems_of(text)
    with suppress(BadInput):
        ResidentIdentityNumber.parse(text)
        assert not problems


@given(numbers())
def test_a_number_shows_itself_masked(text: str) -> None:
    number = ResidentIdentityNumber.parse(text)
    for shown in (str(number), repr(number), f"{number}", f"{[number]}"):
        assert text[6:14] not in shown
        assert text not in shown
    with pytest.raises(ValueError, match="purpose"):
        number.reveal("")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("110105491231002", "ID_NUMBER_FIFTEEN_DIGITS"),
        ("", "ID_NUMBER_LENGTH"),
        ("1101051949123100", "ID_NUMBER_LENGTH"),
        ("11010519491231002Y", "ID_NUMBER_CHARACTERS"),
        ("1101O519491231002X", "ID_NUMBER_CHARACTERS"),
        ("1101051949123100٢X", "ID_NUMBER_CHARACTERS"),
        ("999999194912310028", "ID_NUMBER_DIVISION"),
        ("990000194912310028", "ID_NUMBER_DIVISION"),
        ("110105194902290026", "ID_NUMBER_BIRTH_DATE"),
        ("110105194912310021", "ID_NUMBER_CHECK_CHARACTER"),
        ("420527198311115319", "ID_NUMBER_CHECK_CHARACTER"),
    ],
)
def test_each_problem_has_its_code(text: str, problem: str) -> None:
    assert problem in problems_of(text)
    with pytest.raises(BadInput) as refusal:
        ResidentIdentityNumber.parse(text)
    assert refusal.value.code == problems_of(text)[0]
    assert text not in str(refusal.value) or not text


@pytest.mark.parametrize(
    ("first_seventeen", "check"),
    [
        ("11010519491231002", "X"),
        ("12345678901234567", "7"),
        ("34052419800101001", "X"),
        ("42052719831111531", "8"),
    ],
)
def test_check_characters_of_the_standard(first_seventeen: str, check: str) -> None:
    assert check_character(first_seventeen) == check


def test_a_check_character_needs_seventeen_digits() -> None:
    with pytest.raises(BadInput, match="ID_NUMBER_CHARACTERS"):
        check_character("123")


@pytest.mark.parametrize(
    ("division", "birth", "accepted"),
    [
        ("110221", "19500101", True),  # Changping county 1982-1999: most of its people were born before
        ("110114", "20010101", True),  # Changping district since 1999
        ("110114", "19980101", True),  # numbered with the district that came in the year after
        ("110221", "20010101", False),  # the county had become a district
        ("110118", "19600101", False),  # Miyun district since 2015: nobody of 1960 was numbered there
        ("110118", "20140601", True),  # registered in the year after the birth
        ("120110", "20000101", True),  # two names in the table, the second in force
    ],
)
def test_the_division_has_to_be_in_force_when_numbers_were_given(
    division: str, birth: str, *, accepted: bool
) -> None:
    first = f"{division}{birth}001"
    problems = problems_of(first + check_character(first))
    assert problems == (() if accepted else ("ID_NUMBER_DIVISION_NOT_AT_BIRTH",))


def test_the_name_of_the_division_is_that_of_the_time() -> None:
    names = []
    for birth in ("19850101", "20050101"):
        first = f"130502{birth}001" if birth > "2" else f"120110{birth}001"
        names.append(ResidentIdentityNumber.parse(first + check_character(first)).division_name)
    assert names == ["天津市东郊区", "河北省桥东区"]


def test_a_birth_in_the_future_needs_the_day_of_reference() -> None:
    first = "11010520300101001"
    text = first + check_character(first)
    assert problems_of(text) == ()
    assert problems_of(text, on=date(2026, 11, 22)) == ("ID_NUMBER_BIRTH_IN_FUTURE",)
    assert problems_of(text, on=date(2030, 1, 1)) == ()
