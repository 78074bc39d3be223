from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from tools.specimens.divisions import all_divisions, divisions_in_force
from tools.specimens.identities import (
    ISSUED_ON,
    generate_person,
    latin_name,
    number_check_character,
    validity_years,
)
from tools.specimens.resident_card import address_lines, validity_text

SEEDS = st.integers(0, 100_000)


@given(SEEDS)
def test_number_is_valid_and_tells_birth_date_and_sex(seed: int) -> None:
    person = generate_person(seed)
    assert ric.validate(person.number) == person.number
    assert ric.get_birth_date(person.number) == person.birth_date
    assert (int(person.number[16]) % 2 == 1) is (person.sex == "男")


@given(SEEDS)
def test_division_of_the_number_was_in_force_at_birth(seed: int) -> None:
    person = generate_person(seed)
    year = max(person.birth_date.year, 1950)
    assert person.number[:6] in {d.code for d in all_divisions() if d.in_force(year)}


@given(SEEDS)
def test_same_seed_same_person(seed: int) -> None:
    assert generate_person(seed) == generate_person(seed)
    assert generate_person(seed) != generate_person(seed + 1)


@given(SEEDS)
def test_validity_follows_age_at_issue(seed: int) -> None:
    person = generate_person(seed)
    birth, start = person.birth_date, person.valid_from
    age = start.year - birth.year - ((start.month, start.day) < (birth.month, birth.day))
    years = validity_years(age)
    assert person.valid_to == (None if years is None else start.replace(year=start.year + years))
    assert age >= 16
    assert start < ISSUED_ON


@given(SEEDS)
def test_address_fits_three_lines_and_loses_nothing(seed: int) -> None:
    address = generate_person(seed).address
    lines = address_lines(address)
    assert "".join(lines) == address
    assert len(lines) <= 4


@given(st.text("0123456789", min_size=17, max_size=17), st.integers(0, 16), st.integers(1, 9))
def test_check_character_sees_every_single_change(first: str, place: int, change: int) -> None:
    other = first[:place] + str((int(first[place]) + change) % 10) + first[place + 1 :]
    assert number_check_character(first) != number_check_character(other)


def test_appendix_example_of_the_standard() -> None:
    assert number_check_character("11010519491231002") == "X"
    assert number_check_character("42052719831111531") == "8"


def test_some_people_have_minority_names() -> None:
    names = [generate_person(seed).name for seed in range(200)]
    assert any("·" in name for name in names)
    assert len(set(names)) > 180


def test_compound_surname_in_pinyin() -> None:
    assert latin_name("司马光明") == ("SIMA", "GUANGMING")


def test_long_term_is_written_in_han() -> None:
    assert validity_text(date(2020, 1, 2), None) == "2020.01.02-长期"
    assert validity_text(date(2020, 1, 2), date(2040, 1, 2)) == "2020.01.02-2040.01.02"


def test_abolished_division_is_not_in_force() -> None:
    assert "110103" not in {d.code for d in divisions_in_force(2020)}  # 崇文区, dissolved in 2010
    assert "110103" in {d.code for d in divisions_in_force(2000)}
