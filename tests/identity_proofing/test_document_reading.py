from datetime import date
from typing import Any

import pytest

from shiming.identity_proofing.model.claimed_identity import DeclaredIdentity
from shiming.identity_proofing.rules.document_reading import compare_with_declared, read_document_sides
from shiming.identity_proofing.rules.recording import record_document
from shiming.recognition.measurements import DocumentKind, ImageQuality
from tests.identity_proofing.proofing_desk import FRONT_FIELDS, NAME, a_back_side, a_front

TD1, TD3 = DocumentKind.MRZ_TD1, DocumentKind.MRZ_TD3


@pytest.mark.parametrize(
    ("kind", "fields", "document_type"),
    [
        (DocumentKind.RESIDENT_ID_FRONT, FRONT_FIELDS, "resident_id"),
        (DocumentKind.RESIDENT_ID_FRONT, {"number": "810000199001010018"}, "hkmt_residence_permit"),
        (DocumentKind.RESIDENT_ID_FRONT, {}, "resident_id"),
        (TD3, {"document_code": "P<"}, "passport"),
        (TD3, {"document_code": "PM"}, "passport"),
        (TD1, {"document_code": "CR"}, "hk_macao_permit"),
        (TD1, {"document_code": "CT"}, "taiwan_permit"),
        (TD1, {"document_code": "I<"}, "unknown"),
        (DocumentKind.UNKNOWN, {}, "unknown"),
    ],
)
def test_kinds_are_told_apart(kind: DocumentKind, fields: dict[str, Any], document_type: str) -> None:
    assert (
        read_document_sides(a_front(kind=kind, fields=fields), None).identity.document_type == document_type
    )


@pytest.mark.parametrize(
    ("valid_to", "day", "long_term"),
    [
        ("2030-01-31", date(2030, 1, 31), False),
        ("2030.01.31", date(2030, 1, 31), False),
        (date(2030, 1, 31), date(2030, 1, 31), False),
        ("长期", None, True),
        ("long_term", None, True),
        ("2030-02-31", None, False),
        (None, None, False),
    ],
)
def test_dates_as_readers_give_them(valid_to: Any, day: date | None, long_term: bool) -> None:
    identity = read_document_sides(a_front(), a_back_side(fields={"valid_to": valid_to})).identity
    assert (identity.valid_to, identity.long_term) == (day, long_term)


@pytest.mark.parametrize(
    ("birth", "age"), [("2008-11-22", 18), ("2008-11-23", 17), ("2008-02-29", 18), ("unread", None)]
)
def test_age_on_the_day(birth: str, age: int | None) -> None:
    read = read_document_sides(a_front(fields=FRONT_FIELDS | {"birth_date": birth}), None)
    assert record_document(read, date(2026, 11, 22)).age_years == age


def test_figures_that_json_cannot_say_are_not_recorded() -> None:
    quality = ImageQuality(1, 1, 1.23456789, 100.0, 50.0, 0.0, 900)
    side = record_document(read_document_sides(a_front(quality=quality), None), date(2026, 11, 22)).front
    assert side.sharpness == 1.234568


def test_names_that_cannot_be_compared_are_not_guessed() -> None:
    nameless = read_document_sides(a_front(fields={"number": "1"}), None).identity
    (comparison,) = compare_with_declared(nameless, DeclaredIdentity(NAME))
    assert (comparison.agrees, comparison.similarity) == (None, None)
    (comparison,) = compare_with_declared(
        read_document_sides(a_front(fields={}), None).identity, DeclaredIdentity(number="1")
    )
    assert comparison.agrees is None
    assert compare_with_declared(nameless, DeclaredIdentity()) == ()


def test_shown_identities_are_masked() -> None:
    identity = read_document_sides(a_front(), a_back_side()).identity
    assert NAME not in repr(identity)
    assert FRONT_FIELDS["number"] not in repr(identity)
    assert "None" in repr(read_document_sides(a_front(fields={}), None).identity)
