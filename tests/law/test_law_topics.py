"""Every topic of the law has scenarios, accepted and refused, and each of them is able to fail.

That all scenarios of all packs hold is tested by tests/jurisdictions/test_scenarios.py.
"""

import pytest
from pydantic import ValidationError

from shiming.entrypoints.law import line_status
from shiming.entrypoints.law.topics import all_topics
from shiming.jurisdictions.pack_reader import PACKS, builtin_packs, read_pack
from shiming.jurisdictions.scenarios import PROOF, Scenario, differences, read_scenarios

TOPICS = all_topics()
CASES = [
    (pack, scenario)
    for pack in builtin_packs()
    for file in sorted((PACKS / pack / "scenarios").glob("*.yaml"))
    for scenario in read_scenarios(file, TOPICS)
    if scenario.about != PROOF
]
NAMES = [f"{pack}: {scenario.scenario}" for pack, scenario in CASES]


@pytest.mark.parametrize("topic", sorted(set(TOPICS) - {PROOF}))
def test_every_topic_has_accepted_and_refused_scenarios(topic: str) -> None:
    outcomes = {scenario.then.get("outcome") for _, scenario in CASES if scenario.about == topic}
    assert {"accepted", "refused"} <= outcomes


@pytest.mark.parametrize(("pack", "scenario"), CASES, ids=NAMES)
def test_a_wrong_expectation_is_found(pack: str, scenario: Scenario) -> None:
    wrong = scenario.model_copy(update={"then": {**scenario.then, "codes": ["NO_SUCH_CODE"]}})
    assert differences(wrong, read_pack(pack), TOPICS)


@pytest.mark.parametrize("scenario", [scenario for _, scenario in CASES], ids=NAMES)
def test_a_scenario_says_how_it_ends(scenario: Scenario) -> None:
    assert "outcome" in scenario.then
    assert scenario.then["outcome"] != "refused" or scenario.then["codes"]


def test_a_kind_of_person_that_no_pack_knows_is_refused() -> None:
    scenario = next(each for _, each in CASES if each.about == "subjects")
    changed = scenario.model_copy(
        update={
            "given": {**scenario.given, "category": "martian"},
            "then": {"outcome": "refused", "codes": ["SUBJECT_NOT_FORESEEN"]},
        }
    )
    assert differences(changed, read_pack("cn"), TOPICS) == ()


@pytest.mark.parametrize("step", [{}, {"stop": "fraud"}, {"confirm": True, "terminate": True}])
def test_a_step_of_a_line_is_one_act(step: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="a step is one of"):
        line_status.Step.model_validate(step)
