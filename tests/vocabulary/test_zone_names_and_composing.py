import string
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.machine_readable_zone import compose
from shiming.vocabulary.machine_readable_zone.names import compose_names, split_names, transliterate

CARD = (
    "I<UTOD231458907<<<<<<<<<<<<<<<",
    "7408122F1204159UTO<<<<<<<<<<<6",
    "ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
)  # the specimen of the standard
words = st.text(string.ascii_uppercase, min_size=1, max_size=7)


@given(words, words, st.integers(5, 39))
def test_names_fill_their_field_and_both_parts_show(surname: str, given_names: str, length: int) -> None:
    field = compose_names(surname, given_names, length)
    assert len(field) == length
    first, second, truncated = split_names(field)
    assert first
    assert second
    assert surname.startswith(first)
    assert given_names.startswith(second)
    assert truncated or (first, second) == (surname, given_names)


@given(st.text(max_size=30))
def test_transliteration_gives_letters_or_bad_input(text: str) -> None:
    with suppress(BadInput):
        assert set(transliterate(text)) <= {*string.ascii_uppercase, "<"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Þórður Åse", "THORDUR<AASE"),
        ("Łukasz O'Brien-Żak", "LUKASZ<OBRIEN<ZAK"),
        ("Щукин", "SHCHUKIN"),
        ("Groß", "GROSS"),
    ],
)
def test_transliteration(text: str, expected: str) -> None:
    assert transliterate(text) == expected


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"surname": "张"}, "MRZ_NAME_SCRIPT"),
        ({"issuing_state": "UTOPIA"}, "MRZ_FIELD_LENGTH"),
        ({"document_number": "D/1"}, "MRZ_FIELD_CHARACTERS"),
        ({"document_number": "D2314 58907 34"}, "MRZ_FIELD_CHARACTERS"),
        ({"document_number": "D" * 24}, "MRZ_FIELD_LENGTH"),
    ],
)
def test_fields_that_do_not_fit_are_refused(changes: dict[str, str], code: str) -> None:
    fields = {
        "document_code": "I",
        "issuing_state": "UTO",
        "surname": "Eriksson",
        "given_names": "Anna Maria",
        "document_number": "D23145890",
        "nationality": "UTO",
        "birth_date": date(1974, 8, 12),
        "sex": "female",
        "expiry_date": date(2012, 4, 15),
    }
    assert compose("TD1", **fields) == CARD  # type: ignore[arg-type]
    with pytest.raises(BadInput) as refusal:
        compose("TD1", **(fields | changes))  # type: ignore[arg-type]
    assert refusal.value.code == code


def test_a_passport_has_no_long_number() -> None:
    with pytest.raises(BadInput, match="MRZ_FIELD_LENGTH"):
        compose(
            "TD3",
            document_code="P",
            issuing_state="UTO",
            surname="A",
            given_names="",
            document_number="1234567890",
            nationality="UTO",
            birth_date=None,
            sex="male",
            expiry_date=None,
        )
