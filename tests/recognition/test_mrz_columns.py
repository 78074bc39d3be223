"""Characters find their columns at any pitch, bend and start; what is missing between them is filler."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.recognition.documents.mrz.alphabet import FILLER, ZONE_ALPHABET, is_like_zone
from shiming.recognition.documents.mrz.columns import Placed, on_columns, row_length, ruler_of
from shiming.recognition.documents.mrz.proofs import proven_by_readings
from shiming.recognition.documents.mrz.votes import RowVotes, majority

NUMBERS = "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
NAMES = "P<UTOERIKSSON<<ANNA<MARIA".ljust(44, FILLER)
TODAY = date(2026, 11, 22)


def row_of(text: str, *, left: float = 0.0, pitch: float = 30.0, bend: float = 0.0) -> tuple[Placed, ...]:
    """Place the characters of a line, fillers as well."""
    return tuple(Placed(sign, 0.9, left + pitch * i + bend * i * i) for i, sign in enumerate(text))


def text_of(row: list[tuple[str, float]]) -> str:
    return "".join(sign for sign, _ in row)


@given(
    left=st.floats(0, 300),
    pitch=st.floats(8, 60),
    bend=st.floats(-0.03, 0.03),
    lost=st.sets(st.integers(1, 42), max_size=9),
)
def test_lost_fillers_come_back(left: float, pitch: float, bend: float, lost: set[int]) -> None:
    places = row_of(NUMBERS, left=left, pitch=pitch, bend=bend * pitch / 10)
    seen = [letter for i, letter in enumerate(places) if i not in lost or NUMBERS[i] != FILLER]
    ruler = ruler_of(seen)
    assert ruler is not None
    assert text_of(on_columns(seen, ruler, 0, 44)) == NUMBERS


def test_a_row_that_begins_later_than_the_others_keeps_its_columns() -> None:
    votes = RowVotes()
    votes.add(row_of(NUMBERS, left=30.0)[2:])
    assert votes.candidates(30.0, 44)[0] == "<<" + NUMBERS[2:]


def test_prose_follows_no_ruler() -> None:
    widths = (31, 9, 22, 40, 12, 27, 8, 33, 18, 11, 29, 7, 38, 16, 25, 10)
    places = [Placed("A", 1.0, float(sum(widths[:i]))) for i in range(len(widths))]
    assert ruler_of(places) is None


def test_few_characters_follow_no_ruler() -> None:
    assert ruler_of(row_of("P<UTO")) is None
    assert RowVotes().start() is None


@pytest.mark.parametrize(
    ("columns", "rows", "length"), [(43.2, 2, 44), (37, 2, 36), (29.0, 2, 30), (36, 3, 30)]
)
def test_the_length_is_one_of_the_standard(columns: float, rows: int, length: int) -> None:
    assert row_length(columns, rows) == length


def test_sure_readings_outvote_unsure_ones() -> None:
    rows = [[("O", 0.4)], [("0", 0.95)], [("O", 0.4)]]
    assert majority(rows) == "0"
    assert majority([[(FILLER, 0.0)], [("A", 0.9)]]) == "A"


@pytest.mark.parametrize(
    "text", ["P<UTOERIKSSON<<ANNA<MARIA", "9109113<3102248ISL<<<<<<<<<<<4", "VΛUTOLUΛΛQIWEIΛΛΛ"]
)
def test_rows_of_a_zone_are_known(text: str) -> None:
    assert is_like_zone(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "IDENTITY CARD / CARTE D'IDENTITE",
        "公民身份号码 110101199003071234",
        "<<",
        "given names, surname <<",
    ],
)
def test_other_text_is_no_zone(text: str) -> None:
    assert not is_like_zone(text)


def test_the_alphabet_ends_in_the_zone() -> None:
    assert set(ZONE_ALPHABET.values()) == set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<")


def rows_read(*texts: str) -> list[list[tuple[str, float]]]:
    return [[(sign, 0.9) for sign in text] for text in texts]


def test_a_character_that_another_reading_saw_proves_the_zone() -> None:
    wrong, right = NUMBERS.replace("L898", "L893"), NUMBERS
    readings = [rows_read(NAMES, NAMES, NAMES), rows_read(wrong, wrong, right)]
    zone = proven_by_readings([NAMES, wrong], readings, 0, TODAY)
    assert zone is not None
    assert zone.lines == (NAMES, NUMBERS)


def test_what_no_reading_saw_is_not_proven() -> None:
    wrong = NUMBERS.replace("L898", "L893")
    assert proven_by_readings([NAMES, wrong], [rows_read(NAMES), rows_read(wrong)], 0, TODAY) is None


def test_two_explanations_of_one_price_prove_nothing() -> None:
    right = NUMBERS[:28] + "<" * 14 + "<" + _digit(NUMBERS[:10] + NUMBERS[13:20] + NUMBERS[21:28] + "<" * 15)
    wrong = "X" + right[1:]
    first, second = "L" + wrong[1:], "V" + wrong[1:]  # 21 and 31 weigh the same modulo 10
    for others in ((first,), (second,)):
        readings = [rows_read(NAMES, NAMES, NAMES), rows_read(wrong, wrong, *others)]
        assert proven_by_readings([NAMES, wrong], readings, 0, TODAY) is not None
    readings = [rows_read(*[NAMES] * 4), rows_read(wrong, wrong, first, second)]
    assert proven_by_readings([NAMES, wrong], readings, 0, TODAY) is None


def _digit(text: str) -> str:
    values = (0 if sign == FILLER else int(sign, 36) for sign in text)
    return str(sum(value * (7, 3, 1)[i % 3] for i, value in enumerate(values)) % 10)
