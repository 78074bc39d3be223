"""The scenarios of key_services hold, in every pack that has any."""

import pytest

from shiming.entrypoints.law import key_services
from shiming.jurisdictions.pack_reader import PACKS, builtin_packs, read_pack
from shiming.jurisdictions.scenarios import OWN_TOPICS, Scenario, Topic, differences, read_scenarios

TOPICS = {**OWN_TOPICS, "key_services": Topic(key_services.Given, key_services.conclude)}
FILES = [
    (name, file)
    for name in builtin_packs()
    for file in (PACKS / name / "scenarios").glob("key_services.yaml")
]
CASES = [(pack, scenario) for pack, file in FILES for scenario in read_scenarios(file, TOPICS)]


@pytest.mark.parametrize(("pack", "scenario"), CASES, ids=[case[1].scenario for case in CASES])
def test_the_rules_conclude_what_the_scenario_says(pack: str, scenario: Scenario) -> None:
    assert differences(scenario, read_pack(pack), TOPICS) == ()


def test_there_are_accepted_and_refused_ones() -> None:
    outcomes = [scenario.then["outcome"] for _, scenario in CASES]
    assert outcomes.count("accepted") >= 3
    assert outcomes.count("refused") >= 6


def test_a_wrong_expectation_is_found() -> None:
    pack, scenario = CASES[0]
    wrong = scenario.model_copy(update={"then": {"outcome": "refused", "codes": ["SOMETHING_ELSE"]}})
    assert differences(wrong, read_pack(pack), TOPICS)
