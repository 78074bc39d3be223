"""The scenarios about lines that somebody holds."""

import pytest

from shiming.entrypoints.law.topics import all_topics
from shiming.jurisdictions.pack_reader import PACKS, builtin_packs, read_pack
from shiming.jurisdictions.scenarios import Scenario, differences, read_scenarios

TOPICS = all_topics()
FILES = [
    (name, file) for name in builtin_packs() for file in (PACKS / name / "scenarios").glob("transfers.yaml")
]
CASES = [(pack, scenario) for pack, file in FILES for scenario in read_scenarios(file, TOPICS)]


@pytest.mark.parametrize(("pack", "scenario"), CASES, ids=[case[1].scenario for case in CASES])
def test_the_rules_conclude_what_the_scenario_says(pack: str, scenario: Scenario) -> None:
    assert differences(scenario, read_pack(pack), TOPICS) == ()


@pytest.mark.parametrize("topic", sorted({scenario.about for _, scenario in CASES}))
def test_every_topic_has_accepted_and_refused_ones(topic: str) -> None:
    outcomes = [scenario.then["outcome"] for _, scenario in CASES if scenario.about == topic]
    assert {"accepted", "refused"} <= set(outcomes)


def test_a_wrong_expectation_is_found() -> None:
    pack, scenario = CASES[0]
    wrong = scenario.model_copy(update={"then": {"outcome": "refused", "codes": ["CAP_REACHED"]}})
    assert differences(wrong, read_pack(pack), TOPICS)
