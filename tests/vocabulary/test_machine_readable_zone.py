import string
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.machine_readable_zone import MachineReadableZone, compose, parse
from shiming.vocabulary.machine_readable_zone.check_digits import check_digit
from shiming.vocabulary.machine_readable_zone.checks import all_right
from shiming.vocabulary.machine_readable_zone.dates import DateParts
from shiming.vocabulary.machine_readable_zone.layouts import LAYOUTS, Format
from shiming.vocabulary.machine_readable_zone.lengths import number_lines
from shiming.vocabulary.machine_readable_zone.repair import repair_zone

TODAY = date(2026, 11, 22)
SPECIMENS: dict[str, tuple[str, ...]] = {
    "TD1": (
        "I<UTOD231458907<<<<<<<<<<<<<<<",
        "7408122F1204159UTO<<<<<<<<<<<6",
        "ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
    ),
    "TD1 long number": (
        "I<UTOD23145890<7349<<<<<<<<<<<",
        "3407127M9507122UTO<<<<<<<<<<<2",
        "STEVENSON<<PETER<JOHN<<<<<<<<<",
    ),
    "TD2": ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"),
    "TD3": (
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
        "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
    ),
    "MRV-A": (
        "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
        "L8988901C4XXX4009078F96121096ZE184226B<<<<<<",
    ),
    "MRV-B": ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<"),
}

words = st.text(string.ascii_uppercase, min_size=1, max_size=7)
alphanumerics = st.text(string.ascii_uppercase + string.digits, min_size=1, max_size=9)
states = st.text(string.ascii_uppercase, min_size=3, max_size=3)
sexes = st.sampled_from(("male", "female", "unspecified"))
births = st.dates(date(1926, 11, 23), TODAY)
expiries = st.dates(date(1976, 1, 1), date(2075, 12, 31))
formats: st.SearchStrategy[Format] = st.sampled_from(list(LAYOUTS))


@st.composite
def zones(draw: st.DrawFn) -> tuple[Format, dict[str, object]]:
    format_ = draw(formats)
    visa = format_.startswith("MRV")
    long_number = st.text(string.ascii_uppercase + string.digits, min_size=10, max_size=13)
    number = alphanumerics | long_number if format_ == "TD1" else alphanumerics
    given_names = " ".join(draw(st.lists(words, max_size=2)))
    return format_, {
        "document_code": "V" if visa else "P" if format_ == "TD3" else "I",
        "issuing_state": draw(states),
        "surname": draw(words),
        "given_names": given_names,
        "document_number": draw(number),
        "nationality": draw(states),
        "birth_date": draw(births),
        "sex": draw(sexes),
        "expiry_date": draw(expiries),
        "optional_data": "" if draw(st.booleans()) else draw(st.text(string.digits, max_size=7)),
    }


def read(lines: tuple[str, ...], *, repair: bool = True) -> MachineReadableZone:
    return parse(lines, today=TODAY, repair=repair)


@pytest.mark.parametrize("name", SPECIMENS)
@pytest.mark.parametrize("repair", [True, False])
def test_the_specimens_of_the_standard_are_read(name: str, *, repair: bool) -> None:
    zone = read(SPECIMENS[name], repair=repair)
    assert zone.check_digits_valid
    assert zone.format == name.partition(" ")[0]
    assert zone.lines == SPECIMENS[name]
    assert zone.repairs == ()
    assert not zone.names_truncated


def test_the_fields_of_the_passport_specimen() -> None:
    zone = read(SPECIMENS["TD3"])
    assert (zone.document_code, zone.issuing_state, zone.nationality) == ("P", "UTO", "UTO")
    assert (zone.surname, zone.given_names, zone.sex) == ("ERIKSSON", "ANNA MARIA", "female")
    assert (zone.document_number, zone.optional_data) == ("L898902C3", "ZE184226B")
    assert (zone.birth_date, zone.expiry_date) == (date(1974, 8, 12), date(2012, 4, 15))
    assert zone.check_of("composite") is True
    assert read(SPECIMENS["MRV-A"]).check_of("composite") is None


def test_a_long_document_number_goes_on_in_the_optional_data() -> None:
    zone = read(SPECIMENS["TD1 long number"])
    assert zone.document_number == "D23145890734"
    assert zone.optional_data == ""


@given(zones())
def test_what_is_composed_is_read_back(case: tuple[Format, dict[str, object]]) -> None:
    format_, fields = case
    zone = read(compose(format_, **fields))  # type: ignore[arg-type]
    assert zone.check_digits_valid
    assert zone.repairs == ()
    assert zone.format == format_
    assert zone.names_truncated == (zone.lines[-1 if format_ == "TD1" else 0][-1] != "<")
    for name, value in fields.items():
        if name not in {"surname", "given_names"}:
            assert getattr(zone, name) == value, name
    assert zone.surname == fields["surname"]
    assert zone.given_names == fields["given_names"]


@given(zones())
def test_repair_never_changes_a_valid_zone(case: tuple[Format, dict[str, object]]) -> None:
    lines = compose(case[0], **case[1])  # type: ignore[arg-type]
    assert read(lines) == read(lines, repair=False)


@given(zones(), st.data())
def test_a_wrong_character_in_a_numeric_field_is_detected_or_put_right(
    case: tuple[Format, dict[str, object]], data: st.DataObject
) -> None:
    format_, fields = case
    layout, original = LAYOUTS[format_], "".join(compose(format_, **fields))  # type: ignore[arg-type]
    spans = (layout.birth_date, layout.expiry_date)
    position = data.draw(st.sampled_from([i for span in spans for i in range(span.start, span.end + 1)]))
    character = data.draw(st.sampled_from(string.digits + string.ascii_uppercase + "<"))
    assume(character != original[position])
    misread = original[:position] + character + original[position + 1 :]
    zone = read(layout.lines_of(misread))
    assert "".join(zone.lines) == original or not zone.check_digits_valid


@given(zones(), st.sampled_from(string.digits))
def test_a_wrong_check_digit_of_the_document_number_is_never_explained_away(
    case: tuple[Format, dict[str, object]], digit: str
) -> None:
    format_, fields = case
    layout, original = LAYOUTS[format_], "".join(compose(format_, **fields))  # type: ignore[arg-type]
    position = layout.document_number.end
    assume(layout.composite_check >= 0 and original[position] not in {digit, "<"})
    zone = read(layout.lines_of(original[:position] + digit + original[position + 1 :]))
    assert "".join(zone.lines) == original or not zone.check_digits_valid


@given(zones(), st.data())
def test_letters_read_for_digits_in_dates_are_always_put_right(
    case: tuple[Format, dict[str, object]], data: st.DataObject
) -> None:
    format_, fields = case
    layout, original = LAYOUTS[format_], "".join(compose(format_, **fields))  # type: ignore[arg-type]
    misread = list(original)
    for span in (layout.birth_date, layout.expiry_date):
        for i in range(span.start, span.end + 1):
            letters = {"0": "OQD", "1": "IL", "2": "Z", "5": "S", "6": "G", "8": "B"}.get(original[i], "")
            misread[i] = data.draw(st.sampled_from([*letters, original[i]]))
    zone = read(layout.lines_of("".join(misread)))
    assert "".join(zone.lines) == original


@given(
    lines=st.lists(st.text(string.ascii_uppercase + string.digits + "<", max_size=50), max_size=4),
    repair=st.booleans(),
)
@example(lines=["P<" + "K" * 42, "<" * 44], repair=True)
@example(lines=["A" * 30, "<0<" * 9, "B" * 30], repair=True)
def test_any_text_is_a_zone_or_bad_input(lines: list[str], *, repair: bool) -> None:
    with suppress(BadInput):
        zone = parse(lines, today=TODAY, repair=repair)
        layout = LAYOUTS[zone.format]
        assert [len(line) for line in zone.lines] == [layout.line_length] * layout.line_count


@given(st.lists(st.text(max_size=90), max_size=4))
def test_any_unicode_is_a_zone_or_bad_input(lines: list[str]) -> None:
    with suppress(BadInput):
        parse(lines, today=TODAY)


PASSPORT = SPECIMENS["TD3"]
CARD = SPECIMENS["TD1"]


@pytest.mark.parametrize(
    ("lines", "expected", "proof"),
    [
        ((PASSPORT[0], PASSPORT[1].replace("L898902", "L8989O2")), PASSPORT, "check_digit"),
        ((PASSPORT[0], PASSPORT[1].replace("7408122", "74O8IZ2")), PASSPORT, "check_digit"),
        ((PASSPORT[0], PASSPORT[1].replace("7408122", "74<8122")), PASSPORT, "check_digit"),
        ((PASSPORT[0], PASSPORT[1].replace("B<<<<<10", "B<<C<<10")), PASSPORT, "check_digit"),
        ((PASSPORT[0], PASSPORT[1][:-2] + "1O"), PASSPORT, "check_digit"),
        ((PASSPORT[0].replace("UTO", "UT0"), PASSPORT[1]), PASSPORT, "alphabet"),
        ((PASSPORT[0].replace("ERIKSSON", "ER1K5SON"), PASSPORT[1]), PASSPORT, "alphabet"),
        ((PASSPORT[0][:-6] + "K<<CCL", PASSPORT[1]), PASSPORT, "alphabet"),
        ((PASSPORT[0].rstrip("<"), PASSPORT[1]), PASSPORT, "length"),
        ((PASSPORT[0] + "<<<", PASSPORT[1]), PASSPORT, "length"),
        ((PASSPORT[0], PASSPORT[1].replace("<<<<<", "<<")), PASSPORT, "length"),
        ((PASSPORT[0], PASSPORT[1].replace("<<<<<", "<<<<<<<<")), PASSPORT, "length"),
        ((PASSPORT[0], PASSPORT[1].replace("<<<<<", "KKKK")), PASSPORT, "length"),
        ((PASSPORT[0], PASSPORT[1].replace("<<<<<", "<<").replace("7408", "74O8")), PASSPORT, "length"),
        ((CARD[0][:-4], CARD[1], CARD[2] + "<"), CARD, "length"),
        ((CARD[0], CARD[1].replace("UTO<<<<<<<<<<<6", "UTO<<<<<6"), CARD[2]), CARD, "length"),
        ((CARD[0], CARD[1].replace("UTO<<<<<<<<<<<6", "UTO<<<<<S<<<<<6"), CARD[2]), CARD, "check_digit"),
    ],
)
def test_repairs(lines: tuple[str, ...], expected: tuple[str, ...], proof: str) -> None:
    zone = read(lines)
    assert zone.lines == expected
    assert zone.check_digits_valid
    assert proof in {repair.proof for repair in zone.repairs}


@pytest.mark.parametrize(
    "lines",
    [
        (PASSPORT[0], PASSPORT[1].replace("L898902C3", "LB98902C3")),  # 8 for B or B for the other 8
        (PASSPORT[0], PASSPORT[1].replace("L898902C36", "L898902C31")),  # a look-alike in the number would do
        (PASSPORT[0], PASSPORT[1].replace("7408122", "7409122")),
        (PASSPORT[0], PASSPORT[1].replace("7408122", "7438122")),
        (PASSPORT[0], PASSPORT[1][:-1] + "1"),
        (CARD[0].replace("D231458907", "D231458903"), CARD[1], CARD[2]),
        (PASSPORT[0], "AB" * 20),
        (PASSPORT[0], "A<" * 20),
    ],
)
def test_what_is_not_proven_stays_as_it_was_read(lines: tuple[str, ...]) -> None:
    zone = read(lines)
    assert not zone.check_digits_valid
    assert "".join(zone.lines).startswith("".join(lines)[:60])


def test_the_long_number_and_its_check_digit_are_repaired_as_well() -> None:
    first, *others = SPECIMENS["TD1 long number"]
    zone = read((first.replace("<7349", "<73A9"), *others))
    assert not zone.check_digits_valid
    zone = read((first.replace("D23145890<7349", "D2314589O<7349"), *others))
    assert zone.document_number == "D23145890734"


def test_an_empty_optional_field_may_have_a_filler_or_a_zero_as_check_digit() -> None:
    lines = compose(
        "TD3",
        document_code="P",
        issuing_state="D",
        surname="Mustermann",
        given_names="Erika",
        document_number="C01X00T47",
        nationality="D",
        birth_date=DateParts(1964, 8, None),
        sex="unspecified",
        expiry_date=None,
    )
    assert lines[1] == "C01X00T478D<<6408<<0<<<<<<<0<<<<<<<<<<<<<<00"
    zone = read(lines)
    assert (zone.check_digits_valid, zone.birth_date, str(zone.birth_date_parts)) == (
        True,
        None,
        "1964-08-??",
    )
    assert (zone.issuing_state, zone.nationality, zone.sex) == ("D", "D", "unspecified")
    assert zone.expiry_date is None
    with_filler = lines[1][:42] + "<" + lines[1][43:]
    assert read((lines[0], with_filler)).check_digits_valid
    assert read((lines[0], lines[1][:42] + "K" + lines[1][43:])).lines[1] == with_filler


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([], "MRZ_LINE_COUNT"),
        (["P<UTO"], "MRZ_LINE_COUNT"),
        (["A" * 44] * 4, "MRZ_LINE_COUNT"),
        (["P<UTO#" + "A" * 38, "A" * 44], "MRZ_CHARACTERS"),
        (["P<UTO", "A" * 44], "MRZ_LENGTH"),
        (["P" * 44, "A" * 12], "MRZ_LENGTH"),
        (["P" * 90, "A" * 44], "MRZ_LENGTH"),
    ],
)
def test_what_has_not_the_shape_of_a_zone_is_refused(lines: list[str], code: str) -> None:
    with pytest.raises(BadInput) as refusal:
        parse(lines, today=TODAY)
    assert refusal.value.code == code


def test_without_repair_the_lengths_have_to_be_right() -> None:
    with pytest.raises(BadInput, match="MRZ_LENGTH"):
        parse([PASSPORT[0][:-1], PASSPORT[1]], today=TODAY, repair=False)


def test_signs_that_look_like_fillers_are_fillers() -> None:
    zone = parse([PASSPORT[0].replace("<<", "«"), PASSPORT[1].lower().replace("<", "＜")], today=TODAY)
    assert zone.lines == PASSPORT


def test_a_zone_shows_itself_masked() -> None:
    zone = read(PASSPORT)
    for text in (str(zone), repr(zone), f"{zone}"):
        assert "ERIKSSON" not in text
        assert "L898902C3" not in text
    assert "not valid" in str(read((PASSPORT[0], PASSPORT[1][:-1] + "1")))
    assert zone.reveal("test") == "\n".join(PASSPORT)
    with pytest.raises(ValueError, match="purpose"):
        zone.reveal(" ")


@given(st.text(string.ascii_uppercase + string.digits + "<", max_size=40), st.data())
def test_a_check_digit_finds_every_wrong_digit(text: str, data: st.DataObject) -> None:
    positions = [i for i, character in enumerate(text) if character.isdigit()]
    assume(positions)
    at = data.draw(st.sampled_from(positions))
    other = data.draw(st.sampled_from([digit for digit in string.digits if digit != text[at]]))
    assert check_digit(text) != check_digit(text[:at] + other + text[at + 1 :])


def test_all_right_needs_every_check_digit() -> None:
    assert all_right("".join(PASSPORT), LAYOUTS["TD3"])
    assert not all_right("".join(PASSPORT)[:-1] + "1", LAYOUTS["TD3"])


def test_the_second_field_of_a_long_line_is_spread_within_limits() -> None:
    zone = read((CARD[0].replace("<<<<<<<<<<<<<<<", "<A<B<C<D"), CARD[1].replace("<<<<<", "<A<"), CARD[2]))
    assert not zone.check_digits_valid


def test_a_letter_that_cannot_be_a_digit_in_a_date_is_left() -> None:
    zone = read((PASSPORT[0], PASSPORT[1].replace("7408122", "74W8122")))
    assert (zone.birth_date, zone.birth_date_parts, zone.check_digits_valid) == (None, None, False)


def test_a_visa_has_no_rival_for_its_number() -> None:
    visa = SPECIMENS["MRV-B"]
    zone = read((visa[0], visa[1].replace("L8988901C", "L89B8901C")))
    assert zone.lines[1][:9] in {"L89B8901C", "L8988901C"}
    zone = read((visa[0], visa[1].replace("L8988901C", "L8988961C")))
    assert not zone.check_digits_valid


@pytest.mark.parametrize("name", SPECIMENS)
def test_repair_returns_a_right_zone_as_it_is(name: str) -> None:
    lines = SPECIMENS[name]
    assert repair_zone("".join(lines), LAYOUTS[read(lines).format]) == "".join(lines)


def test_no_more_than_two_fields_are_exchanged() -> None:
    first = CARD[0].replace("D231458907<", "D2B1458907O")
    zone = read((first, CARD[1].replace("UTO<", "UTOB"), CARD[2]))
    assert not zone.check_digits_valid


def test_fillers_are_only_taken_where_they_are() -> None:
    assert list(number_lines("A<B<<<", 3)) == ["A<B", "AB<"]
    assert list(number_lines("AB", 3)) == []
    assert list(number_lines("AB", 2)) == ["AB"]


def test_look_alikes_that_check_digits_cannot_tell_are_named() -> None:
    assert set(read(PASSPORT).document_number_alternatives) == {"1898902C3", "LB9B902C3"}
    lines = compose(
        "TD2",
        document_code="I",
        issuing_state="UTO",
        surname="Eriksson",
        given_names="",
        document_number="AB6K",
        nationality="UTO",
        birth_date=date(1974, 8, 12),
        sex="female",
        expiry_date=date(2012, 4, 15),
    )
    assert set(read(lines).document_number_alternatives) == {"ABGK", "AB6"}


@pytest.mark.parametrize("nationality", ["XXX", "CCC", "LSK"])
def test_letters_often_read_for_fillers_stay_in_a_nationality(nationality: str) -> None:
    visa = SPECIMENS["MRV-A"]
    numbers = visa[1].replace("XXX", nationality)
    assert read((visa[0], numbers.replace("7", "T").replace("0", "O"))).nationality == nationality
    assert read((visa[0], numbers[:-3])).lines[1] == numbers
