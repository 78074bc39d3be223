"""The scenarios of registration hold, in every pack that has any."""

import pytest

from shiming.entrypoints.law import registration
from shiming.jurisdictions.pack_reader import PACKS, builtin_packs, read_pack
from shiming.jurisdictions.scenarios import OWN_TOPICS, Scenario, Topic, differences, read_scenarios

TOPICS = {**OWN_TOPICS, "registration": Topic(registration.Given, registration.conclude)}
FILES = [
    (name, file)
    for name in builtin_packs()
    for file in (PACKS / name / "scenarios").glob("registration.yaml")
]
CASES = [(pack, scenario) for pack, file in FILES for scenario in read_scenarios(file, TOPICS)]


@pytest.mark.parametrize(
    ("pack", "scenario"), CASES, ids=[f"{case[0]}: {case[1].scenario}" for case in CASES]
)
def test_the_rules_conclude_what_the_scenario_says(pack: str, scenario: Scenario) -> None:
    assert differences(scenario, read_pack(pack), TOPICS) == ()


def test_there_are_accepted_and_refused_ones() -> None:
    outcomes = [scenario.then["outcome"] for _, scenario in CASES]
    assert outcomes.count("accepted") >= 4
    assert outcomes.count("refused") >= 18


def test_a_wrong_expectation_is_found() -> None:
    pack, scenario = CASES[0]
    wrong = scenario.model_copy(update={"then": {"outcome": "refused", "codes": ["CAP_REACHED"]}})
    assert differences(wrong, read_pack(pack), TOPICS)
