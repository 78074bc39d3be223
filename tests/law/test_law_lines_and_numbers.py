"""The scenarios of line status and of the number pool hold, in every pack that has any."""

import pytest
from pydantic import ValidationError

from shiming.entrypoints.law import line_status, numbers
from shiming.jurisdictions.pack_reader import PACKS, builtin_packs, read_pack
from shiming.jurisdictions.scenarios import OWN_TOPICS, Scenario, Topic, differences, read_scenarios

TOPICS = {
    **OWN_TOPICS,
    "line_status": Topic(line_status.Given, line_status.conclude),
    "numbers": Topic(numbers.Given, numbers.conclude),
}
CASES = [
    (pack, scenario)
    for pack in builtin_packs()
    for topic in ("line_status", "numbers")
    for file in (PACKS / pack / "scenarios").glob(f"{topic}.yaml")
    for scenario in read_scenarios(file, TOPICS)
]


@pytest.mark.parametrize(("pack", "scenario"), CASES, ids=[case[1].scenario for case in CASES])
def test_the_rules_conclude_what_the_scenario_says(pack: str, scenario: Scenario) -> None:
    assert differences(scenario, read_pack(pack), TOPICS) == ()


def test_there_are_accepted_and_refused_ones() -> None:
    outcomes = [scenario.then["outcome"] for _, scenario in CASES]
    assert outcomes.count("accepted") >= 12
    assert outcomes.count("refused") >= 15


@pytest.mark.parametrize("step", [{}, {"stop": "fraud"}, {"confirm": True, "terminate": True}])
def test_a_step_is_one_act(step: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="a step is one of"):
        line_status.Step.model_validate(step)
