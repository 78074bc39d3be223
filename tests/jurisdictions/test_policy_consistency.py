from typing import Any

import pytest

from shiming.jurisdictions.pack_reader import parse_pack
from shiming.vocabulary.errors import BadInput
from tests.jurisdictions.packs_for_tests import a_value, content_with

CONTRADICTIONS = [
    ("routes.assisted.level", "lower_level", "routes.assisted.level: lower_level instead of real_person"),
    ("assisted_review.level", "none", "assisted_review.level: none instead of real_person"),
    ("challenge.gestures_min", 9, "challenge.gestures_min: 9 is more than 4"),
    ("thresholds.face_similarity_review_min", 0.9, "0.9 is more than 0.4"),
    ("thresholds.digits_score_retry_min", -1.0, "-1.0 is more than -8.0"),
    ("documents.adult.accepted", ["resident_id"], "documents.adult.sides_required: not the same"),
    ("documents.foreigner.manual_entry_forbidden", ["resident_id"], "a document that is not accepted"),
    ("channels.shop.required_checks", [], "no check is a refusal, not a pass"),
    ("routes.standard.gestures", ["turn_left", "blink"], "one side only, and both are required"),
    ("routes.standard.gestures", [], "no gestures, and nothing stands in for them"),
    ("routes.standard.digits", "none", "no digits, and nothing stands in for them"),
    (
        "routes.assisted.checks_replaced",
        {"authority": "assisted_review"},
        "nothing stands in for the authority",
    ),
    ("authority.identifier_types", {"resident_id": "X"}, "authority.identifier_types: missing"),
]


@pytest.mark.parametrize(("path", "value", "problem"), CONTRADICTIONS)
def test_a_contradiction_refuses_the_pack(path: str, value: Any, problem: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_pack(content_with(path, a_value(path, value=value)))
    assert any(problem in found for found in refused.value.details["problems"])


@pytest.mark.parametrize("name", ["adult", "resident_id"])
def test_subjects_and_documents_have_names_for_people(name: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_pack(content_with(f"names.{name}", None))
    assert any(name in found and "without a name" in found for found in refused.value.details["problems"])


def test_one_side_is_enough_where_the_pack_says_so() -> None:
    content = content_with(
        "challenge.both_sides_required", a_value("challenge.both_sides_required", value=False)
    )
    content["routes"]["standard"]["gestures"]["value"] = ["turn_left", "blink"]
    assert parse_pack(content).id == "cn"
