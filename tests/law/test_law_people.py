"""The scenarios of proxies, minors and kinds of people hold, in every pack that has any."""

import pytest

from shiming.entrypoints.law.topics import all_topics
from shiming.jurisdictions.pack_reader import PACKS, builtin_packs, read_pack
from shiming.jurisdictions.scenarios import Scenario, differences, read_scenarios

TOPICS = all_topics()
NAMES = ("representation", "minors", "subjects")
FILES = [(pack, PACKS / pack / "scenarios" / f"{name}.yaml") for pack in builtin_packs() for name in NAMES]
CASES = [
    (pack, scenario) for pack, file in FILES if file.exists() for scenario in read_scenarios(file, TOPICS)
]


@pytest.mark.parametrize(("pack", "scenario"), CASES, ids=[case[1].scenario for case in CASES])
def test_the_rules_conclude_what_the_scenario_says(pack: str, scenario: Scenario) -> None:
    assert differences(scenario, read_pack(pack), TOPICS) == ()


@pytest.mark.parametrize("about", ["representation", "repudiation", "holder_clocks", "subjects"])
def test_there_are_accepted_and_refused_ones(about: str) -> None:
    outcomes = [scenario.then["outcome"] for _, scenario in CASES if scenario.about == about]
    assert outcomes.count("accepted") >= 2
    assert outcomes.count("refused") >= 3


def test_a_kind_of_person_that_no_pack_knows_is_refused() -> None:
    _, scenario = next(case for case in CASES if case[1].about == "subjects")
    unknown = {**scenario.given, "category": "martian"}
    changed = scenario.model_copy(
        update={"given": unknown, "then": {"outcome": "refused", "codes": ["SUBJECT_NOT_FORESEEN"]}}
    )
    assert differences(changed, read_pack("cn"), TOPICS) == ()


def test_a_wrong_expectation_is_found() -> None:
    for pack, scenario in CASES:
        wrong = scenario.model_copy(update={"then": {"outcome": "accepted", "codes": ["NO_SUCH_CODE"]}})
        assert differences(wrong, read_pack(pack), TOPICS)
