"""A scenario whose facts ask nothing of the rules is not taken: it would pass whatever the rules say."""

from typing import Any

import pytest
from pydantic import ValidationError

from shiming.entrypoints.law.topics import all_topics

DAY = "2026-03-01"
COUNTS = {"delivered": 1, "returned": 0, "sold": 1, "stock": 0, "registered": 1, "awaiting": 0}
SILENT: list[tuple[str, dict[str, Any]]] = [
    ("contracts", {}),
    ("contracts", {"versions": {"2025-01": DAY}}),
    ("provisioning", {}),
    ("provisioning", {"network reports": ["completed"], "hours later": 3}),
    ("holder_clocks", {"category": "minor", "reminded": True}),
    ("line_status", {}),
    ("iot", {"scene": "metering", "counts": COUNTS}),
]
SPEAKING: list[tuple[str, dict[str, Any]]] = [
    ("contracts", {"accept": {"version": "2025-01"}}),
    ("provisioning", {"network": "active"}),
    ("holder_clocks", {"comes of age": DAY}),
    ("line_status", {"confirmed": False}),
    ("iot", {"counts": COUNTS}),
]


@pytest.mark.parametrize(("topic", "given"), SILENT)
def test_a_scenario_that_states_nothing_is_invalid(topic: str, given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"stated|stand alone"):
        all_topics()[topic].given.model_validate({"date": DAY, **given})


@pytest.mark.parametrize(("topic", "given"), SPEAKING)
def test_one_fact_is_enough(topic: str, given: dict[str, Any]) -> None:
    assert all_topics()[topic].given.model_validate({"date": DAY, **given})
